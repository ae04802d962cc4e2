"""A piece of a backtest: one way of steering over one month, by whatever process is free."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from api.backtest.question import Question, packed, question_in, walked_arrays
from optimizer.backtest.foresight import ByMethods, First, Foresight, Usual
from optimizer.backtest.minding import Minding
from optimizer.backtest.outcome import foreseen
from optimizer.backtest.policies import POLICIES, Minds, Plans, Policy
from optimizer.backtest.ranges import DAYS, Ranges
from optimizer.backtest.stores import stores_of
from optimizer.backtest.walk import BEYOND, HORIZON, Stretch, Walk
from optimizer.forecast import DAY
from optimizer.rolling import Rolling

FORECAST = "forecast"
"""The piece that tells how good the forecasts were."""
USUAL = "usual"
"""What was usual at that time of day is expected; else a blend that learns by the day."""
_PATIENCE_S = 5.0
_BOUND_PATIENCE_S = 600.0
"""One plan for a whole month takes its time: what is not the least is no bound."""
_ASKED_EVERY = 48
"""The blend is asked twice a day, and follows the meter in between."""


def piece_name(policy: str, month: str) -> str:
    """Return the name of a piece."""
    return f"{policy}.{month}"


def played(piece: str, folder: str) -> bytes:
    """Play a piece of the question in a folder, and return its arrays as a file's content.

    Args:
        piece: Its name.
        folder: Where the question stands.
    """
    question = question_in(folder)
    policy, month = piece.rsplit(".", 1)
    stretch = question.stretches()[month]
    foresight = foresight_for(question, stretch)
    if policy == FORECAST:
        told = foreseen(question.course, stretch, foresight)
        return packed(use=np.array(told.use), sun=np.array(told.sun))
    chosen = POLICIES[policy]
    at_once = chosen.plans is Plans.AT_ONCE
    rolling = Rolling(time_limit_s=_BOUND_PATIENCE_S if at_once else _PATIENCE_S)
    walk = Walk(
        question.course,
        stores_of(question.batteries),
        question.connection,
        chosen,
        foresight,
        rolling.plan,
        time.perf_counter,
        _minding(question, stretch, chosen, rolling),
    )
    return walked_arrays(walk.over(stretch))


def _minding(
    question: Question, stretch: Stretch, policy: Policy, rolling: Rolling
) -> Minding | None:
    """Return who plans for a way of steering that minds errors; None for any other."""
    if policy.minds is Minds.NOTHING:
        return None
    earlier = replace(stretch, warm_up=stretch.warm_up + DAYS * DAY)
    ranges = Ranges(question.course, foresight_for(question, earlier), HORIZON)
    return Minding(policy.minds, ranges, rolling)


def foresight_for(question: Question, stretch: Stretch) -> Foresight:
    """Return what can be expected over a stretch, the days that warm up and lie ahead included."""
    first = max(0, stretch.first - stretch.warm_up)
    end = min(question.course.quarters, stretch.end + max(HORIZON, BEYOND))
    usual = Usual(question.course, first, end)
    if question.forecast == USUAL:
        return usual
    from optimizer.forecasting.clear_sky import ClearSky
    from optimizer.forecasting.methods import load_blend, sun_blend

    blend = ByMethods(question.course, load_blend(), sun_blend(ClearSky()), every=_ASKED_EVERY)
    return First(blend, usual)
