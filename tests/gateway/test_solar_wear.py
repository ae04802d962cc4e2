"""A day under a cap: how often the inverter is written, and the card, at one turn a second."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.steer.solar_budget import KEPT_FOR_REFRESHES, MOST_A_DAY, PARCEL
from hardware.twins.household import Habits, sun_w, use_w
from tests.gateway.solar_bench import CAP_W, RATED_W, bench_on_wire

DAY_S = 86_400
MIDNIGHT_S = 1_782_864_000  # 1 July 2026, 00:00 UTC
NOON_S = MIDNIGHT_S + DAY_S // 2
A_WRITE_BYTES = 16_384
"""What one small file costs a card at most: its page, its folder, and both in the log."""
CARD_BYTES = 25_000_000
"""What a day may write (tests/faults/test_card_wear.py)."""
HOME = Habits(seed=8, people=4, solar_peak_w=6_000, heat_pump=True)


@dataclass
class Counted:
    """What a while came to."""

    inverter: int = 0
    card: int = 0
    over_s: list[int] = field(default_factory=list)


def lived_through(folder: Path, start_s: int, seconds: int) -> Counted:
    """Return what was written while a family lived under a clear and a cloudy sky."""
    bench = bench_on_wire(folder, start_s)
    gateway, counted = bench.gateway(), Counted()
    stamps: dict[Path, int] = {}

    def life(second: int) -> None:
        at_s = start_s + second
        bench.twin.sun_w = min(sun_w(HOME, at_s), RATED_W)
        # Motors and pumps: no home draws the same for two seconds.
        bench.use_w = use_w(HOME, at_s) + pow(7, second, 61)
        for file in folder.glob("*.json"):
            stamp = file.stat().st_mtime_ns
            counted.card += stamps.get(file) != stamp
            stamps[file] = stamp

    bench.run(gateway, seconds, life)
    counted.inverter = bench.twin.writes
    counted.over_s.append(bench.longest_over_s(CAP_W))
    return counted


def test_half_an_hour_at_noon_is_within_its_part_of_the_day(tmp_path: Path) -> None:
    counted = lived_through(tmp_path, NOON_S, 1_800)

    assert counted.inverter < MOST_A_DAY // 16  # as if the sun shone for eight hours like that
    assert counted.card * A_WRITE_BYTES * 16 < CARD_BYTES // 5
    assert counted.over_s == [1]


@pytest.mark.nightly
def test_a_day_in_july_follows_each_change_and_spares_inverter_and_card(tmp_path: Path) -> None:
    counted = lived_through(tmp_path, MIDNIGHT_S, DAY_S)

    assert 500 < counted.inverter < 5_500  # from there on it would stay at the cap
    assert counted.card * A_WRITE_BYTES < CARD_BYTES // 5
    assert counted.over_s == [1]


def test_when_the_changes_of_a_day_are_spent_the_cap_is_kept_until_tomorrow(tmp_path: Path) -> None:
    bench = bench_on_wire(tmp_path)
    spent = (MOST_A_DAY - KEPT_FOR_REFRESHES) // PARCEL
    day = int(bench.clock.now_s()) // DAY_S
    told = f'{{"day": {day}, "counts": {{"123": {spent}}}}}'
    (tmp_path / "roof.limits.json").write_text(told)
    bench.twin.sun_w, bench.use_w = 5_000, 800
    gateway = bench.gateway()

    def switches(second: int) -> None:
        bench.use_w = 800 + 500 * (second % 10 < 5)

    bench.run(gateway, 125, switches)

    assert set(bench.powers_w[2:]) == {950}
    assert bench.twin.writes == 5  # one, and each half minute its timer is renewed
