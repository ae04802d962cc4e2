"""A battery behind a home's own meter is taken out of what that home used, and hidden in sums."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from collectors.disclosure import Reader
from collectors.home_quarters import HomeQuarter, sun_unseen
from collectors.power import Instants, powers_now, street_power
from collectors.queries import Records, SumQuarter
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


def street_of(homes: int, batteries: int) -> Community:
    """Return some homes, the first of which have a battery; the very first a roof as well."""
    return Community(
        "zonnehof",
        "Zonnehof",
        {
            f"h{n}": Connection(f"h{n}", f"m{n}", f"g{n}", solar=None if n else "pv")
            for n in range(homes)
        },
        {},
        home_batteries={
            f"b{n}": Battery(f"b{n}", f"g{n}", "battery", 10_000, 5_000, 5_000, home=f"h{n}")
            for n in range(batteries)
        },
    )


def quarter_of(store: SqliteStore, home: int, **devices: dict[str, int]) -> None:
    """Put a quarter of a home's devices on record, as energy by register [Wh]."""
    for seq, (device, energy_wh) in enumerate(devices.items(), start=1):
        readings = [
            Reading(device, "m", NOON_S, dict.fromkeys(energy_wh, 1000)),
            Reading(device, "m", LATER_S, {name: 1000 + wh for name, wh in energy_wh.items()}),
        ]
        block = block_of(readings, f"g{home}", "e", seq)
        with store.intake() as intake:
            intake.add(block, encode_block(block), LATER_S)
            intake.advance(f"g{home}", "e", seq)


def quarters_of(
    folder: Path, home: int, community: Community, **devices: dict[str, int]
) -> list[HomeQuarter]:
    with SqliteStore(folder / "telemetry.db") as store:
        quarter_of(store, home, **devices)
        records = Records(store, community, VirtualClock(LATER_S))
        return records.home(f"h{home}", NOON_S, LATER_S)


@pytest.mark.parametrize(
    ("meter", "battery", "use_wh", "solar_wh"),
    [
        # At night it charged 800 of the 900 that were taken.
        ((900, 0), (800, 0), 100, 0),
        # In the evening it gave 300, of which 50 went on to the grid.
        ((0, 50), (0, 300), 250, 0),
        # A roof that nobody reads charged 500 and gave 200 more.
        ((0, 200), (500, 0), 0, 700),
        # It did nothing.
        ((120, 0), (0, 0), 120, 0),
    ],
)
def test_what_a_battery_keeps_is_not_used(
    meter: tuple[int, int], battery: tuple[int, int], use_wh: int, solar_wh: int, tmp_path: Path
) -> None:
    [quarter] = quarters_of(
        tmp_path,
        1,
        street_of(2, 2),
        p1={"import_wh": meter[0], "export_wh": meter[1]},
        battery={"charged_wh": battery[0], "discharged_wh": battery[1]},
    )

    assert (quarter.use_wh, quarter.solar_wh) == (use_wh, solar_wh)
    assert (quarter.import_wh, quarter.export_wh) == meter
    assert quarter.battery_wh == battery[0] - battery[1]
    assert quarter.is_use_known
    assert not quarter.estimated


def test_with_a_roof_that_is_read_use_is_what_neither_grid_nor_battery_kept(tmp_path: Path) -> None:
    [quarter] = quarters_of(
        tmp_path,
        0,
        street_of(1, 1),
        p1={"import_wh": 0, "export_wh": 100},
        pv={"produced_wh": 900},
        battery={"charged_wh": 600, "discharged_wh": 0},
    )

    assert quarter.use_wh == 900 - 600 - 100


def test_sun_that_nobody_reads_is_what_neither_grid_nor_battery_brought() -> None:
    # Given by the roof; by the battery; by both; charged by the roof; from the grid; by both.
    taken, given = [0, 0, 0, 0, 900, 400], [500, 500, 500, 0, 0, 0]
    charged, discharged = [0, 0, 0, 700, 700, 700], [0, 600, 200, 0, 0, 0]
    expected = [500, 0, 300, 700, 0, 300]

    one_by_one = [sun_unseen(*one) for one in zip(taken, given, charged, discharged, strict=True)]
    at_once = sun_unseen(*(np.array(each) for each in (taken, given, charged, discharged)))

    assert one_by_one == at_once.tolist() == expected


