"""The plan home by home: what each is expected to use and make, from its own last days."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from api.house import House
from api.planned.kept import Planned
from api.planning.homes import connection_of
from collectors.queries import Period
from kwartier.interval import same_time_before
from optimizer.problem import Boundaries, FloatArray, Problem

DAYS = 7
"""How many days back a home is looked at: enough for a table, and quickly read."""
MOST_HOMES = 300
"""The largest neighbourhood that is told home by home."""
_DAY_S = 86_400


def by_home(house: House, planned: Planned) -> Planned | None:
    """Return a plan in which each home stands by itself, or None where too little is known.

    What all homes together are expected to use and make stays as it was planned: a home with a
    battery has what it was planned with, and each other one the part of the rest that its median
    at that time of day has in the last days.
    """
    names = sorted(house.community.connections)
    if not names or len(names) > MOST_HOMES:
        return None
    use, made = _medians(house, planned, names)
    problem = planned.problem
    alone = _planned_alone(problem)
    others = np.array([name not in alone for name in names], dtype=np.bool_)
    rest = [row for row in range(len(problem.home_ids)) if row not in alone.values()]
    load_kw, pv_kw = np.zeros((2, len(names), problem.steps))
    load_kw[others] = _shared_out(problem.load_kw[rest].sum(axis=0), use[others])
    pv_kw[others] = _shared_out(problem.pv_kw[rest].sum(axis=0), made[others])
    for place, name in enumerate(names):
        if name in alone:
            load_kw[place], pv_kw[place] = problem.load_kw[alone[name]], problem.pv_kw[alone[name]]
    # A home of which nothing is known has no part in a table of homes.
    known = np.flatnonzero(~np.isnan(use).all(axis=1) | ~others)
    if not known.size:
        return None
    spread = _with_homes(problem, tuple(names[row] for row in known), load_kw[known], pv_kw[known])
    cut = _shared_out(planned.made.curtailed_kw.sum(axis=0), pv_kw[known])
    return replace(planned, problem=spread, made=replace(planned.made, curtailed_kw=cut))


def _planned_alone(problem: Problem) -> dict[str, int]:
    """Return the rows of the homes that were planned by themselves, by their connection."""
    named = ((connection_of(name), row) for row, name in enumerate(problem.home_ids))
    return {name: row for name, row in named if name is not None}


def _with_homes(
    problem: Problem, names: tuple[str, ...], load_kw: FloatArray, pv_kw: FloatArray
) -> Problem:
    """Return the problem with other homes; each battery of a home stays behind that home."""
    curtailable = np.full(len(names), bool(problem.curtailable.any()))
    alone = {row: names.index(name) for name, row in _planned_alone(problem).items()}
    moved = np.array([alone.get(int(row), -1) for row in problem.store_home], dtype=np.intp)
    return replace(
        problem,
        home_ids=names,
        load_kw=load_kw,
        pv_kw=pv_kw,
        curtailable=curtailable,
        store_home=moved,
        run_home=np.full_like(problem.run_home, -1),
        boundaries=_fuses(problem.boundaries, alone, len(names)),
        groups=(),
        calls=(),  # the connection's limits know of them already
        call_rewards_eur=(),
    )


def _fuses(whole: Boundaries | None, alone: dict[int, int], count: int) -> Boundaries | None:
    """Return the limits of homes among other homes; those of groups are left out."""
    kept = [
        row
        for row, key in enumerate(() if whole is None else whole.keys)
        if key.partition(".")[0] == "homes"
    ]
    if whole is None or not kept:
        return None
    within = np.zeros((len(kept), count), dtype=np.bool_)
    for row, old in enumerate(kept):
        within[row, [alone[home] for home in np.flatnonzero(whole.homes[old]).tolist()]] = True
    return replace(
        whole,
        keys=tuple(whole.keys[row] for row in kept),
        homes=within,
        stores=whole.stores[kept],
        runs=whole.runs[kept],
        import_limit_kw=whole.import_limit_kw[kept],
        export_limit_kw=whole.export_limit_kw[kept],
    )


def _shared_out(total_kw: FloatArray, parts_kw: FloatArray) -> FloatArray:
    """Return a total over homes by their parts; alike where none of them has any, (H, T) [kW]."""
    parts = np.nan_to_num(parts_kw)
    known = np.asarray(~np.isnan(parts_kw).all(axis=1))
    whole = parts.sum(axis=0)
    alike = np.broadcast_to(known[:, None] / max(1, known.sum()), parts.shape)
    part = np.divide(parts, whole, out=alike.copy(), where=whole > 0)
    shared: FloatArray = total_kw * part
    return shared


def _medians(house: House, planned: Planned, names: list[str]) -> tuple[FloatArray, FloatArray]:
    """Return what each home uses and makes at the plan's times of day, shape (H, T) [kW].

    NaN where nothing is known in the last days.
    """
    first_s = planned.start_s // _DAY_S * _DAY_S - DAYS * _DAY_S
    periods: dict[int, Period] = {}
    for day_s in range(first_s - _DAY_S, planned.start_s, _DAY_S):
        periods[day_s // _DAY_S] = house.records.period(day_s, min(day_s + _DAY_S, planned.start_s))
    steps = planned.problem.steps
    use, made = np.full((2, DAYS, len(names), steps), np.nan)
    for step in range(steps):
        for back in range(1, DAYS + 1):
            then_s = same_time_before(planned.at_s(step), back)
            period = periods.get(then_s // _DAY_S)
            if period is None:
                continue
            for row, name in enumerate(names):
                quarter = period.homes.get(name, {}).get(then_s)
                if quarter is not None and quarter.is_use_known:
                    use[back - 1, row, step] = quarter.use_wh / 250
                    made[back - 1, row, step] = quarter.solar_wh / 250
    return _median(use), _median(made)


def _median(days: FloatArray) -> FloatArray:
    """Return the median over days of what is known; NaN where nothing is."""
    ordered = np.sort(days, axis=0)
    count = (~np.isnan(days)).sum(axis=0)
    low, high = np.maximum((count - 1) // 2, 0), np.minimum(count // 2, days.shape[0] - 1)
    middle: FloatArray = (
        np.take_along_axis(ordered, low[None], axis=0)[0]
        + np.take_along_axis(ordered, high[None], axis=0)[0]
    ) / 2
    return np.where(count > 0, middle, np.nan)
