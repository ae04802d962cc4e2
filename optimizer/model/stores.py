"""Everything that keeps energy as one kind of row: batteries, cars at a charger, warm houses.

A store holds ``s`` kWh. Over a step of ``h`` hours it keeps ``r`` of what it had, gains ``g`` for
each kWh charged, loses ``1 / e`` for each kWh given back, and is drained of ``q`` kW::

    s[t] = r[t] * s[t-1] + h[t] * (g[t] * charge[t] - discharge[t] / e - q[t])

A battery has ``r = 1`` unless it discharges itself. A car is a battery that is plugged in for some
steps. A mass of ``C`` kWh/K with ``U`` kW/K of losses, ``x`` degrees outside, is a store too: with
``s = C * (temperature - zero)`` it has ``r = exp(-U * h / C)``, ``g`` its coefficient of
performance, and the drain that pulls it to the temperature outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from optimizer.model.neighbourhood import Battery, FloatArray, HeatPump, Session
from optimizer.model.nonsense import MAX_SIZE
from optimizer.model.spread import bounded_limit, bounded_number, limit_of, step_of

MAX_COP = 20.0
"""More heat per kWh than this no heat pump gives."""
_COLDEST_C, _HOTTEST_C = -100.0, 200.0


class StoreKind(StrEnum):
    """What a store is; the word is the key its part stands under."""

    BATTERY = "batteries"
    SESSION = "sessions"
    HEAT_PUMP = "heat_pumps"


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """One row of the stores.

    Attributes:
        kind: What it is.
        battery: The numbers that every store has.
        cop: Stored per charged kWh beside the efficiency, shape ``(T,)``; None for 1.
        retention: Part kept over each step, shape ``(T,)``; None for all.
        drain_kw: What is taken from it whatever the plan, shape ``(T,)`` [kW]; None for nothing.
        charge_min_kw: Charges with at least this or not at all, shape ``(T,)``; None for any.
    """

    kind: StoreKind
    battery: Battery
    cop: FloatArray | None = None
    retention: FloatArray | None = None
    drain_kw: FloatArray | None = None
    charge_min_kw: FloatArray | None = None


def stores_of(
    batteries: Sequence[Battery],
    sessions: Sequence[Session],
    heat_pumps: Sequence[HeatPump],
    step_h: FloatArray,
) -> list[Store]:
    """Return the rows: batteries first, then sessions, then heat pumps.

    Raises:
        InputError: A number makes no sense; the message names its key and the remedy.
    """
    return [
        *(_of_battery(one, step_h) for one in batteries),
        *(_of_session(one, step_h) for one in sessions),
        *(_of_heat_pump(one, step_h) for one in heat_pumps),
    ]


def wanted_car_kwh(session: Session, steps: int, step_h: FloatArray) -> FloatArray:
    """Return the least that is stored in a car after each step, shape ``(T,)`` [kWh].

    That is the minimum, as soon as the charger can have it there, and what it leaves with.
    """
    place = f"sessions.{session.id}.charge_max_kw"
    power = _able(limit_of(place, session.charge_max_kw, steps), session.charge_min_kw)
    here = slice(session.arrival, session.departure)
    wanted = np.zeros(steps)
    charged = session.charge_efficiency * np.cumsum(step_h[here] * power[here])
    wanted[here] = np.minimum(session.minimum_kwh, session.start_kwh + charged)
    wanted[session.departure - 1] = max(wanted[session.departure - 1], session.energy_kwh)
    return wanted


def zero_c(heat_pump: HeatPump) -> float:
    """Return the temperature at which a heat store counts as empty [degrees C]."""
    edges_c = min(float(np.min(heat_pump.min_c)), float(np.min(heat_pump.max_c)))
    return min(edges_c, heat_pump.start_c)


def temperature_c(heat_pump: HeatPump, stored_kwh: FloatArray) -> FloatArray:
    """Return the temperatures that go with stored energy [degrees C]."""
    found: FloatArray = zero_c(heat_pump) + stored_kwh / heat_pump.capacity_kwh_per_k
    return found


def _of_battery(battery: Battery, step_h: FloatArray) -> Store:
    if battery.retention_per_hour == 1:
        return Store(StoreKind.BATTERY, battery)
    key = f"batteries.{battery.id}.retention_per_hour"
    kept = bounded_number(
        key, battery.retention_per_hour, low=1e-6, high=1.0, unit="what is left after an hour"
    )
    return Store(StoreKind.BATTERY, battery, retention=kept**step_h)


def _of_session(session: Session, step_h: FloatArray) -> Store:
    place, steps = f"sessions.{session.id}.", step_h.size
    arrival = step_of(place + "arrival", session.arrival, low=0, high=steps - 1)
    departure = step_of(place + "departure", session.departure, low=arrival + 1, high=steps)
    for name in ("energy_kwh", "minimum_kwh", "start_kwh", "charge_min_kw"):
        bounded_number(
            place + name, getattr(session, name), low=0.0, high=MAX_SIZE, unit="a number"
        )
    bounded_number(
        place + "charge_efficiency",
        session.charge_efficiency,
        low=1e-6,
        high=1.0,
        unit="a fraction",
    )
    here = np.zeros(steps, dtype=np.bool_)
    here[arrival:departure] = True
    charge, discharge = (
        bounded_limit(place + name, value, steps, low=0.0, high=MAX_SIZE, unit="kW")
        for name, value in (
            ("charge_max_kw", session.charge_max_kw),
            ("discharge_max_kw", session.discharge_max_kw),
        )
    )
    charge = np.where(here, _able(charge, session.charge_min_kw), 0.0)
    battery = Battery(
        id=session.id,
        soc_min_kwh=wanted_car_kwh(session, steps, step_h),
        soc_max_kwh=_capacity_kwh(session, step_h),
        soc_start_kwh=session.start_kwh,
        charge_max_kw=charge,
        discharge_max_kw=np.where(here, discharge, 0.0),
        charge_efficiency=session.charge_efficiency,
        discharge_efficiency=session.discharge_efficiency,
        home=session.home,
    )
    return Store(StoreKind.SESSION, battery, charge_min_kw=_least(charge, session.charge_min_kw))


def _able(power_kw: FloatArray, least_kw: float) -> FloatArray:
    """Return the power of a device that runs with at least so much, or not at all."""
    return np.where(power_kw >= least_kw, power_kw, 0.0)


def _least(power_kw: FloatArray, least_kw: float) -> FloatArray | None:
    return np.where(power_kw > 0, least_kw, 0.0) if least_kw > 0 else None


def _capacity_kwh(session: Session, step_h: FloatArray) -> float:
    """Return the most a car holds; where nobody says, what it needs and one least charge."""
    needed = max(session.energy_kwh, session.minimum_kwh)
    if session.capacity_kwh is None:
        one_step = session.charge_min_kw * session.charge_efficiency * float(step_h.max())
        return max(needed, session.start_kwh) + one_step
    place = f"sessions.{session.id}."
    bounded_number(place + "capacity_kwh", session.capacity_kwh, low=0.0, high=MAX_SIZE, unit="kWh")
    return session.capacity_kwh


def _of_heat_pump(pump: HeatPump, step_h: FloatArray) -> Store:
    place, steps = f"heat_pumps.{pump.id}.", step_h.size
    capacity = bounded_number(
        place + "capacity_kwh_per_k", pump.capacity_kwh_per_k, low=1e-6, high=MAX_SIZE, unit="kWh/K"
    )
    loss = bounded_number(
        place + "loss_kw_per_k", pump.loss_kw_per_k, low=0.0, high=MAX_SIZE, unit="kW/K"
    )
    bounded_number(place + "power_min_kw", pump.power_min_kw, low=0.0, high=MAX_SIZE, unit="kW")
    power, demand, cop = (
        bounded_limit(place + name, value, steps, low=low, high=high, unit=unit)
        for name, value, low, high, unit in (
            ("power_max_kw", pump.power_max_kw, 0.0, MAX_SIZE, "kW"),
            ("demand_kw", pump.demand_kw, 0.0, MAX_SIZE, "kW"),
            ("cop", pump.cop, 0.1, MAX_COP, "heat per kWh"),
        )
    )
    outside, low, high = (
        bounded_limit(place + name, value, steps, low=_COLDEST_C, high=_HOTTEST_C, unit="degrees C")
        for name, value in (
            ("outside_c", pump.outside_c),
            ("min_c", pump.min_c),
            ("max_c", pump.max_c),
        )
    )
    bounded_number(
        place + "start_c", pump.start_c, low=_COLDEST_C, high=_HOTTEST_C, unit="degrees C"
    )
    power = _able(power, pump.power_min_kw)
    zero, kept = zero_c(pump), np.exp(-loss * step_h / capacity)
    battery = Battery(
        id=pump.id,
        soc_min_kwh=capacity * (low - zero),
        soc_max_kwh=capacity * (high - zero),
        soc_start_kwh=capacity * (pump.start_c - zero),
        charge_max_kw=power,
        discharge_max_kw=0.0,
        charge_efficiency=1.0,
        discharge_efficiency=1.0,
        home=pump.home,
    )
    drain = demand - capacity * (1 - kept) * (outside - zero) / step_h
    least = _least(power, pump.power_min_kw)
    return Store(StoreKind.HEAT_PUMP, battery, cop, kept, drain, least)
