"""What there is in a neighbourhood, one part at a time, as it is handed to the planner.

Units: kW, kWh, EUR, h and degrees Celsius. Powers are on the AC side. A limit may be one number or
one a step. A part with a ``home`` stands behind that home's connection; without one it stands at
the neighbourhood's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
RowArray: TypeAlias = npt.NDArray[np.intp]
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
        import_limit_kw: The most its own connection takes [kW].
        export_limit_kw: The most its own connection gives [kW].
    """

    id: str
    load_kw: Sequence[float] | FloatArray
    pv_kw: Sequence[float] | FloatArray | None = None
    pv_curtailable: bool = False
    import_limit_kw: Limit = np.inf
    export_limit_kw: Limit = np.inf


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
        home: The home behind whose connection it stands; None at the neighbourhood's.
        retention_per_hour: What is left after an hour of what was stored, in (0, 1].
        reserve_kwh: Kept for outages; gives way before any limit does [kWh].
        reserve_price_eur_per_kwh: What one kWh short of the reserve costs for each hour; None lets
            it give way to limits only, never to money.
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
    home: str | None = None
    retention_per_hour: float = 1.0
    reserve_kwh: Limit = 0.0
    reserve_price_eur_per_kwh: float | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A car at its charger, from the step it arrives to the step it is gone.

    Attributes:
        id: Its name, unique among sessions.
        arrival: The first step in which it can charge.
        departure: The first step in which it is gone; the number of steps where it stays.
        energy_kwh: Stored in the car when it leaves, what it came with included [kWh].
        charge_max_kw: Most charging power [kW].
        home: The home behind whose connection it stands; None at the neighbourhood's.
        minimum_kwh: Stored as soon as the charger can, whatever it costs [kWh].
        charge_min_kw: It charges with at least this, or not at all [kW].
        charge_efficiency: Stored per charged kWh, in (0, 1].
        discharge_max_kw: What it can give back [kW].
        discharge_efficiency: Delivered per kWh taken out, in (0, 1].
        capacity_kwh: The most it holds [kWh]; None where it takes no more than it needs.
        start_kwh: Stored when it arrives [kWh].
    """

    id: str
    arrival: int
    departure: int
    energy_kwh: float
    charge_max_kw: Limit
    home: str | None = None
    minimum_kwh: float = 0.0
    charge_min_kw: float = 0.0
    charge_efficiency: float = 1.0
    discharge_max_kw: Limit = 0.0
    discharge_efficiency: float = 1.0
    capacity_kwh: float | None = None
    start_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class HeatPump:
    """A heat pump and what it warms, a house or a tank, as one mass of one temperature.

    Attributes:
        id: Its name, unique among heat pumps.
        power_max_kw: Most electric power [kW].
        cop: Heat per electric kWh.
        capacity_kwh_per_k: Heat that warms it by one degree [kWh/K].
        loss_kw_per_k: Heat it loses for each degree above outside [kW/K].
        outside_c: Temperature outside [degrees C].
        start_c: Temperature before the first step [degrees C].
        min_c: After each step it is at least this warm [degrees C].
        max_c: After each step it is at most this warm [degrees C].
        home: The home behind whose connection it stands; None at the neighbourhood's.
        power_min_kw: It runs with at least this, or not at all [kW].
        demand_kw: Heat that is drawn from it, such as hot water [kW].
    """

    id: str
    power_max_kw: Limit
    cop: Limit
    capacity_kwh_per_k: float
    loss_kw_per_k: float
    outside_c: Limit
    start_c: float
    min_c: Limit
    max_c: Limit
    home: str | None = None
    power_min_kw: float = 0.0
    demand_kw: Limit = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """A machine that runs once and may wait, such as a dishwasher.

    Attributes:
        id: Its name, unique among runs.
        power_kw: What it uses in each step from its start [kW].
        earliest: The first step in which it may start.
        latest_end: The first step in which it has to be done.
        home: The home behind whose connection it stands; None at the neighbourhood's.
    """

    id: str
    power_kw: Sequence[float] | FloatArray
    earliest: int
    latest_end: int
    home: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Homes and batteries that share one contract for transport.

    Attributes:
        id: Its name, unique among groups.
        homes: Its members; what stands behind their connections belongs to it.
        batteries: Batteries at the neighbourhood's own connection that belong to it.
        import_limit_kw: The most its members take together [kW].
        export_limit_kw: The most its members give together [kW].
        shares_kw: The part of the import limit that each member brought [kW].
    """

    id: str
    homes: Sequence[str]
    batteries: Sequence[str] = ()
    import_limit_kw: Limit = np.inf
    export_limit_kw: Limit = np.inf
    shares_kw: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A contracted window in which the grid carries less.

    Attributes:
        id: Its name, unique among calls.
        first: The first step it holds in.
        last: The last step it holds in.
        import_limit_kw: The most that may be taken [kW].
        export_limit_kw: The most that may be given [kW].
        group: The group it is for; None for all behind the neighbourhood's connection.
        reward_eur_per_kwh: Paid for each kWh of room between the contract and the call.
    """

    id: str
    first: int
    last: int
    import_limit_kw: float = np.inf
    export_limit_kw: float = np.inf
    group: str | None = None
    reward_eur_per_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class Sharing:
    """Homes on meters of their own that share what some give and others take in one step.

    Attributes:
        levy_eur_per_kwh: What a shared kWh costs the group, at least 0.
        price_eur_per_kwh: What who takes it pays to who gave it; moves money, saves none.
    """

    levy_eur_per_kwh: float
    price_eur_per_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class Grid:
    """The connection: its limits [kW] and what its highest import costs [EUR/kW].

    Attributes:
        import_limit_kw: The most it takes [kW].
        export_limit_kw: The most it gives [kW].
        peak_price_eur_per_kw: What each kW of the highest import costs.
        peak_so_far_kw: The highest import until now; only what goes over it costs [kW].
    """

    import_limit_kw: Limit = np.inf
    export_limit_kw: Limit = np.inf
    peak_price_eur_per_kw: float = 0.0
    peak_so_far_kw: float = 0.0
