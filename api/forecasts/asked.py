"""Asking a method: who is chosen for one series, and what it says where the chosen one cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from optimizer.forecast import Forecast, forecast_of
from optimizer.forecasting.choose import Choice, Why, choose
from optimizer.forecasting.history import History, Method, days_before
from optimizer.forecasting.methods import USUAL
from optimizer.nowcast import Follow


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
