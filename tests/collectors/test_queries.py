"""From registers to answers: use, roofs that are silent, late homes, and power now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.disclosure import PUBLIC, Reader
from collectors.home_quarters import HomeQuarter
from collectors.power import (
    FRESH_S,
    Instants,
    StreetPower,
    home_power,
    powers_now,
    street_power,
)
from collectors.queries import GRACE_S, Records
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from kwartier.clock import VirtualClock
from kwartier.interval import QUARTER_S
from kwartier.model import Battery, Community, Connection
from kwartier.reading import Reading
from kwartier.wire import block_of, encode_block

NOON_S = 1_782_900_000  # 2026-07-01T10:00:00Z
LATER_S = NOON_S + QUARTER_S
INSIDE = Reader(inside=True)


def community_of(homes: int, **batteries: Battery) -> Community:
    """Return some homes; the first has an inverter that is read."""
    connections = {
        f"h{place}": Connection(f"h{place}", f"m{place}", f"g{place}", solar="pv")
        if place == 0
        else Connection(f"h{place}", f"m{place}", f"g{place}")
        for place in range(homes)
    }
    return Community("zonnehof", "Zonnehof", connections, batteries)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "telemetry.db") as opened:
        yield opened


class Feeder:
    """Feeds two readings of a device, a quarter-hour apart."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._seq: dict[str, int] = {}

    def quarter(self, gateway: str, device: str, **energy_wh: int) -> None:
        seq = self._seq.get(gateway, 0) + 1
        self._seq[gateway] = seq
        first = dict.fromkeys(energy_wh, 1000)
        last = {name: 1_000 + wh for name, wh in energy_wh.items()}
        readings = [
            Reading(device, "m", NOON_S, first),
            Reading(device, "m", LATER_S, last),
        ]
        block = block_of(readings, gateway, "e", seq)
        with self._store.intake() as intake:
            intake.add(block, encode_block(block), LATER_S)
            intake.advance(gateway, "e", seq)


@pytest.fixture
def feed(store: SqliteStore) -> Feeder:
    return Feeder(store)


def test_use_is_import_and_roof_less_export(store: SqliteStore, feed: Feeder) -> None:
    feed.quarter("g0", "p1", import_wh=50, export_wh=400)
    feed.quarter("g0", "pv", produced_wh=900)
    records = Records(store, community_of(1), VirtualClock(LATER_S))

    [quarter] = records.home("h0", NOON_S, LATER_S)

    assert quarter == HomeQuarter(NOON_S, 50, 400, 900)
    assert quarter.use_wh == 550
    assert not quarter.estimated


def test_a_silent_roof_is_known_by_what_it_gave_and_called_an_estimate(
    store: SqliteStore, feed: Feeder
) -> None:
    feed.quarter("g0", "p1", import_wh=50, export_wh=400)
    records = Records(store, community_of(1), VirtualClock(LATER_S))

    [quarter] = records.home("h0", NOON_S, LATER_S)

    assert (quarter.solar_wh, quarter.use_wh) == (400, 50)
    assert quarter.solar_estimated
    assert not quarter.import_estimated


def test_a_meter_without_an_export_register_gave_nothing(store: SqliteStore, feed: Feeder) -> None:
    feed.quarter("g1", "p1", import_wh=50)
    records = Records(store, community_of(2), VirtualClock(LATER_S))

    [quarter] = records.home("h1", NOON_S, LATER_S)

    assert (quarter.export_wh, quarter.use_wh) == (0, 50)
    assert not quarter.estimated


def test_two_meters_read_apart_never_make_use_negative() -> None:
    assert HomeQuarter(NOON_S, 0, 405, 400).use_wh == 0


def test_a_quarter_waits_for_the_last_home_and_then_goes_without_it(
    store: SqliteStore, feed: Feeder
) -> None:
    for home in range(6):
        feed.quarter(f"g{home}", "p1", import_wh=100, export_wh=0)
    clock = VirtualClock(LATER_S)
    records = Records(store, community_of(7), clock)

    early = records.sums(NOON_S, LATER_S, INSIDE)
    clock.advance(GRACE_S)
    [late] = records.sums(NOON_S, LATER_S, INSIDE)

    assert early == []
    assert (late.homes, late.import_wh) == (6, 600)


