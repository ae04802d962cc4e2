"""A part of a problem: some of its homes and batteries, in the order that they are named."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from optimizer.model.boundaries import Boundaries
from optimizer.model.spread import limit_of
from optimizer.problem import Grid, Problem, StoreKind


def batteries_of(problem: Problem) -> list[str]:
    """Return the ids of the stores that are batteries, in order."""
    kinds = zip(problem.battery_ids, problem.store_kinds, strict=True)
    return [name for name, kind in kinds if kind is StoreKind.BATTERY]


def batteries_behind(problem: Problem, homes: Collection[str]) -> list[str]:
    """Return the ids of the batteries that stand behind some homes, in order."""
    rows = {problem.home_ids.index(name) for name in homes}
    known = batteries_of(problem)
    at = problem.store_home.tolist()
    return [name for row, name in enumerate(known) if at[row] in rows]


def part_of(
    problem: Problem, homes: Sequence[str], batteries: Sequence[str], grid: Grid | None = None
) -> Problem:
    """Return the problem of some homes and batteries, behind the same connection or another.

    Cars, heat pumps and machines go with the home they stand behind; those of no home stay where
    the connection stays.

    Args:
        problem: The whole.
        homes: Ids of homes that are in it.
        batteries: Ids of batteries that are in it.
        grid: Their connection; None keeps limits and peak price as they are.

    Raises:
        InputError: A limit of that connection makes no sense.
    """
    home = [problem.home_ids.index(name) for name in homes]
    known = batteries_of(problem)
    row = [known.index(name) for name in batteries]
    row += _others(problem, home, of_all=grid is None)
    place = {old: new for new, old in enumerate(home)}
    cars = len(known)
    pumps = cars + len(problem.sessions)
    runs = _runs(problem, home, of_all=grid is None)
    part = replace(
        problem,
        home_ids=tuple(homes),
        load_kw=problem.load_kw[home],
        pv_kw=problem.pv_kw[home],
        curtailable=problem.curtailable[home],
        battery_ids=tuple(problem.battery_ids[one] for one in row),
        soc_min_kwh=problem.soc_min_kwh[row],
        soc_max_kwh=problem.soc_max_kwh[row],
        soc_start_kwh=problem.soc_start_kwh[row],
        soc_end_kwh=problem.soc_end_kwh[row],
        end_value_eur_per_kwh=problem.end_value_eur_per_kwh[row],
        charge_max_kw=problem.charge_max_kw[row],
        discharge_max_kw=problem.discharge_max_kw[row],
        charge_efficiency=problem.charge_efficiency[row],
        discharge_efficiency=problem.discharge_efficiency[row],
        wear_eur_per_kwh=problem.wear_eur_per_kwh[row],
        store_kinds=tuple(problem.store_kinds[one] for one in row),
        store_home=np.array([place.get(int(problem.store_home[one]), -1) for one in row], np.intp),
        cop=problem.cop[row],
        retention=problem.retention[row],
        drain_kw=problem.drain_kw[row],
        charge_min_kw=problem.charge_min_kw[row],
        reserve_kwh=problem.reserve_kwh[row],
        reserve_price_eur=problem.reserve_price_eur[row],
        sessions=tuple(problem.sessions[one - cars] for one in row if cars <= one < pumps),
        heat_pumps=tuple(problem.heat_pumps[one - pumps] for one in row if one >= pumps),
        runs=tuple(problem.runs[one] for one in runs),
        run_home=np.array([place.get(int(problem.run_home[one]), -1) for one in runs], np.intp),
        boundaries=_boundaries(problem.boundaries, home, row, runs, of_all=grid is None),
    )
    if grid is None:
        return part
    return replace(
        part,
        import_limit_kw=limit_of("grid.import_limit_kw", grid.import_limit_kw, problem.steps),
        export_limit_kw=limit_of("grid.export_limit_kw", grid.export_limit_kw, problem.steps),
        peak_price_eur_per_kw=grid.peak_price_eur_per_kw,
        peak_so_far_kw=grid.peak_so_far_kw,
        groups=(),
        calls=(),
        call_rewards_eur=(),
        sharing=None,
    )


def _others(problem: Problem, homes: Sequence[int], *, of_all: bool) -> list[int]:
    """Return the rows of cars and heat pumps of some homes, each kind in order of id."""
    behind = {*homes, -1} if of_all else set(homes)
    found: list[int] = []
    for kind in (StoreKind.SESSION, StoreKind.HEAT_PUMP):
        rows = [
            row
            for row, each in enumerate(problem.store_kinds)
            if each is kind and int(problem.store_home[row]) in behind
        ]
        found += sorted(rows, key=lambda row: problem.battery_ids[row])
    return found


def _runs(problem: Problem, homes: Sequence[int], *, of_all: bool) -> list[int]:
    """Return the rows of machines of some homes, in order of id."""
    behind = {*homes, -1} if of_all else set(homes)
    rows = [row for row, home in enumerate(problem.run_home.tolist()) if home in behind]
    return sorted(rows, key=lambda row: problem.runs[row].id)


def _boundaries(
    whole: Boundaries | None,
    homes: Sequence[int],
    stores: Sequence[int],
    runs: Sequence[int],
    *,
    of_all: bool,
) -> Boundaries | None:
    """Return the limits around what is left; behind another connection only those of homes."""
    if whole is None:
        return None
    holds = whole.homes[:, homes].any(axis=1) | whole.stores[:, stores].any(axis=1)
    if not of_all:
        holds &= np.array([key.startswith("homes.") for key in whole.keys])
    kept = np.flatnonzero(holds)
    if not kept.size:
        return None
    return Boundaries(
        tuple(whole.keys[one] for one in kept),
        whole.homes[kept][:, homes],
        whole.stores[kept][:, stores],
        whole.runs[kept][:, runs],
        whole.import_limit_kw[kept],
        whole.export_limit_kw[kept],
    )
