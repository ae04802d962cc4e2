"""How much a home's readings wear its memory card: bytes that SQLite hands to the disk in a day."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.keep.blocks import Shape
from gateway.keep.keeper import Keeper
from gateway.keep.outbox import Outbox
from kwartier.clock import VirtualClock
from kwartier.reading import Reading
from tests.faults.power_cuts import Disk, OverDisk

T0 = 1_767_225_600
HOUR_S = 3_600
DAY_S = 86_400
BUDGET_BYTES = 25_000_000
"""What one day may write; a small card bears about 10 TB, which is a thousand years of it."""


def written_in_a_day(folder: Path, shape: Shape, counted_s: int) -> int:
    """Return the bytes of a day of one P1 meter at 1 Hz and three Modbus devices at 0.1 Hz.

    They are counted over ``counted_s``, long enough for the log to be written back, after as long
    a start, and grown to a day.
    """
    disk, clock = Disk(), VirtualClock(T0)
    outbox = Outbox(folder / "o.db", "gw-1", clock, None, lambda path: OverDisk(path, disk))
    keeper = Keeper(outbox, clock, lambda: None, shape)
    before = 0
    for second in range(2 * counted_s):
        if second == counted_s:
            before = disk.written_bytes
        for reading in _readings(second):
            keeper.take(reading)
        clock.advance(1.0)
        keeper.write_due()
        outbox.acknowledge(outbox.position.last, "store-a")
    outbox.close()
    return (disk.written_bytes - before) * DAY_S // counted_s


def _readings(second: int) -> list[Reading]:
    at_s = T0 + second
    power_w = pow(7, second, 10_007)
    values = {
        "import_wh": 4_000_000 + second // 4,
        "export_wh": 1_000_000,
        "import_t1_wh": 2_000_000 + second // 4,
        "import_t2_wh": 2_000_000,
        "import_w": power_w,
        "export_w": 0,
        **{f"import_l{phase}_w": power_w // 3 + phase for phase in (1, 2, 3)},
        **{f"voltage_l{phase}_dv": 2_300 + (second * phase) % 37 for phase in (1, 2, 3)},
        **{f"current_l{phase}_ma": 1_000 * (power_w // 700) for phase in (1, 2, 3)},
    }
    readings = [Reading("p1", "E0001", at_s, values)]
    if second % 10 == 3:
        solar = {"produced_wh": 9_000_000 + second, "solar_w": power_w}
        readings += [
            Reading("inverter", "I1", at_s, solar),
            Reading("battery", "B1", at_s, {"battery_w": -power_w, "soc_permille": 500}),
            Reading("sub", "S1", at_s, {"import_wh": 70_000 + second, "import_w": power_w}),
        ]
    return readings


def test_at_the_pace_of_one_hour_a_day_stays_within_its_budget_and_a_tenth(tmp_path: Path) -> None:
    assert written_in_a_day(tmp_path, Shape(), HOUR_S) < 1.1 * BUDGET_BYTES


def test_a_commit_for_each_reading_would_write_thirty_times_as_much(tmp_path: Path) -> None:
    assert written_in_a_day(tmp_path, Shape(rows=1), HOUR_S // 20) > 30 * BUDGET_BYTES


@pytest.mark.nightly
def test_a_whole_day_of_readings_writes_at_most_twenty_five_megabytes(tmp_path: Path) -> None:
    assert written_in_a_day(tmp_path, Shape(), DAY_S) < BUDGET_BYTES
