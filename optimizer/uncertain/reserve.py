"""Room kept for errors: at the limits of the connection, and in what is stored to hold them.

A limit is planned a little tighter, by the error that is passed one time in ten. Where an error
could bring the homes themselves over a limit, the batteries keep energy, or room, to hold it for
as long as errors last. Without limits nothing changes.

Where a layer below the plan follows the meter, batteries stop charging before a limit is passed,
and only what is stored needs room.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.problem import FloatArray, Problem, StoreKind
from optimizer.uncertain.paths import LASTS_H
from optimizer.uncertain.scenarios import Range


def guarded(
    problem: Problem, told: Range, part: float = 1.0, *, is_tracked: bool = False
) -> Problem:
    """Return the problem with room for errors; the same object where it has no limit to keep.

    Args:
        problem: What is expected.
        told: How far what comes may be off.
        part: Which part of the room is kept.
        is_tracked: Whether the meter is followed, so that limits are left as they are.
    """
    limits = problem.import_limit_kw, problem.export_limit_kw
    if not any(np.isfinite(limit).any() for limit in limits) or not problem.battery_ids:
        return problem
    more, less = part * told.more_kw, part * told.less_kw
    low, high = _band(problem, more, less)
    banded = replace(problem, soc_min_kwh=low, soc_max_kwh=high)
    if is_tracked:
        return banded
    return replace(
        banded,
        import_limit_kw=np.maximum(problem.import_limit_kw - more, 0.0),
        export_limit_kw=np.maximum(problem.export_limit_kw - less, 0.0),
    )


def _band(
    problem: Problem, more_kw: FloatArray, less_kw: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the band of stored energy with what holds errors kept, shape ``(B, T)`` each."""
    residual = problem.residual_kw
    over = np.clip(residual + more_kw - problem.import_limit_kw, 0.0, more_kw)
    spare = less_kw - residual - problem.curtailable_kw
    under = np.clip(spare - problem.export_limit_kw, 0.0, less_kw)
    is_battery = np.array([kind is StoreKind.BATTERY for kind in problem.store_kinds])
    low, high = problem.soc_min_kwh, problem.soc_max_kwh
    width = np.where(is_battery[:, None], high - low, 0.0)
    share = width / np.maximum(width.sum(axis=0), 1e-12)
    give = share * _still_to_come_kwh(problem, over) / problem.discharge_efficiency[:, None]
    take = share * _still_to_come_kwh(problem, under) * problem.charge_efficiency[:, None]
    # Both together are never more than the band; and for the first step it is too late.
    give, take = np.minimum(give, width / 2), np.minimum(take, width / 2)
    give[:, 0] = take[:, 0] = 0.0
    return low + give, np.maximum(high - take, problem.floor_kwh)


def _still_to_come_kwh(problem: Problem, over_kw: FloatArray) -> FloatArray:
    """Return the energy of errors after each step, as long as they last, shape ``(T,)``."""
    ends_h = np.cumsum(problem.step_h)
    until = np.searchsorted(ends_h, ends_h + LASTS_H - 1e-9, side="left")
    summed = np.concatenate([[0.0], np.cumsum(over_kw * problem.step_h)])
    found: FloatArray = summed[np.minimum(until, ends_h.size - 1) + 1] - summed[1:]
    return found
