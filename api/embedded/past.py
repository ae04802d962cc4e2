"""The days before: what the street's meters would have said, told to the gateways' own outboxes."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from api.embedded.gateways import StreetGateways
from api.embedded.street import BATTERY, HOME_BATTERY, START_PERMILLE, VirtualStreet
from api.retail import Retail, planned_battery
from collectors.prices.model import PriceSource
from hardware.twins.battery import BatteryTwin
from hardware.twins.household import Household
from kwartier.identity import DeviceId
from kwartier.interval import QUARTER_S, day_of, local_day, quarters_between
from kwartier.reading import ClockSource, Reading
from kwartier.units import EpochS, Watt
from optimizer.dispatch import plan
from optimizer.problem import FloatArray, Home, problem_of

_STEP_S = 300


@dataclass(frozen=True, slots=True)
class _Day:
    """A local day, or the part of it that is past."""

    start_s: EpochS
    end_s: EpochS
    whole_end_s: EpochS


def start_of_past(now_s: float, days: int) -> EpochS:
    """Return the local midnight some days before an instant [s]."""
    return local_day(day_of(now_s) - timedelta(days=days))[0]


def live_through(
    street: VirtualStreet, gateways: StreetGateways, prices: PriceSource, until_s: EpochS
) -> None:
    """Let the street live up to the start of a quarter, and its gateways keep what was said.

    The battery follows each day's best plan, as if that day had been known beforehand.
    """
    starts_s = street.homes[0].household.at_s
    _let_homes_rule(street, own_rule=True)
    for day in _days(starts_s, until_s):
        powers_w = _planned(street, prices, day)
        first = day.start_s == starts_s
        from_s = day.start_s if first else day.start_s + QUARTER_S
        for at_s in range(from_s, day.end_s + 1, QUARTER_S):
            if at_s > day.start_s:
                street.advance(at_s, _STEP_S)
                place = (at_s - day.start_s) // QUARTER_S - 1
                street.battery.cell.run(powers_w[place], QUARTER_S * 1000)
            _note(street, gateways, at_s)
    _let_homes_rule(street, own_rule=False)
    gateways.keep_past()


def _let_homes_rule(street: VirtualStreet, *, own_rule: bool) -> None:
    for home in street.homes:
        if home.battery is not None:
            home.battery.has_own_rule = own_rule


def _note(street: VirtualStreet, gateways: StreetGateways, at_s: EpochS) -> None:
    for home in street.homes:
        registers = {"import_wh": home.meter.import_wh, "export_wh": home.meter.export_wh}
        serial = home.meter.serial.encode().hex().upper()
        gateways.remember(home.connection.gateway, Reading("p1", serial, at_s, registers))
        if home.inverter is not None:
            made = Reading(
                "inverter",
                home.inverter.serial,
                at_s,
                {"produced_wh": home.household.produced_wh},
                ClockSource.GATEWAY,
            )
            gateways.remember(home.connection.gateway, made)
        if home.battery is not None:
            kept = _counted(home.battery.twin, HOME_BATTERY, at_s)
            gateways.remember(home.connection.gateway, kept)
    gateways.remember(BATTERY.gateway, _counted(street.battery, BATTERY.device, at_s))


def _counted(battery: BatteryTwin, device: DeviceId, at_s: EpochS) -> Reading:
    cell = battery.cell
    counted = {
        "charged_wh": int(cell.charged_wh),
        "discharged_wh": int(cell.discharged_wh),
        "soc_permille": cell.soc_permille,
    }
    return Reading(device, battery.serial, at_s, counted, ClockSource.GATEWAY)


def _planned(street: VirtualStreet, prices: PriceSource, day: _Day) -> list[Watt]:
    """Return the battery's power for each quarter of a day; positive charges [W]."""
    load_kw, pv_kw = _ahead([home.household for home in street.homes], day)
    told = prices.day(day_of(day.start_s)).eur_per_mwh
    sell = np.array([float(price or 0) / 1000 for price in told])
    cell = street.battery.cell
    stored_kwh = float(cell.stored_wh) / 1000
    start_of_day_kwh = BATTERY.capacity_wh * START_PERMILLE / 1_000_000
    battery = planned_battery(BATTERY, stored_kwh, end_kwh=start_of_day_kwh)
    buy = sell + Retail().buy_extra_eur_per_kwh
    made = plan(problem_of(0.25, buy, sell, [Home("homes", load_kw, pv_kw)], [battery]))
    return [round(float(kw) * 1000) for kw in made.charge_kw[0] - made.discharge_kw[0]]


def _ahead(homes: list[Household], day: _Day) -> tuple[FloatArray, FloatArray]:
    """Return what all homes will use and make on a day, from copies that live it first [kW]."""
    ahead = [copy(home) for home in homes]
    load, made = [], []
    for quarter in quarters_between(day.start_s, day.whole_end_s):
        before = [(home.import_ws - home.export_ws, home.produced_ws) for home in ahead]
        for home in ahead:
            home.advance(quarter.end_s, _STEP_S)
        net_ws = sum(home.import_ws - home.export_ws for home in ahead) - sum(
            net for net, _ in before
        )
        made_ws = sum(home.produced_ws for home in ahead) - sum(sun for _, sun in before)
        load.append((net_ws + made_ws) / QUARTER_S / 1000)
        made.append(made_ws / QUARTER_S / 1000)
    return np.maximum(np.array(load), 0.0), np.array(made)


def _days(start_s: EpochS, until_s: EpochS) -> Iterator[_Day]:
    at_s = start_s
    while at_s < until_s:
        whole_end_s = local_day(day_of(at_s))[1]
        yield _Day(at_s, min(whole_end_s, until_s), whole_end_s)
        at_s = whole_end_s
