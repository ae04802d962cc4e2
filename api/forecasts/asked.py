"""Asking a method: who may be, who is chosen, and what is said where the chosen one cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from optimizer.forecast import Forecast, forecast_of
from optimizer.forecasting.choose import Choice, Why, choose
from optimizer.forecasting.days import Sky
from optimizer.forecasting.history import History, Method, days_before
from optimizer.forecasting.methods import SAME_WEEKDAY, USUAL, YESTERDAY, load_blend, sun_blend
from optimizer.forecasting.newcomer import YoungRoof
from optimizer.nowcast import Follow

DAYS_BACK = 56
"""How many days who is asked may look back: four weeks to learn from and four before them."""


def for_use() -> list[Method]:
    """Return who may forecast what is used, but for those who learn; new, for they remember."""
    return [load_blend(), USUAL, SAME_WEEKDAY]


def for_roofs(sky: Sky | None) -> list[Method]:
    """Return who may forecast what roofs make; new, for they remember what they were shown."""
    simple: list[Method] = [USUAL, YESTERDAY]
    return simple if sky is None else [sun_blend(sky), *simple]


def for_young_roofs(sky: Sky | None) -> Method:
    """Return who forecasts roofs of which less than a week is known."""
    return USUAL if sky is None else YoungRoof(sky)


def chosen_for(
    history: History,
    methods: Sequence[Method],
    newcomer: Method,
    in_use: str | None,
    follow: Follow,
    in_time: Callable[[], bool] = lambda: True,
) -> Choice:
    """Return who forecasts a series from now on.

    Where nothing was ever used or made there is nothing to choose between, and no sky is needed.

    Args:
        history: What is known of it.
        methods: Who may be chosen.
        newcomer: Who forecasts while less than a week is known.
        in_use: The name of the method in use.
        follow: How the rest of today follows what was measured of it.
        in_time: Whether there is time for one more to learn.
    """
    if np.nanmax(np.abs(history.kw), initial=0.0) > 0:
        return choose(history, methods, newcomer, in_use=in_use, follow=follow, in_time=in_time)
    known = bool((~np.isnan(history.kw)).any())
    return Choice(USUAL if known else newcomer, Why.NEWCOMER, {})


def said_by(method: Method, history: History, count: int) -> Forecast:
    """Return what a method says, and of what it cannot, the same time of day."""
    told = method.forecast(history, count)
    lacking = np.isnan(told.likely)
    if not lacking.any():
        return told
    usual = forecast_of(days_before(history, count))
    return Forecast(
        np.where(lacking, usual.likely, told.likely),
        np.where(lacking, usual.low, told.low),
        np.where(lacking, usual.high, told.high),
        np.where(lacking, usual.days, told.days),
        told.following,
    )
