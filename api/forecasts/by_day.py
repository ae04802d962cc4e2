"""What was said of a home at midnight as it stands by day: moved, held against what came, added."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from api.forecasts.home_book import HomeSaid
from api.forecasts.states import SUN, USE, Span
from kwartier.interval import QUARTER_S, day_of, local_day
from kwartier.units import EpochS
from optimizer.forecast import Forecast
from optimizer.forecasting.days import LONGEST_DAY
from optimizer.forecasting.history import History
from optimizer.forecasting.methods import SUN_FOLLOW
from optimizer.forecasting.score import Judged, Tally
from optimizer.forecasting.soon import followed, widened
from optimizer.nowcast import DEFAULT_NOWCAST, Follow
from optimizer.problem import FloatArray

FOLLOWS: dict[str, Follow] = {USE: DEFAULT_NOWCAST.use, SUN: SUN_FOLLOW}
"""How the rest of today follows what was measured of it, where all of it is believed."""


def moved(said: HomeSaid, follow: Follow, start_s: EpochS, late_kw: FloatArray) -> FloatArray:
    """Return what was said from a quarter on, the rest of that day moved to where it is now.

    Args:
        said: What was said at midnight.
        follow: How the rest of the day follows.
        start_s: The first quarter [s].
        late_kw: What was measured just before it, shape ``(N,)`` [kW]; NaN where it is not known.

    Returns:
        Likely, low and high from ``start_s`` on [kW].
    """
    whole = said.kw.astype(np.float64)
    first_s, end_s = local_day(day_of(start_s))
    begin, now, end = ((at - said.start_s) // QUARTER_S for at in (first_s, start_s, end_s))
    today = whole[:, begin:end]
    if 0 <= begin < now and not np.isnan(today).any():
        back = min(late_kw.size, now - begin)
        measured = np.full(now - begin, np.nan)
        measured[now - begin - back :] = late_kw[late_kw.size - back :]
        told, following = followed(today, measured, replace(follow, part=said.soon.part))
        rest = told[:, now - begin :]
        narrow = widened(Forecast(rest[0], rest[1], rest[2], rest[0], following), 1.0, said.soon)
        least = 0.0 if float(np.nanmin(whole)) >= 0 else -math.inf
        whole[:, now:end] = np.maximum([narrow.likely, narrow.low, narrow.high], least)
    return whole[:, now:]


def held_on_the_day(before: HomeSaid, follow: Follow, history: History) -> dict[Span, Tally]:
    """Return how what was said a day ago has held; nothing where that was another day."""
    first = (before.start_s - history.start_s) // QUARTER_S
    came = history.kw[max(first, 0) :]
    if first < 0 or not 0 < came.size <= before.kw.shape[1] or came.size > LONGEST_DAY:
        return {}
    whole = before.kw[:, : came.size].astype(np.float64)
    soon = []
    for now in range(0, came.size, 4):
        late_kw = came[max(0, now - 4) : now]
        told = moved(before, follow, before.start_s + now * QUARTER_S, late_kw)[:, :4]
        part = came[now : now + 4]
        soon.append(Judged.in_rows(told[:, : part.size], part))
    return {Span.DAY: Judged.in_rows(whole, came).tally(), Span.SOON: Judged.of(soon).tally()}


def energy_wh(said: HomeSaid, first_s: EpochS, end_s: EpochS) -> int | None:
    """Return what is expected in all quarters of a stretch [Wh]; None where one is not known.

    It is set right by how far two weeks were too high or too low, and at most halved or doubled.
    """
    first, end = ((at_s - said.start_s) // QUARTER_S for at_s in (first_s, end_s))
    part = said.kw[0, max(first, 0) : end]
    if first < 0 or part.size < end - first or np.isnan(part).any():
        return None
    return round(float(part.sum()) * 250 / (1 + min(1.0, max(-0.5, said.lean))))