@pytest.mark.parametrize("told", [{}, {"charged_wh": 400}])
def test_while_the_battery_is_silent_use_is_an_estimate_and_no_forecast_takes_it(
    told: dict[str, int], tmp_path: Path
) -> None:
    devices = {"p1": {"import_wh": 500, "export_wh": 0}} | ({"battery": told} if told else {})

    [quarter] = quarters_of(tmp_path, 1, street_of(2, 2), **devices)

    assert quarter.battery_wh is None
    assert not quarter.is_use_known
    assert quarter.estimated
    assert not quarter.import_estimated
    assert quarter.use_wh == 500


def test_a_counter_that_jumps_by_more_than_the_battery_holds_makes_no_sun(tmp_path: Path) -> None:
    [quarter] = quarters_of(
        tmp_path,
        1,
        street_of(2, 2),
        p1={"import_wh": 500, "export_wh": 0},
        battery={"charged_wh": 10_001, "discharged_wh": 0},
    )

    assert quarter.battery_wh is None
    assert (quarter.use_wh, quarter.solar_wh) == (500, 0)
    assert quarter.estimated


def sums_of(
    folder: Path, homes: int, batteries: int, silent: int | None = None
) -> list[SumQuarter]:
    """Return the sums of homes that used 100 Wh and charged 400, where they have a battery."""
    with SqliteStore(folder / "telemetry.db") as store:
        community = street_of(homes, batteries)
        _charging(store, homes, batteries, silent)
        records = Records(store, community, VirtualClock(LATER_S + 86_400))
        return records.sums(NOON_S, LATER_S, INSIDE)


def _charging(store: SqliteStore, homes: int, batteries: int, silent: int | None) -> None:
    for home in range(homes):
        has = home < batteries
        devices = {"p1": {"import_wh": 500 if has else 100, "export_wh": 0}}
        if home == 0:
            devices["pv"] = {"produced_wh": 0}
        if has and home != silent:
            devices["battery"] = {"charged_wh": 400, "discharged_wh": 0}
        quarter_of(store, home, **devices)


@pytest.mark.parametrize(("batteries", "use_wh", "charged_wh"), [(5, 2_700, None), (6, 700, 2_400)])
def test_a_sum_tells_batteries_apart_only_where_enough_homes_have_one(
    batteries: int, use_wh: int, charged_wh: int | None, tmp_path: Path
) -> None:
    [told] = sums_of(tmp_path, 7, batteries)

    assert told.homes == 7
    assert told.use_wh == use_wh
    assert told.charged_wh == charged_wh
    assert told.import_wh == 700 + 400 * batteries


def test_what_a_silent_battery_did_counts_as_use_in_a_sum(tmp_path: Path) -> None:
    [told] = sums_of(tmp_path, 8, 7, silent=3)

    assert told.homes == 8
    assert told.use_wh == 800 + 400
    assert told.charged_wh == 6 * 400
    assert told.estimated == 1


def test_five_batteries_that_spoke_are_not_told_apart_from_use(tmp_path: Path) -> None:
    [told] = sums_of(tmp_path, 8, 6, silent=3)

    assert told.homes == 8
    assert told.use_wh == 800 + 6 * 400
    assert told.charged_wh == 0  # nothing is shared


def test_one_battery_that_never_tells_does_not_silence_a_street_that_is_watched_live(
    tmp_path: Path,
) -> None:
    with SqliteStore(tmp_path / "telemetry.db") as store:
        clock = VirtualClock(NOON_S)
        records = Records(store, street_of(7, 1), clock)
        everybody = frozenset(f"h{home}" for home in range(7))
        assert records.live_homes(everybody) == everybody
        _charging(store, 7, 1, silent=0)
        clock.advance(QUARTER_S + 600)

        [told] = records.sums(NOON_S, LATER_S, INSIDE)

    assert told.homes == 7
    assert told.use_wh == 6 * 100 + 500