def test_a_home_that_comes_in_after_the_sum_was_told_does_not_show(
    store: SqliteStore, feed: Feeder
) -> None:
    for home in range(6):
        feed.quarter(f"g{home}", "p1", import_wh=100, export_wh=0)
    clock = VirtualClock(LATER_S + GRACE_S)
    records = Records(store, community_of(7), clock)
    before = records.sums(NOON_S, LATER_S, INSIDE)

    feed.quarter("g6", "p1", import_wh=777, export_wh=0)
    clock.advance(60)

    assert records.sums(NOON_S, LATER_S, INSIDE) == before
    assert records.home("h6", NOON_S, LATER_S)[0].import_wh == 777


def test_all_batteries_count_or_the_sum_is_missing(store: SqliteStore, feed: Feeder) -> None:
    batteries = {
        name: Battery(name, f"gb{name}", "battery", 10_000, 5_000, 5_000) for name in ("a", "b")
    }
    feed.quarter("gba", "battery", charged_wh=1_000, discharged_wh=0)
    clock = VirtualClock(LATER_S)
    records = Records(store, community_of(1, **batteries), clock)

    alone = records.period(NOON_S, LATER_S).batteries[NOON_S]
    feed.quarter("gbb", "battery", charged_wh=500, discharged_wh=0)
    clock.advance(60)
    both = records.period(NOON_S, LATER_S).batteries[NOON_S]

    assert alone.charged_wh is None
    assert (both.charged_wh, both.discharged_wh) == (1_500, 0)


def instants_of(homes: int, at_s: int = NOON_S) -> Instants:
    """Return homes that each take 1,040 W, the first with a roof that makes 3,000 W."""
    instants = Instants()
    for home in range(homes):
        meter = DeviceKey(f"g{home}", "p1")
        instants.take(meter, "import_w", at_s, 1_040)
        instants.take(meter, "export_w", at_s, 0)
    instants.take(DeviceKey("g0", "pv"), "solar_w", at_s, 3_000)
    return instants


def power_of(
    community: Community, instants: Instants, now_s: int, reader: Reader
) -> StreetPower | None:
    """Return the power over all homes that are heard."""
    powers = powers_now(community, instants, now_s)
    return street_power(community, instants, powers, frozenset(powers), reader, now_s)


def test_power_now_adds_up_with_the_battery() -> None:
    battery = Battery("a", "gb", "battery", 10_000, 5_000, 5_000)
    instants = instants_of(6)
    instants.take(DeviceKey("gb", "battery"), "battery_w", NOON_S, -700)
    instants.take(DeviceKey("gb", "battery"), "soc_permille", NOON_S, 621)

    power = power_of(community_of(6, a=battery), instants, NOON_S, INSIDE)

    assert power is not None
    assert (power.use_w, power.solar_w) == (9_200, 3_000)  # 6 x 1,040 + 3,000 in steps of 100
    assert (power.charge_w, power.discharge_w) == (0, 700)
    assert (power.import_w, power.export_w) == (5_500, 0)
    assert power.soc_permille == 621


def test_who_does_not_live_here_gets_sun_and_battery_and_no_use() -> None:
    power = power_of(community_of(6), instants_of(6), NOON_S, PUBLIC)

    assert power is not None
    assert power.solar_w == 3_000
    assert (power.use_w, power.import_w, power.export_w) == (None, None, None)


def test_power_of_four_homes_is_not_told() -> None:
    assert power_of(community_of(4), instants_of(4), NOON_S, INSIDE) is None


def test_old_values_are_not_now() -> None:
    community, instants = community_of(6), instants_of(6)

    assert power_of(community, instants, NOON_S + FRESH_S, INSIDE) is not None
    assert power_of(community, instants, NOON_S + FRESH_S + 1, INSIDE) is None
    assert home_power(community.connections["h0"], instants, NOON_S + FRESH_S + 1) is None


def test_an_older_value_never_replaces_a_newer_one() -> None:
    instants = Instants()
    meter = DeviceKey("g1", "p1")
    instants.take(meter, "import_w", NOON_S, 500)
    instants.take(meter, "import_w", NOON_S - 1, 900)

    assert instants.fresh(meter, "import_w", NOON_S) == (NOON_S, 500)
    assert instants.newest_s({meter}) == NOON_S
    assert instants.newest_s(set()) is None
