"""A planning problem as arrays: T steps, H homes, B stores, R machines, K boundaries."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from optimizer.model.boundaries import Boundaries
from optimizer.model.neighbourhood import (
    BoolArray,
    Call,
    FloatArray,
    Group,
    HeatPump,
    RowArray,
    Run,
    Session,
    Sharing,
)
from optimizer.model.nonsense import refuse_nonsense
from optimizer.model.stores import StoreKind


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is to be planned: T steps, H homes, B stores; every number is finite but limits.

    Build it with :func:`optimizer.problem.problem_of`, which spreads limits over the steps; arrays
    are checked here. Whatever keeps energy is a row of the stores, named ``battery`` for what most
    of them are: first all batteries, then cars, then heat pumps
    (see :mod:`optimizer.model.stores`).

    Attributes:
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
    def interval_h(self) -> float:
        """Length of the first step [h]; of all, unless steps are uneven."""
        return float(self.step_h[0])

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
    def curtailable_by_home_kw(self) -> FloatArray:
        """Production that can be cut, by home, shape ``(H, T)`` [kW]."""
        cuttable: FloatArray = np.where(self.curtailable[:, None], self.pv_kw, 0.0)
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


def _strays(values: FloatArray, usual: float) -> bool:
    """Return whether any number is not the usual one; quick where all are one in memory."""
    if values.size == 0:
        return False
    if not any(values.strides):
        return bool(values.flat[0] != usual)
    return bool((values != usual).any())
