"""The planning problem: homes, batteries and one connection over T steps, as arrays.

Units: kW, kWh, EUR and h. Powers are on the AC side. A limit may be one number or one a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from kwartier.errors import InputError
from optimizer.nonsense import refuse_nonsense

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Limit: TypeAlias = "float | Sequence[float] | FloatArray"
"""One number for all steps, or one a step."""


@dataclass(frozen=True, slots=True)
class Home:
    """A home, or anything else behind the connection that uses or makes power.

    Attributes:
        id: Its name, unique among homes.
        load_kw: What it uses, shape ``(T,)`` [kW].
        pv_kw: What its panels can make, shape ``(T,)`` [kW]; None where there are none.
        pv_curtailable: Whether the panels can be told to make less.
    """

    id: str
    load_kw: Sequence[float] | FloatArray
    pv_kw: Sequence[float] | FloatArray | None = None
    pv_curtailable: bool = False


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery and what is stored in it at the start.

    Attributes:
        id: Its name, unique among batteries.
        soc_min_kwh: Stored energy at the end of a step is at least this [kWh].
        soc_max_kwh: Stored energy at the end of a step is at most this [kWh].
        soc_start_kwh: Stored energy before the first step [kWh].
        charge_max_kw: Most charging power [kW].
        discharge_max_kw: Most discharging power [kW].
        charge_efficiency: Stored per charged kWh, in (0, 1].
        discharge_efficiency: Delivered per kWh taken out, in (0, 1].
        soc_end_kwh: Stored energy after the last step [kWh]; None leaves the end free.
        end_value_eur_per_kwh: Worth of stored energy after the last step, where the end is free.
        wear_eur_per_kwh: Cost of discharging [EUR/kWh].
    """

    id: str
    soc_min_kwh: Limit
    soc_max_kwh: Limit
    soc_start_kwh: float
    charge_max_kw: Limit
    discharge_max_kw: Limit
    charge_efficiency: float
    discharge_efficiency: float
    soc_end_kwh: float | None = None
    end_value_eur_per_kwh: float = 0.0
    wear_eur_per_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class Grid:
    """The connection: its limits [kW] and what its highest import costs [EUR/kW]."""

    import_limit_kw: Limit = np.inf
    export_limit_kw: Limit = np.inf
    peak_price_eur_per_kw: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is to be planned: T steps, H homes, B batteries; every number is finite but limits.

    Build it with :func:`problem_of`, which spreads limits over the steps; arrays are checked here.

    Attributes:
        interval_h: Length of a step [h].
        buy_eur_per_kwh: Price of import, shape ``(T,)``.
        sell_eur_per_kwh: Price of export, shape ``(T,)``.
        home_ids: Names of the homes.
        load_kw: Use of the homes, shape ``(H, T)``.
        pv_kw: Possible production of the homes, shape ``(H, T)``.
        curtailable: Whether a home's production can be cut, shape ``(H,)``.
        battery_ids: Names of the batteries.
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


def problem_of(
    interval_h: float,
    buy_eur_per_kwh: Sequence[float] | FloatArray,
    sell_eur_per_kwh: Sequence[float] | FloatArray,
    homes: Sequence[Home] = (),
    batteries: Sequence[Battery] = (),
    grid: Grid | None = None,
    *,
    exclusive: bool = False,
) -> Problem:
    """Return the arrays of homes, batteries and a connection.

    Args:
        interval_h: Length of a step [h].
        buy_eur_per_kwh: Price of import, shape ``(T,)`` [EUR/kWh].
        sell_eur_per_kwh: Price of export, shape ``(T,)`` [EUR/kWh].
        homes: Who uses and makes power.
        batteries: What can be steered.
        grid: The connection; None is one without limits and without a price for the peak.
        exclusive: Forbid charging and discharging in one step.

    Raises:
        InputError: A number makes no sense; the message names its key and the remedy.
    """
    buy = np.array(buy_eur_per_kwh, dtype=np.float64)
    count = buy.size
    grid = Grid() if grid is None else grid
    loads = [_series(f"homes.{home.id}.load_kw", home.load_kw, count) for home in homes]
    pvs = [
        np.zeros(count)
        if home.pv_kw is None
        else _series(f"homes.{home.id}.pv_kw", home.pv_kw, count)
        for home in homes
    ]

    def limits(name: str, values: list[Limit]) -> FloatArray:
        rows = [
            _limit(f"batteries.{battery.id}.{name}", value, count)
            for battery, value in zip(batteries, values, strict=True)
        ]
        return _stacked(rows, count)

    return Problem(
        interval_h=interval_h,
        buy_eur_per_kwh=buy,
        sell_eur_per_kwh=_series("sell_eur_per_kwh", sell_eur_per_kwh, count),
        home_ids=tuple(home.id for home in homes),
        load_kw=_stacked(loads, count),
        pv_kw=_stacked(pvs, count),
        curtailable=np.array([home.pv_curtailable for home in homes], dtype=np.bool_),
        battery_ids=tuple(battery.id for battery in batteries),
        soc_min_kwh=limits("soc_min_kwh", [battery.soc_min_kwh for battery in batteries]),
        soc_max_kwh=limits("soc_max_kwh", [battery.soc_max_kwh for battery in batteries]),
        soc_start_kwh=_column([battery.soc_start_kwh for battery in batteries]),
        soc_end_kwh=_column(
            [np.nan if one.soc_end_kwh is None else _wanted(one) for one in batteries]
        ),
        end_value_eur_per_kwh=_column([one.end_value_eur_per_kwh for one in batteries]),
        charge_max_kw=limits("charge_max_kw", [one.charge_max_kw for one in batteries]),
        discharge_max_kw=limits("discharge_max_kw", [one.discharge_max_kw for one in batteries]),
        charge_efficiency=_column([one.charge_efficiency for one in batteries]),
        discharge_efficiency=_column([one.discharge_efficiency for one in batteries]),
        wear_eur_per_kwh=_column([one.wear_eur_per_kwh for one in batteries]),
        import_limit_kw=_limit("grid.import_limit_kw", grid.import_limit_kw, count),
        export_limit_kw=_limit("grid.export_limit_kw", grid.export_limit_kw, count),
        peak_price_eur_per_kw=grid.peak_price_eur_per_kw,
        exclusive=exclusive,
    )


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


def _series(key: str, values: Sequence[float] | FloatArray, count: int) -> FloatArray:
    series = np.array(values, dtype=np.float64)
    if series.shape != (count,):
        raise InputError(
            f"{key} has {series.size} values where buy_eur_per_kwh has {count}: give one a step"
        )
    return series


def _limit(key: str, value: Limit, count: int) -> FloatArray:
    if isinstance(value, (int, float)):
        return np.full(count, float(value))
    return _series(key, value, count)
