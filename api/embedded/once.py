"""One settled day of the virtual street, played at full speed through the real chain."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from api.embedded.gateways import StreetGateways
from api.embedded.past import live_through, start_of_past
from api.embedded.prices import MadeUpPrices
from api.embedded.street import BATTERY, COOP, VirtualStreet
from api.plan_book import SqlitePlanBook
from api.planner import Planner
from api.price_book import PriceBook
from api.reckoning import Planned, Shared, plan_days, share
from api.retail import planned_battery
from collectors.ingest import Ingest, Limits
from collectors.prices.model import PriceQuarter, PriceSeries
from collectors.queries import Records
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from gateway.agent import Manner
from gateway.keep.delivery import Pace
from kwartier.bus import InProcessBus
from kwartier.clock import SystemClock, VirtualClock
from kwartier.errors import LinkDownError
from kwartier.interval import QUARTER_S, local_day
from kwartier.progress import Progress
from kwartier.units import EpochS, Wh

DAY = date(2026, 6, 18)
"""The day that is played."""
HOMES = 24
PAST_DAYS = 7
_TICK_S = 60
_PATIENCE_S = 60.0
_LOOK_S = 0.002


@dataclass(frozen=True, slots=True)
class PlayedDay:
    """What came of the day, checked against the record.

    Attributes:
        readings: Readings that meters, inverters and the battery told on the day.
        lost: How many of them the record does not hold.
        duplicated: How many it took in more than once.
        quarters: Quarter-hours of the day that the record knows.
        energy_wh: Of the whole day, by register name [Wh].
        shared: What the homes shared, and the journal.
        planned: What the day costs with the battery's plan, and without a battery.
        seconds: How long it took [s].
    """

    readings: int
    lost: int
    duplicated: int
    quarters: int
    energy_wh: dict[str, Wh]
    shared: Shared
    planned: Planned
    seconds: float


def play_day(folder: Path, homes: int = HOMES) -> PlayedDay:
    """Play a day: telegrams and registers on sockets, plans each quarter, one battery steered.

    Raises:
        LinkDownError: Delivery stood still.
    """
    started_s = time.perf_counter()
    start_s, end_s = local_day(DAY)
    with ExitStack() as parts:
        clock = VirtualClock(start_s)
        street = VirtualStreet(homes, start_of_past(start_s, PAST_DAYS), clock)
        parts.callback(street.close)
        bus = InProcessBus()
        store = SqliteStore(folder / "record.db")
        parts.callback(store.close)
        manner = Manner(pace=Pace(spread_s=0.0), live_every_s=0.0)
        gateways = StreetGateways(
            street, folder, bus, clock, manner, look_s=QUARTER_S / 2, full_power_s=0
        )
        live_through(street, gateways, MadeUpPrices(), start_s)
        ingest = Ingest(store, bus, COOP, SystemClock(), Limits(gather_s=0.002))
        ingest.start()
        parts.callback(ingest.stop)
        gateways.start_sending()
        parts.callback(gateways.stop)
        _wait(gateways, "the days before")
        before = store.counts().readings
        book = SqlitePlanBook(folder / "plans.db")
        parts.callback(book.close)
        records = Records(store, street.community, clock)
        planner = Planner(
            street.community, store, records, PriceBook(MadeUpPrices()), book, bus, clock
        )
        _play(street, gateways, planner, clock, (start_s, end_s))
        return _judged(street, gateways, store, before, (start_s, end_s), started_s)


def _play(
    street: VirtualStreet,
    gateways: StreetGateways,
    planner: Planner,
    clock: VirtualClock,
    span_s: tuple[EpochS, EpochS],
) -> None:
    start_s, end_s = span_s
    gateways.start_reading()
    for home in street.homes:
        if not home.port.wait_for_client(_PATIENCE_S):
            raise LinkDownError(f"no gateway came to {home.port.address}")
    bar = Progress("playing", end_s - start_s)
    for at_s in range(start_s, end_s + 1, _TICK_S):
        if at_s > start_s:
            clock.advance(_TICK_S)
            street.advance(at_s, _TICK_S)
        gateways.battery.turn()
        if at_s % QUARTER_S == 0:
            street.tell()
            gateways.look()
            gateways.wait_until_read()
            gateways.battery_agent.write_all()
            _wait(gateways, "the battery's state", only_battery=True)
            planner.plan_now()
            gateways.battery.turn()
            bar.show(at_s - start_s)
    bar.end()
    for agent in gateways.agents:
        agent.write_all()
    _wait(gateways, "the day")


def _wait(gateways: StreetGateways, what: str, *, only_battery: bool = False) -> None:
    """Wait until the record holds what was sent, as long as it takes within reason."""
    until_s = time.monotonic() + _PATIENCE_S
    while gateways.battery_agent.unacknowledged if only_battery else gateways.unacknowledged:
        if time.monotonic() > until_s:
            raise LinkDownError(f"{what} did not reach the record within {_PATIENCE_S:g} s")
        time.sleep(_LOOK_S)


def _judged(
    street: VirtualStreet,
    gateways: StreetGateways,
    store: SqliteStore,
    before: int,
    span_s: tuple[EpochS, EpochS],
    started_s: float,
) -> PlayedDay:
    start_s, end_s = span_s
    told = sum(agent.taken for agent in gateways.agents)
    pushed = sum(home.port.pushed for home in street.homes)
    read = sum(gateway.source.counters.readings for gateway in gateways.homes)
    held = _held(street, store, span_s)
    prices = PriceSeries.of(
        PriceQuarter(quarter, price)
        for day in (MadeUpPrices().day(DAY),)
        for quarter, price in zip(day.quarters, day.eur_per_mwh, strict=True)
        if price is not None
    )
    energy_wh, quarters = _energy(store, span_s)
    half_kwh = BATTERY.capacity_wh / 2000
    battery = planned_battery(BATTERY, half_kwh, end_kwh=half_kwh)
    return PlayedDay(
        told,
        (pushed - read) + (told - held),
        store.counts().readings - before - held,
        quarters,
        energy_wh,
        share(store, street.community, start_s, end_s),
        plan_days(store, street.community, prices, start_s, end_s, battery),
        time.perf_counter() - started_s,
    )


def _held(street: VirtualStreet, store: SqliteStore, span_s: tuple[EpochS, EpochS]) -> int:
    """Return how many of the day's readings the record holds, each once."""
    start_s, end_s = span_s
    series = [(DeviceKey(BATTERY.gateway, BATTERY.device), "soc_permille")]
    for home in street.homes:
        series.append((DeviceKey(home.connection.gateway, "p1"), "import_w"))
        if home.inverter is not None:
            series.append((DeviceKey(home.connection.gateway, "inverter"), "solar_w"))
    return sum(len(store.points(key, name, start_s, end_s + 1)) for key, name in series)


def _energy(store: SqliteStore, span_s: tuple[EpochS, EpochS]) -> tuple[dict[str, Wh], int]:
    names = ("import_wh", "export_wh", "produced_wh", "charged_wh", "discharged_wh")
    energy_wh = dict.fromkeys(names, 0)
    known: set[EpochS] = set()
    for quarter in store.quarters(names, *span_s):
        if quarter.energy_wh is not None:
            energy_wh[quarter.name] += quarter.energy_wh
            known.add(quarter.start_s)
    return energy_wh, len(known)
