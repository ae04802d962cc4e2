"""The overview knows use from what a home's own battery kept, by the rules of the record."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from api.overview.day_sums import HomeQuarters
from api.overview.law import law_of_settings
from api.overview.reading import read_days
from api.overview.reckoning import SummedDay, summed_days
from collectors.queries import Records
from collectors.sqlite_store import SqliteStore
from kwartier.clock import VirtualClock
from kwartier.interval import QUARTER_S, local_day
from kwartier.model import Battery, Community, Connection, Tariff
from kwartier.reading import Reading
from optimizer.settlement import Rules
from tests.api.street import feed

DAY = date(2026, 7, 1)
START_S, END_S = local_day(DAY)
HOMES = 7


def lived(folder: Path, batteries: int, silent: int | None = None) -> tuple[SummedDay, Records]:
    """Return a day of homes that use 100 Wh a quarter; batteries take 40 and give back 30."""
    community = Community(
        "zonnehof",
        "Zonnehof",
        {f"h{n}": Connection(f"h{n}", f"m{n}", f"g{n}") for n in range(HOMES)},
        {},
        home_batteries={
            f"b{n}": Battery(f"b{n}", f"g{n}", "battery", 9_000, 3_000, 3_000, home=f"h{n}")
            for n in range(batteries)
        },
    )
    clock = VirtualClock(END_S + 3_600)
    with SqliteStore(folder / "telemetry.db") as store:
        for n in range(HOMES):
            meter, battery = [], []
            taken = charged = given = 1_000
            for at_s in range(START_S, END_S + 1, QUARTER_S):
                meter.append(Reading("p1", "m", at_s, {"import_wh": taken, "export_wh": 500}))
                values = {"charged_wh": charged, "discharged_wh": given}
                battery.append(Reading("battery", "b", at_s, values))
                charges = (at_s // QUARTER_S) % 2 == 0
                moved = (40 if charges else -30) if n < batteries else 0
                charged, given = charged + max(0, moved), given + max(0, -moved)
                taken += 100 + moved
            feed(store, f"g{n}", 1, meter)
            if n < batteries and n != silent:
                feed(store, f"g{n}", 2, battery)
        read = read_days(store, community, [DAY], clock.now_s())
        (day,) = summed_days(read, law_of_settings(Rules(), Tariff()), int(clock.now_s()))
        records = Records(store, community, clock)
        records.period(START_S, END_S)
        return day, records


@pytest.mark.parametrize(("batteries", "battery_wh"), [(5, 48 * 10 * 5), (6, 0)])
def test_use_is_told_without_own_batteries_to_each_home_and_in_sums_of_six(
    batteries: int, battery_wh: int, tmp_path: Path
) -> None:
    day, _ = lived(tmp_path, batteries)

    assert {home.use_wh for home, _ in day.homes} == {96 * 100}
    assert day.homes[0][0].import_wh == 96 * 100 + 48 * 10
    # What few batteries kept counts as use: 40 less 30 in each half hour.
    assert day.area.use_wh == HOMES * 96 * 100 + battery_wh


def test_while_a_battery_is_silent_use_is_an_estimate_with_it(tmp_path: Path) -> None:
    day, records = lived(tmp_path, 2, silent=1)
    (home, quarters) = day.homes[1]

    assert home.use_wh == 96 * 100 + 48 * 10
    assert home.estimated == 96
    assert day.homes[0][0].estimated == 0
    same = records.period(START_S, END_S).homes["h1"]
    assert quarters.use_wh.tolist() == [same[at_s].use_wh for at_s in sorted(same)]


def test_quarters_are_kept_with_what_the_battery_did(tmp_path: Path) -> None:
    day, _ = lived(tmp_path, 1)
    quarters = day.homes[0][1]

    kept = HomeQuarters.unpacked(quarters.packed())

    assert np.array_equal(kept.use_wh, quarters.use_wh)
    assert set(kept.kept_wh.tolist()) == {40, -30}


def test_the_sum_tells_no_five_batteries_apart_where_the_sixth_is_silent(tmp_path: Path) -> None:
    day, _ = lived(tmp_path, 6, silent=5)

    assert day.area.use_wh == HOMES * 96 * 100 + 48 * 10 * 6
