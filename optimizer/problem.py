"""Makes the arrays of a planning problem from its parts: limits spread, names looked up.

Units: kW, kWh, EUR and h. Powers are on the AC side. A limit may be one number or one a step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kwartier.errors import InputError
from optimizer.model.arrays import Problem
from optimizer.model.boundaries import (
    Boundaries,
    boundaries_of,
    call_reward_eur,
    lowered,
    refuse_odd_calls,
)
from optimizer.model.neighbourhood import (
    Battery,
    BoolArray,
    Call,
    FloatArray,
    Grid,
    Group,
    HeatPump,
    Home,
    Limit,
    RowArray,
    Run,
    Session,
    Sharing,
)
from optimizer.model.nonsense import MAX_SIZE, refuse_odd_steps, refuse_twice
from optimizer.model.runs import refuse_odd_runs
from optimizer.model.spread import bounded_number, home_row, limit_of, series_of
from optimizer.model.stores import StoreKind, stores_of

__all__ = [
    "Battery",
    "BoolArray",
    "Boundaries",
    "Call",
    "FloatArray",
    "Grid",
    "Group",
    "HeatPump",
    "Home",
    "Limit",
    "Problem",
    "RowArray",
    "Run",
    "Session",
    "Sharing",
    "StoreKind",
    "problem_of",
]


def problem_of(
    interval_h: float | Sequence[float] | FloatArray,
    buy_eur_per_kwh: Sequence[float] | FloatArray,
    sell_eur_per_kwh: Sequence[float] | FloatArray,
    homes: Sequence[Home] = (),
    batteries: Sequence[Battery] = (),
    grid: Grid | None = None,
    *,
    exclusive: bool = False,
    sessions: Sequence[Session] = (),
    heat_pumps: Sequence[HeatPump] = (),
    runs: Sequence[Run] = (),
    groups: Sequence[Group] = (),
    calls: Sequence[Call] = (),
    sharing: Sharing | None = None,
) -> Problem:
    """Return the arrays of a neighbourhood and its connection.

    Args:
        interval_h: Length of a step, or of each of them [h].
        buy_eur_per_kwh: Price of import, shape ``(T,)`` [EUR/kWh].
        sell_eur_per_kwh: Price of export, shape ``(T,)`` [EUR/kWh].
        homes: Who uses and makes power.
        batteries: What can be steered.
        grid: The connection; None is one without limits and without a price for the peak.
        exclusive: Forbid charging and discharging in one step.
        sessions: Cars at their chargers.
        heat_pumps: Heat pumps and what they warm.
        runs: Machines that run once and may wait.
        groups: Homes that share a contract for transport.
        calls: Windows in which less is carried than the contract says.
        sharing: How homes with meters of their own share; None for one connection.

    Raises:
        InputError: A number makes no sense; the message names its key and the remedy.
    """
    buy = np.array(buy_eur_per_kwh, dtype=np.float64)
    count = buy.size
    grid = Grid() if grid is None else grid
    loads = [series_of(f"homes.{home.id}.load_kw", home.load_kw, count) for home in homes]
    pvs = [
        np.zeros(count)
        if home.pv_kw is None
        else series_of(f"homes.{home.id}.pv_kw", home.pv_kw, count)
        for home in homes
    ]
    step_h = limit_of("interval_hours", interval_h, count)
    refuse_odd_steps(step_h)
    stores = stores_of(batteries, sessions, heat_pumps, step_h)
    rows = [store.battery for store in stores]
    home_rows = {home.id: row for row, home in enumerate(homes)}
    store_home = _home_rows(
        [(f"{store.kind}.{store.battery.id}", store.battery.home) for store in stores], home_rows
    )
    run_home = _home_rows([(f"runs.{run.id}", run.home) for run in runs], home_rows)
    if runs or groups or calls or sharing:
        _refuse_odd_parts(runs, groups, calls, sharing, count)
    most_in = limit_of("grid.import_limit_kw", grid.import_limit_kw, count)
    most_out = limit_of("grid.export_limit_kw", grid.export_limit_kw, count)
    for call in calls:
        if call.group is None:
            most_in, most_out = lowered(call, most_in, most_out)

    def limits(name: str, values: list[Limit]) -> FloatArray:
        found = [
            limit_of(f"{store.kind}.{store.battery.id}.{name}", value, count)
            for store, value in zip(stores, values, strict=True)
        ]
        return _stacked(found, count)

    def extra(values: list[FloatArray | None], usual: float) -> FloatArray:
        """Return one number a cell; as one number in memory where all are the usual."""
        shape = (len(values), count)
        if all(value is None for value in values):
            return np.broadcast_to(usual, shape)
        return _stacked([np.full(count, usual) if one is None else one for one in values], count)

    return Problem(
        buy_eur_per_kwh=buy,
        sell_eur_per_kwh=series_of("sell_eur_per_kwh", sell_eur_per_kwh, count),
        home_ids=tuple(home.id for home in homes),
        load_kw=_stacked(loads, count),
        pv_kw=_stacked(pvs, count),
        curtailable=np.array([home.pv_curtailable for home in homes], dtype=np.bool_),
        battery_ids=tuple(row.id for row in rows),
        soc_min_kwh=limits("soc_min_kwh", [row.soc_min_kwh for row in rows]),
        soc_max_kwh=limits("soc_max_kwh", [row.soc_max_kwh for row in rows]),
        soc_start_kwh=_column([row.soc_start_kwh for row in rows]),
        soc_end_kwh=_column([np.nan if row.soc_end_kwh is None else _wanted(row) for row in rows]),
        end_value_eur_per_kwh=_column([row.end_value_eur_per_kwh for row in rows]),
        charge_max_kw=limits("charge_max_kw", [row.charge_max_kw for row in rows]),
        discharge_max_kw=limits("discharge_max_kw", [row.discharge_max_kw for row in rows]),
        charge_efficiency=_column([row.charge_efficiency for row in rows]),
        discharge_efficiency=_column([row.discharge_efficiency for row in rows]),
        wear_eur_per_kwh=_column([row.wear_eur_per_kwh for row in rows]),
        import_limit_kw=most_in,
        export_limit_kw=most_out,
        peak_price_eur_per_kw=grid.peak_price_eur_per_kw,
        exclusive=exclusive,
        step_h=step_h,
        store_kinds=tuple(store.kind for store in stores),
        store_home=store_home,
        cop=extra([store.cop for store in stores], 1.0),
        retention=extra([store.retention for store in stores], 1.0),
        drain_kw=extra([store.drain_kw for store in stores], 0.0),
        charge_min_kw=extra([store.charge_min_kw for store in stores], 0.0),
        reserve_kwh=extra([_reserve(row, count) for row in rows], 0.0),
        reserve_price_eur=_column(
            [
                np.nan if row.reserve_price_eur_per_kwh is None else row.reserve_price_eur_per_kwh
                for row in rows
            ]
        ),
        peak_so_far_kw=grid.peak_so_far_kw,
        sessions=tuple(sessions),
        heat_pumps=tuple(heat_pumps),
        runs=tuple(runs),
        run_home=run_home,
        boundaries=boundaries_of(
            homes,
            groups,
            calls,
            {battery.id: row for row, battery in enumerate(batteries)} if groups else {},
            store_home,
            run_home,
            count,
        ),
        groups=tuple(groups),
        calls=tuple(calls),
        call_rewards_eur=tuple(call_reward_eur(call, grid, groups, step_h) for call in calls),
        sharing=sharing,
    )


def _home_rows(parts: Sequence[tuple[str, str | None]], home_rows: Mapping[str, int]) -> RowArray:
    found = np.full(len(parts), -1, dtype=np.intp)
    for row, (place, home) in enumerate(parts):
        if home is not None:
            found[row] = home_row(f"{place}.home", home, home_rows)
    return found


def _refuse_odd_parts(
    runs: Sequence[Run],
    groups: Sequence[Group],
    calls: Sequence[Call],
    sharing: Sharing | None,
    steps: int,
) -> None:
    for kind, parts in (("runs", runs), ("groups", groups), ("calls", calls)):
        refuse_twice(kind, tuple(part.id for part in parts))
    refuse_odd_runs(runs, steps)
    refuse_odd_calls(calls, groups, steps)
    if sharing is not None:
        for name, value, low in (
            ("levy_eur_per_kwh", sharing.levy_eur_per_kwh, 0.0),
            ("price_eur_per_kwh", sharing.price_eur_per_kwh, -MAX_SIZE),
        ):
            bounded_number(f"sharing.{name}", value, low=low, high=MAX_SIZE, unit="EUR/kWh")


def _reserve(battery: Battery, count: int) -> FloatArray | None:
    """Return what a battery keeps for outages; None for nothing."""
    if isinstance(battery.reserve_kwh, (int, float)) and battery.reserve_kwh == 0:
        return None
    place = f"batteries.{battery.id}."
    kept = limit_of(place + "reserve_kwh", battery.reserve_kwh, count)
    most = limit_of(place + "soc_max_kwh", battery.soc_max_kwh, count)
    return np.where(kept > most, most, kept)


def _wanted(battery: Battery) -> float:
    if battery.soc_end_kwh is None or not np.isfinite(battery.soc_end_kwh):
        raise InputError(
            f"batteries.{battery.id}.soc_end_kwh is {battery.soc_end_kwh}: give a finite number, "
            "or leave it out for a free end"
        )
    return battery.soc_end_kwh


def _column(values: Sequence[float]) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _stacked(rows: Sequence[FloatArray], count: int) -> FloatArray:
    return np.array(rows, dtype=np.float64).reshape(len(rows), count)
