"""The planning problem: homes, batteries and one connection over T steps, as arrays.

Units: kW, kWh, EUR and h. Powers are on the AC side. A limit may be one number or one a step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kwartier.errors import InputError
from optimizer.boundaries import (
    Boundaries,
    boundaries_of,
    call_reward_eur,
    lowered,
    refuse_odd_calls,
)
from optimizer.neighbourhood import (
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
from optimizer.nonsense import MAX_SIZE, refuse_nonsense, refuse_odd_steps, refuse_twice
from optimizer.runs import refuse_odd_runs
from optimizer.spread import bounded_number, home_row, limit_of, series_of
from optimizer.stores import StoreKind, stores_of

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


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is to be planned: T steps, H homes, B stores; every number is finite but limits.

    Build it with :func:`problem_of`, which spreads limits over the steps; arrays are checked here.
    Whatever keeps energy is a row of the stores, named ``battery`` for what most of them are: first
    all batteries, then cars, then heat pumps (see :mod:`optimizer.stores`).

    Attributes:
        interval_h: Length of the first step [h]; of all, unless steps are uneven.
        buy_eur_per_kwh: Price of import, shape ``(T,)``.
        sell_eur_per_kwh: Price of export, shape ``(T,)``.
        home_ids: Names of the homes.
        load_kw: Use of the homes, shape ``(H, T)``.
        pv_kw: Possible production of the homes, shape ``(H, T)``.
        curtailable: Whether a home's production can be cut, shape ``(H,)``.
        battery_ids: Names of the stores; unique among those of one kind.
        soc_min_kwh: Lower edge of the band after each step, shape ``(B, T)``.
        soc_max_kwh: Upper edge of the band after each step, shape ``(B, T)``.
        soc_start_kwh: Stored before the first step, shape ``(B,)``.
        soc_end_kwh: Wanted after the last step, shape ``(B,)``; NaN where the end is free.
        end_value_eur_per_kwh: Worth of what is stored at a free end, shape ``(B,)``.
        charge_max_kw: Shape ``(B, T)``.
        discharge_max_kw: Shape ``(B, T)``.
        charge_efficiency: Shape ``(B,)``.
        discharge_efficiency: Shape ``(B,)``.
        wear_eur_per_kwh: Shape ``(B,)``.
        import_limit_kw: Shape ``(T,)``; infinite where there is none.
        export_limit_kw: Shape ``(T,)``; infinite where there is none.
        peak_price_eur_per_kw: Price of the highest import of the horizon.
        exclusive: Whether a battery may never charge and discharge in one step.
        step_h: Length of each step, shape ``(T,)`` [h].
        store_kinds: What each store is.
        store_home: The row of the home it stands behind, shape ``(B,)``; -1 for none.
        cop: Stored per charged kWh beside the charge efficiency, shape ``(B, T)``.
        retention: Part of what is stored that is kept over a step, shape ``(B, T)``.
        drain_kw: Taken from the store whatever the plan, shape ``(B, T)`` [kW].
        charge_min_kw: Charges with at least this or not at all, shape ``(B, T)``; 0 for any.
        reserve_kwh: Kept for outages after each step, shape ``(B, T)``; 0 for none; never above
            the band.
        reserve_price_eur: What one kWh short of the reserve costs an hour, shape ``(B,)``; NaN
            where it gives way to limits only.
        peak_so_far_kw: Only what import goes over this costs the peak price.
        sessions: The cars as they were given, in the order of their rows.
        heat_pumps: The heat pumps as they were given, in the order of their rows.
        runs: Machines that run once, R of them.
        run_home: The row of the home a machine stands behind, shape ``(R,)``; -1 for none.
        boundaries: Limits of homes and groups; None where there are none.
        groups: Groups as they were given.
        calls: Windows in which less is carried; the limits above already know of them.
        call_rewards_eur: What each call pays.
        sharing: How homes with meters of their own share; None where all are one connection.

    Raises:
        InputError: A number makes no sense; the message names its key and the remedy.
    """

    interval_h: float
    buy_eur_per_kwh: FloatArray
    sell_eur_per_kwh: FloatArray
    home_ids: tuple[str, ...]
    load_kw: FloatArray
    pv_kw: FloatArray
    curtailable: BoolArray
    battery_ids: tuple[str, ...]
    soc_min_kwh: FloatArray
    soc_max_kwh: FloatArray
    soc_start_kwh: FloatArray
    soc_end_kwh: FloatArray
    end_value_eur_per_kwh: FloatArray
    charge_max_kw: FloatArray
    discharge_max_kw: FloatArray
    charge_efficiency: FloatArray
    discharge_efficiency: FloatArray
    wear_eur_per_kwh: FloatArray
    import_limit_kw: FloatArray
    export_limit_kw: FloatArray
    peak_price_eur_per_kw: float
    exclusive: bool = field(default=False, kw_only=True)
    step_h: FloatArray = field(kw_only=True)
    store_kinds: tuple[StoreKind, ...] = field(kw_only=True)
    store_home: RowArray = field(kw_only=True)
    cop: FloatArray = field(kw_only=True)
    retention: FloatArray = field(kw_only=True)
    drain_kw: FloatArray = field(kw_only=True)
    charge_min_kw: FloatArray = field(kw_only=True)
    reserve_kwh: FloatArray = field(kw_only=True)
    reserve_price_eur: FloatArray = field(kw_only=True)
    peak_so_far_kw: float = field(default=0.0, kw_only=True)
    sessions: tuple[Session, ...] = field(default=(), kw_only=True)
    heat_pumps: tuple[HeatPump, ...] = field(default=(), kw_only=True)
    runs: tuple[Run, ...] = field(default=(), kw_only=True)
    run_home: RowArray = field(kw_only=True)
    boundaries: Boundaries | None = field(default=None, kw_only=True)
    groups: tuple[Group, ...] = field(default=(), kw_only=True)
    calls: tuple[Call, ...] = field(default=(), kw_only=True)
    call_rewards_eur: tuple[float, ...] = field(default=(), kw_only=True)
    sharing: Sharing | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        refuse_nonsense(self)

    @property
    def steps(self) -> int:
        """The number of steps, T."""
        return self.buy_eur_per_kwh.size

    @property
    def residual_kw(self) -> FloatArray:
        """Use minus possible production of all homes, shape ``(T,)`` [kW]."""
        residual: FloatArray = self.load_kw.sum(axis=0) - self.pv_kw.sum(axis=0)
        return residual

    @property
    def curtailable_kw(self) -> FloatArray:
        """Production that can be cut, shape ``(T,)`` [kW]."""
        cuttable: FloatArray = self.pv_kw[self.curtailable].sum(axis=0)
        return cuttable

    @property
    def end_is_fixed(self) -> BoolArray:
        """Whether a battery has a wanted end, shape ``(B,)``."""
        return ~np.isnan(self.soc_end_kwh)

    @property
    def gain(self) -> FloatArray:
        """Stored per charged kWh, shape ``(B, T)``."""
        found: FloatArray = self.charge_efficiency[:, None] * self.cop
        return found

    @property
    def firm_reserve_cells(self) -> RowArray:
        """Where a reserve gives way to limits only: battery times steps plus step."""
        if not _strays(self.reserve_kwh, 0.0):
            return np.zeros(0, dtype=np.intp)
        firm = (self.reserve_kwh > self.soc_min_kwh) & np.isnan(self.reserve_price_eur)[:, None]
        return np.flatnonzero(firm)

    @property
    def floor_kwh(self) -> FloatArray:
        """The least that is to be stored, firm reserves included, shape ``(B, T)`` [kWh]."""
        cells = self.firm_reserve_cells
        if not cells.size:
            return self.soc_min_kwh
        floor = self.soc_min_kwh.copy()
        floor.flat[cells] = self.reserve_kwh.ravel()[cells]
        return floor

    @property
    def is_even(self) -> bool:
        """Whether all steps are as long."""
        return bool((self.step_h == self.step_h[0]).all())

    @property
    def is_one_connection(self) -> bool:
        """Whether only stores, panels and the one connection are to be planned.

        Not so with limits of homes or groups, with machines that wait, or with meters that share.
        """
        return self.boundaries is None and self.sharing is None and not self.runs

    @property
    def priced_reserve_cells(self) -> RowArray:
        """Where a reserve gives way to money too: battery times steps plus step."""
        if not _strays(self.reserve_kwh, 0.0):
            return np.zeros(0, dtype=np.intp)
        priced = (self.reserve_kwh > self.soc_min_kwh) & ~np.isnan(self.reserve_price_eur)[:, None]
        return np.flatnonzero(priced)

    @property
    def keeps_all(self) -> bool:
        """Whether stores lose nothing by themselves and gain by their efficiency alone."""
        return not (_strays(self.retention, 1.0) or _strays(self.drain_kw, 0.0) or self.heat_pumps)


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
        interval_h=float(step_h[0]),
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


def _strays(values: FloatArray, usual: float) -> bool:
    """Return whether any number is not the usual one; quick where all are one in memory."""
    if values.size == 0:
        return False
    if not any(values.strides):
        return bool(values.flat[0] != usual)
    return bool((values != usual).any())
