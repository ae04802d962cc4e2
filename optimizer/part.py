"""A part of a problem: some of its homes and batteries, in the order that they are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optimizer.problem import FloatArray, Grid, Limit, Problem


def part_of(
    problem: Problem, homes: Sequence[str], batteries: Sequence[str], grid: Grid | None = None
) -> Problem:
    """Return the problem of some homes and batteries, behind the same connection or another.

    Args:
        problem: The whole.
        homes: Ids of homes that are in it.
        batteries: Ids of batteries that are in it.
        grid: Their connection; None keeps limits and peak price as they are.
    """
    home = [problem.home_ids.index(name) for name in homes]
    battery = [problem.battery_ids.index(name) for name in batteries]
    part = replace(
        problem,
        home_ids=tuple(homes),
        load_kw=problem.load_kw[home],
        pv_kw=problem.pv_kw[home],
        curtailable=problem.curtailable[home],
        battery_ids=tuple(batteries),
        soc_min_kwh=problem.soc_min_kwh[battery],
        soc_max_kwh=problem.soc_max_kwh[battery],
        soc_start_kwh=problem.soc_start_kwh[battery],
        soc_end_kwh=problem.soc_end_kwh[battery],
        end_value_eur_per_kwh=problem.end_value_eur_per_kwh[battery],
        charge_max_kw=problem.charge_max_kw[battery],
        discharge_max_kw=problem.discharge_max_kw[battery],
        charge_efficiency=problem.charge_efficiency[battery],
        discharge_efficiency=problem.discharge_efficiency[battery],
        wear_eur_per_kwh=problem.wear_eur_per_kwh[battery],
    )
    if grid is None:
        return part
    return replace(
        part,
        import_limit_kw=_spread(grid.import_limit_kw, problem.steps),
        export_limit_kw=_spread(grid.export_limit_kw, problem.steps),
        peak_price_eur_per_kw=grid.peak_price_eur_per_kw,
    )


def _spread(limit: Limit, steps: int) -> FloatArray:
    return np.broadcast_to(np.asarray(limit, dtype=np.float64), (steps,)).copy()
