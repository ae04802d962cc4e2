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

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Limit: TypeAlias = "float | Sequence[float] | FloatArray"
"""One number for all steps, or one a step."""

MAX_STEPS = 35_136
"""The longest horizon: a leap year of quarter-hours."""
MAX_BATTERY_STEPS = 4_000_000
"""The largest plan: batteries times steps."""
MAX_INTERVAL_H = 24.0
"""The longest step [h]."""
MAX_SIZE = 1e9
"""The largest power, energy or price that is taken for real."""


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
        _check_size(self)
        _check_homes(self)
        _check_batteries(self)
        _check_grid(self)

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


def _check_size(problem: Problem) -> None:
    if not 0 < problem.interval_h <= MAX_INTERVAL_H:
        raise InputError(
            f"interval_hours is {problem.interval_h}: give the length of a step in hours, "
            f"above 0 and at most {MAX_INTERVAL_H:g}, such as 0.25"
        )
    if not 1 <= problem.steps <= MAX_STEPS:
        raise InputError(
            f"buy_eur_per_kwh has {problem.steps} values: give one a step, 1 to {MAX_STEPS}"
        )
    size = problem.steps * max(len(problem.battery_ids), len(problem.home_ids))
    if size > MAX_BATTERY_STEPS:
        raise InputError(
            f"{len(problem.battery_ids)} batteries and {len(problem.home_ids)} homes over "
            f"{problem.steps} steps are too many: at most {MAX_BATTERY_STEPS} of either times "
            "steps; split the neighbourhood or shorten the horizon"
        )
    for kind, ids in (("homes", problem.home_ids), ("batteries", problem.battery_ids)):
        if len(set(ids)) < len(ids):
            twice = next(one for one in ids if ids.count(one) > 1)
            raise InputError(f"{kind} has the id {twice!r} twice: give each its own id")
    for key in ("buy_eur_per_kwh", "sell_eur_per_kwh"):
        prices: FloatArray = getattr(problem, key)
        _refuse_unless(np.abs(prices) <= MAX_SIZE, prices, key, "give a finite price")


def _check_homes(problem: Problem) -> None:
    for row, home in enumerate(problem.home_ids):
        for key, remedy in (
            ("load_kw", "give finite kW of at least 0; production belongs in pv_kw"),
            ("pv_kw", "give finite kW of at least 0; use belongs in load_kw"),
        ):
            values: FloatArray = getattr(problem, key)[row]
            ok = (values >= 0) & (values <= MAX_SIZE)
            _refuse_unless(ok, values, f"homes.{home}.{key}", remedy)


def _check_batteries(problem: Problem) -> None:
    for key in ("soc_min_kwh", "soc_max_kwh", "charge_max_kw", "discharge_max_kw", "soc_start_kwh"):
        _check_each(problem, key, low=0.0, remedy="give a finite number of at least 0")
    _check_each(problem, "wear_eur_per_kwh", low=0.0, remedy="give a finite price of at least 0")
    _check_each(problem, "end_value_eur_per_kwh", low=-MAX_SIZE, remedy="give a finite price")
    for key in ("charge_efficiency", "discharge_efficiency"):
        values: FloatArray = getattr(problem, key)
        for row, battery in enumerate(problem.battery_ids):
            ok = (values[row : row + 1] >= 1e-6) & (values[row : row + 1] <= 1)
            remedy = "give a fraction above 0 and at most 1, such as 0.96"
            _refuse_unless(ok, values[row : row + 1], f"batteries.{battery}.{key}", remedy)
    for row, battery in enumerate(problem.battery_ids):
        end = problem.soc_end_kwh[row]
        if not (np.isnan(end) or 0 <= end <= MAX_SIZE):
            raise InputError(
                f"batteries.{battery}.soc_end_kwh is {end}: give a finite number of at least 0, "
                "or leave it out for a free end"
            )
        crossed = problem.soc_min_kwh[row] > problem.soc_max_kwh[row]
        if crossed.any():
            step = int(np.argmax(crossed))
            raise InputError(
                f"batteries.{battery}.soc_min_kwh is {problem.soc_min_kwh[row, step]:g} at step "
                f"{step}, above soc_max_kwh {problem.soc_max_kwh[row, step]:g}: lower the one or "
                "raise the other"
            )


def _check_each(problem: Problem, key: str, *, low: float, remedy: str) -> None:
    values: FloatArray = getattr(problem, key)
    ok = (values >= low) & (values <= MAX_SIZE)
    if ok.all():
        return
    row = int(np.argmin(ok.reshape(len(problem.battery_ids), -1).all(axis=1)))
    name = f"batteries.{problem.battery_ids[row]}.{key}"
    _refuse_unless(np.atleast_1d(ok[row]), np.atleast_1d(values[row]), name, remedy)


def _check_grid(problem: Problem) -> None:
    for key in ("import_limit_kw", "export_limit_kw"):
        limits: FloatArray = getattr(problem, key)
        ok = (limits >= 0) & ((limits <= MAX_SIZE) | np.isposinf(limits))
        remedy = "give kW of at least 0, or leave it out for no limit"
        _refuse_unless(ok, limits, f"grid.{key}", remedy)
    if not 0 <= problem.peak_price_eur_per_kw <= MAX_SIZE:
        raise InputError(
            f"grid.peak_price_eur_per_kw is {problem.peak_price_eur_per_kw}: give a finite price "
            "of at least 0"
        )


def _refuse_unless(ok: BoolArray, values: FloatArray, key: str, remedy: str) -> None:
    if not ok.all():
        step = int(np.argmin(ok))
        place = f"{key}[{step}]" if ok.size > 1 else key
        raise InputError(f"{place} is {values[step]:g}: {remedy}")
