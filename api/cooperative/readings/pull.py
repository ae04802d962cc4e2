"""From the house's own record into the books: quarters of homes and batteries, and registers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.officers import CLERKS
from api.cooperative.readings.days import ESTIMATED, MEASURED, MISSING, DayValues, Direction, Source
from api.cooperative.readings.intake import SetAside, Taken, Why, set_aside, take_in
from api.cooperative.readings.meters import Meter, meters_of
from api.cooperative.readings.registers import RegisterBackError, RegisterReading, read_register
from collectors.home_quarters import HomeQuarter
from collectors.queries import Records
from collectors.store import DeviceKey, Quality, QuarterEnergy, Store
from kwartier.clock import Clock
from kwartier.interval import QUARTER_S, local_day
from kwartier.model import Battery, Community
from kwartier.units import EpochS, Watt, Wh, kwh_text
from kwartier.wire import Json

_WAYS = {"import_wh": Direction.IMPORT, "export_wh": Direction.EXPORT}
_BATTERY_WAYS = {"charged_wh": Direction.CHARGE, "discharged_wh": Direction.DISCHARGE}


@dataclass(frozen=True, slots=True)
class Recorded:
    """The house's own record, and whose it is.

    Attributes:
        store: The record.
        community: The homes and batteries it speaks of.
        clock: A clock, for how long the record's answers are kept in memory.
    """

    store: Store
    community: Community
    clock: Clock


@dataclass(slots=True)
class Pulled:
    """What a pull came to.

    Attributes:
        taken: Days and quarters.
        registers: Registers recorded at the first and last instant.
        strangers: Connections where another meter speaks than the one that is recorded.
    """

    taken: Taken = field(default_factory=Taken)
    registers: int = 0
    strangers: list[str] = field(default_factory=list)


def pull(desk: Desk, recorded: Recorded, first: date, last: date) -> Pulled:
    """Take in every local day from ``first`` to ``last`` as the house read it.

    What is better known stays as it is, so that pulling again is safe at any time. A battery's
    values stand under its own name, in the directions charge and discharge.
    """
    desk.officer.need(*CLERKS)
    records = Records(recorded.store, recorded.community, recorded.clock)
    limits_w = _limits_w(recorded.community)
    pulled = Pulled()
    day = first
    while day <= last:
        days = [*_homes(records, day), *_batteries(recorded, day)]
        _add(pulled.taken, take_in(desk, days, limits_w))
        day += timedelta(days=1)
    _pull_registers(desk, recorded, (local_day(first)[0], local_day(last)[1]), pulled)
    pulled.strangers += _strangers(desk, recorded)
    facts: dict[str, Json] = {"from": first.isoformat(), "to": last.isoformat()}
    record(desk, "reading.pull", recorded.community.coop, facts | pulled.taken.counts())
    return pulled


def _limits_w(community: Community) -> dict[str, Watt]:
    limits_w = {name: home.limit_w for name, home in community.connections.items()}
    for name, battery in community.batteries.items():
        limits_w[name] = max(battery.charge_max_w, battery.discharge_max_w)
    return limits_w


def _homes(records: Records, day: date) -> Iterator[DayValues]:
    start_s, end_s = local_day(day)
    for name, quarters in records.period(start_s, end_s).homes.items():
        if not quarters:
            continue
        for direction in _WAYS.values():
            told = [_of_home(quarters.get(at_s), direction) for at_s in _starts(day)]
            yield _day(name, direction, day, told)


def _of_home(quarter: HomeQuarter | None, direction: Direction) -> tuple[Wh | None, str]:
    if quarter is None:
        return None, MISSING
    if direction is Direction.IMPORT:
        return quarter.import_wh, ESTIMATED if quarter.import_estimated else MEASURED
    return quarter.export_wh, ESTIMATED if quarter.export_estimated else MEASURED


def _batteries(recorded: Recorded, day: date) -> Iterator[DayValues]:
    start_s, end_s = local_day(day)
    for name, battery in recorded.community.batteries.items():
        known: dict[tuple[str, EpochS], QuarterEnergy] = {
            (energy.name, energy.start_s): energy
            for energy in recorded.store.quarters(
                tuple(_BATTERY_WAYS), start_s, end_s, [_key(battery)]
            )
            if energy.energy_wh is not None
        }
        for series, direction in _BATTERY_WAYS.items():
            told = [_of_device(known.get((series, at_s))) for at_s in _starts(day)]
            if any(letter != MISSING for _, letter in told):
                yield _day(name, direction, day, told)


def _of_device(energy: QuarterEnergy | None) -> tuple[Wh | None, str]:
    if energy is None or energy.energy_wh is None:
        return None, MISSING
    return energy.energy_wh, MEASURED if energy.quality is Quality.MEASURED else ESTIMATED


def _day(
    name: str, direction: Direction, day: date, told: list[tuple[Wh | None, str]]
) -> DayValues:
    wh = tuple(energy_wh for energy_wh, _ in told)
    return DayValues(name, direction, day, wh, "".join(letter for _, letter in told), Source.P1)


def _starts(day: date) -> range:
    return range(*local_day(day), QUARTER_S)


def _key(battery: Battery) -> DeviceKey:
    return DeviceKey(battery.gateway, battery.device)


def _add(total: Taken, more: Taken) -> None:
    total.days += more.days
    total.versions += more.versions
    total.quarters += more.quarters
    total.made_final += more.made_final
    total.kept += more.kept
    total.missing += more.missing
    total.set_aside += more.set_aside


def _pull_registers(
    desk: Desk, recorded: Recorded, bounds_s: tuple[EpochS, EpochS], pulled: Pulled
) -> None:
    """Record what registers stood at on both bounds, where they were read on that very second."""
    homes = recorded.community.connections
    doubted: list[SetAside] = []
    for meter in meters_of(desk, sorted(homes)):
        home = homes[meter.connection]
        key = DeviceKey(home.gateway, home.meter)
        for at_s in bounds_s:
            if not _hangs(meter, at_s):
                continue
            for series, register in _WAYS.items():
                for _, wh in recorded.store.points(key, series, at_s, at_s + 1):
                    reading = RegisterReading(register, at_s, wh, Source.P1, "pull")
                    try:
                        pulled.registers += bool(read_register(desk, meter, reading))
                    except RegisterBackError:
                        doubted.append(
                            SetAside(
                                meter.connection,
                                register,
                                at_s,
                                f"{kwh_text(wh)} kWh",
                                Why.REGISTER_BACK,
                                Source.P1,
                            )
                        )
    set_aside(desk, doubted)
    pulled.taken.set_aside += doubted


def _hangs(meter: Meter, at_s: EpochS) -> bool:
    return meter.installed_s <= at_s and (meter.removed_s is None or at_s < meter.removed_s)


def _strangers(desk: Desk, recorded: Recorded) -> list[str]:
    """Return the connections whose newest telegram names another meter than the recorded one."""
    known: dict[str, str] = {}
    for meter in meters_of(desk, sorted(recorded.community.connections)):
        if meter.removed_s is None:
            known[meter.connection] = meter.serial
    speaking = _speaking(recorded)
    return [
        name
        for name, serial in sorted(known.items())
        if speaking.get(name) and serial not in _spellings(speaking[name])
    ]


def _speaking(recorded: Recorded) -> Mapping[str, str]:
    keys = {
        DeviceKey(home.gateway, home.meter): name
        for name, home in recorded.community.connections.items()
    }
    return {
        keys[latest.key]: latest.meter
        for latest in recorded.store.latest(list(keys))
        if latest.name == "import_wh"
    }


def _spellings(meter: str) -> set[str]:
    """Return a meter's id as it is sent, and the serial it may be the hex code of."""
    try:
        return {meter, bytes.fromhex(meter).decode("ascii")}
    except ValueError:
        return {meter}