def test_outsiders_are_told_of_homes_batteries_as_late_as_of_use(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "telemetry.db") as store:
        _charging(store, 7, 7, None)
        clock = VirtualClock(LATER_S + 600)
        records = Records(store, street_of(7, 7), clock)

        [inside] = records.sums(NOON_S, LATER_S, INSIDE)
        [before] = records.sums(NOON_S, LATER_S)
        clock.advance(86_400)
        [after] = records.sums(NOON_S, LATER_S)

    assert (before.use_wh, before.charged_wh) == (None, None)
    assert (inside.charged_wh, after.charged_wh) == (7 * 400, 7 * 400)


def test_a_battery_that_speaks_late_changes_nothing_that_was_told(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "telemetry.db") as store:
        community, clock = street_of(13, 7), VirtualClock(LATER_S + 600)
        records = Records(store, community, clock)
        _charging(store, 8, 7, silent=3)
        before = records.sums(NOON_S, LATER_S, INSIDE)

        late = {"charged_wh": 400, "discharged_wh": 0}
        readings = [
            Reading("battery", "m", at_s, {name: 1000 + (wh if at_s == LATER_S else 0)})
            for name, wh in late.items()
            for at_s in (NOON_S, LATER_S)
        ]
        block = block_of(readings, "g3", "e", 2)
        with store.intake() as intake:
            intake.add(block, encode_block(block), LATER_S)
            intake.advance("g3", "e", 2)
        for home in range(8, 13):  # so many that a sum without batteries would be told anew
            quarter_of(store, home, p1={"import_wh": 100, "export_wh": 0})
        clock.advance(600)
        after = records.sums(NOON_S, LATER_S, INSIDE)
        known = records.home("h3", NOON_S, LATER_S)

    assert known[0].battery_wh == 400
    assert after == before


@pytest.mark.parametrize(("batteries", "use_w", "charge_w"), [(1, 3_000, 0), (6, 600, 14_400)])
def test_power_now_balances_with_batteries_of_homes(
    batteries: int, use_w: int, charge_w: int
) -> None:
    community, instants = street_of(6, batteries), Instants()
    for home in range(6):
        has = home < batteries
        meter = DeviceKey(f"g{home}", "p1")
        instants.take(meter, "import_w", NOON_S, 2_500 if has else 100)
        instants.take(meter, "export_w", NOON_S, 0)
        if has:
            instants.take(DeviceKey(f"g{home}", "battery"), "battery_w", NOON_S, 2_400)
    powers = powers_now(community, instants, NOON_S)

    power = street_power(community, instants, powers, frozenset(powers), INSIDE, NOON_S)

    assert powers["h0"].use_w == 100
    assert power is not None
    assert (power.use_w, power.charge_w) == (use_w, charge_w)
    assert power.import_w == sum(one.import_w for one in powers.values())


@pytest.mark.parametrize(
    ("taken_w", "given_w", "battery_w", "solar_w", "use_w"),
    [
        (0, 500, 0, 500, 0),
        (0, 500, 2_000, 2_500, 0),
        (300, 0, 2_000, 1_700, 0),
        (2_500, 0, 2_000, 0, 500),
        (0, 500, -2_000, 0, 1_500),
        (0, 2_500, -2_000, 500, 0),
        (600, 100, 400, 100, 200),  # one phase took while another gave
    ],
)
def test_a_roof_that_is_not_read_makes_now_what_a_quarter_would_say(
    taken_w: int, given_w: int, battery_w: int, solar_w: int, use_w: int
) -> None:
    community, instants = street_of(1, 1), Instants()
    instants.take(DeviceKey("g0", "p1"), "import_w", NOON_S, taken_w)
    instants.take(DeviceKey("g0", "p1"), "export_w", NOON_S, given_w)
    instants.take(DeviceKey("g0", "battery"), "battery_w", NOON_S, battery_w)

    power = powers_now(community, instants, NOON_S)["h0"]

    assert (power.solar_w, power.use_w) == (solar_w, use_w)
    assert taken_w - given_w == use_w - solar_w + battery_w
