"""What a home is expected to use and make that neither its fuse nor its batteries can carry.

A forecast knows of no fuse: one home's sun may be foretold above it, for hours. No plan can change
that, so it is left out at that home, and said by its name. Left in, it would break a limit in the
plan of the whole street, which then is one that gives way and no longer the cheapest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from api.planning.homes import Powers
from kwartier.units import Watt
from optimizer.problem import Battery, FloatArray, Home, Problem, problem_of

ROOM_KW = 1e-5
"""What is left out beyond what has to be, for the tolerance of solvers [kW]."""
_STEP_H = 0.25


def over_fuse(own: Powers, limit_w: Watt, batteries: Sequence[Battery]) -> Powers:
    """Return how much of a home's use and sun passes in no way, shape ``(T,)`` each [kW].

    Its batteries carry what they can, for their home alone and beforehand too: they come to a sunny
    hour as empty as they may be. What is over after that is told; without it they can keep the fuse
    by what is left in them. Several batteries share what the fuse leaves alike, which may tell a
    little more than need be.

    Args:
        own: What it is expected to use and make.
        limit_w: Its fuse, each way.
        batteries: What stands behind it, with what is stored at the start.
    """
    fuse_kw, net_kw = limit_w / 1000, own[0] - own[1]
    over = np.maximum(np.abs(net_kw) - fuse_kw, 0.0)
    none = np.zeros(net_kw.size)
    if not over.any():
        return none, none
    alone = problem_of(_STEP_H, none, none, [Home("home", *own)], batteries)
    at_meter_kw = net_kw
    for row in range(len(batteries)):
        left = _over_after(alone, row, at_meter_kw, over, fuse_kw)
        # What one carries is no more there for the next, nor for what the fuse leaves to it.
        at_meter_kw = at_meter_kw - np.sign(net_kw) * (over - left)
        over = left
    over = np.where(over > 0, over + ROOM_KW, 0.0)
    return (
        np.where(net_kw > 0, np.minimum(over, own[0]), 0.0),
        np.where(net_kw < 0, np.minimum(over, own[1]), 0.0),
    )


def _over_after(
    alone: Problem, row: int, net_kw: FloatArray, over_kw: FloatArray, fuse_kw: float
) -> FloatArray:
    """Return what is over the fuse, shape ``(T,)`` [kW], once a battery carried what it can.

    What may be stored after each step is a range: from what it holds when it gave all it may, to
    what it holds when it took all. Only where the whole range is too full, or too empty, for what
    must be carried is something over.
    """
    start = float(alone.soc_start_kwh[row])
    least = min(start, float(alone.soc_min_kwh[row, 0]))
    most = max(start, float(alone.soc_max_kwh[row, 0]))
    stored = _STEP_H * float(alone.charge_efficiency[row])
    taken = _STEP_H / float(alone.discharge_efficiency[row])
    takes, gives = float(alone.charge_max_kw[row, 0]), float(alone.discharge_max_kw[row, 0])
    batteries = len(alone.battery_ids)
    low = high = start
    left = np.zeros(net_kw.size)
    for step, (net, need) in enumerate(zip(net_kw.tolist(), over_kw.tolist(), strict=True)):
        must_take, must_give = (need, 0.0) if net < 0 else (0.0, need)
        share = 2 * fuse_kw / batteries
        may_take = must_take + (share if must_take else max(0.0, fuse_kw - net) / batteries)
        may_give = must_give + (share if must_give else max(0.0, fuse_kw + net) / batteries)
        if must_take:
            fits = min(must_take, takes, (most - low) / stored)
            low += fits * stored
            high = max(low, min(most, high + min(may_take, takes) * stored))
        elif must_give:
            fits = min(must_give, gives, (high - least) / taken)
            high -= fits * taken
            low = min(high, max(least, low - min(may_give, gives) * taken))
        else:
            fits = 0.0
            low = max(least, low - min(may_give, gives) * taken)
            high = min(most, high + min(may_take, takes) * stored)
        left[step] = max(0.0, need - fits)
    return left
