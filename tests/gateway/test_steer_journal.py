"""What is noted of set-points: enough to know ours again, and no more than a card bears."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from gateway.steer.journal import Accepted, SteerJournal
from gateway.steer.steering import Held
from kwartier.reading import MeterBand, Schedule, Step


def noted(file: Path, powers_w: list[int]) -> int:
    """Return how often the card was written while a battery was told these powers [W]."""
    journal = SteerJournal(file)
    journal.writes(powers_w[0], None)
    stamps = {file.stat().st_mtime_ns}
    for last_w, power_w in pairwise(powers_w):
        journal.writes(power_w, last_w)
        stamps.add(file.stat().st_mtime_ns)
    return len(stamps)


@pytest.mark.parametrize("full_w", [5_000, -5_000, 150_000, -150_000])
def test_a_wish_on_its_way_over_the_whole_power_is_noted_a_few_times(
    tmp_path: Path, full_w: int
) -> None:
    way_w = [full_w * second // 300 for second in range(301)]

    assert noted(tmp_path / "battery.json", way_w) <= 30  # 300 moves, one each second


def test_a_shared_battery_that_follows_a_street_is_not_noted_at_every_swing(tmp_path: Path) -> None:
    swings_w = [60_000 + pow(7, second, 15_013) - 7_500 for second in range(900)]

    assert noted(tmp_path / "battery.json", swings_w) <= 3


@pytest.mark.parametrize(
    ("held_w", "ours"),
    [(100_000, True), (110_000, True), (99_000, True), (75_000, False), (-100_000, False)],
)
def test_another_s_set_point_is_not_taken_for_ours_after_a_restart(
    tmp_path: Path, held_w: int, ours: bool
) -> None:
    SteerJournal(tmp_path / "battery.json").writes(100_000, None)

    again = SteerJournal(tmp_path / "battery.json")

    assert again.is_ours(Held(held_w, None)) is ours


def test_a_restart_finds_the_bands_of_the_schedule_in_force(tmp_path: Path) -> None:
    steps = (
        Step(1_767_225_600, -500, 900, 0, MeterBand(None, 0)),
        Step(1_767_226_500, 2_000, 900),
        Step(1_767_227_400, 0, 900, None, MeterBand(-30_000, 25_000)),
    )
    accepted = Accepted(Schedule("battery", 14, "p-14", steps), -1_767_225_000.0, "boot")
    SteerJournal(tmp_path / "battery.json").commanded(accepted)

    again = SteerJournal(tmp_path / "battery.json")

    assert again.accepted == accepted
