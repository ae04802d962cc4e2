"""How long a settlement takes: exactly, in arrays, and as a command on a month in a file."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from kwartier.interval import QUARTER_S, Quarter
from kwartier.model import Tariff
from kwartier.units import kwh_text
from kwartier.wire import Json
from optimizer.as_json.readings_json import connections_of
from optimizer.as_json.strict_json import Part
from optimizer.balance import QuarterReadings, Registers
from optimizer.settlement import Rules, settle_day
from optimizer.settling.listing import Listing
from optimizer.settling.matrix import ReadingMatrix, RegisterMatrix, WhArray
from optimizer.settling.matrix_settlement import settle_matrix
from optimizer.settling.period import Agreement, KeyVersion, Rounding, settle_period
from optimizer.settling.period_volumes import settle_listing
from optimizer.sharing import Hybrid, Proportional, Rounds, SharingKey, Static
from tests.optimizer.second_opinion import caps_by_rule, rounded, searched_fill, whose_export

MONTH = 31 * 96
"""The quarters of a month."""
ALWAYS = (KeyVersion(0, Proportional()),)
RUN = """
import sys, time
from kwartier.cli import main
code = main()
peak = next(row for row in open("/proc/self/status") if row.startswith("VmHWM")).split()[1]
print(peak, time.process_time(), file=sys.stderr)
sys.exit(code)
"""
"""Runs a command line and then tells the most memory it held [KiB], and its processor time [s].

The usual count of a child's memory begins with what its parent held, so the kernel's own is read.
"""
HOMES = [f"h{place:03}" for place in range(100)]
EQUAL_PARTS = dict.fromkeys(HOMES, Fraction(1, len(HOMES)))


def street(quarters: int) -> list[QuarterReadings]:
    """Return quarters of 100 homes of which about every third exports."""
    draw = random.Random(1)  # noqa: S311 - figures, not secrets
    return [
        QuarterReadings(
            Quarter((1_900_000 + number) * QUARTER_S),
            {
                name: Registers(draw.randrange(500), draw.choice((0, 0, draw.randrange(600))))
                for name in HOMES
            },
        )
        for number in range(quarters)
    ]


def settled_plainly(day: list[QuarterReadings]) -> int:
    """Return what is shared in a day, the slow way."""
    shared_wh = 0
    for readings in day:
        imports = {name: read.import_wh or 0 for name, read in readings.connections.items()}
        exports = {name: read.export_wh or 0 for name, read in readings.connections.items()}
        caps = caps_by_rule("no_self", imports, exports, 0)
        allocated = rounded(searched_fill(sum(exports.values()), imports, caps), HOMES)
        whose_export(allocated, exports, HOMES, pool=False)
        shared_wh += sum(allocated.values())
    return shared_wh


@pytest.mark.speed
@pytest.mark.parametrize(
    "key",
    [Proportional(), Static(EQUAL_PARTS, Rounds.FILL), Hybrid(EQUAL_PARTS)],
    ids=["proportional", "static fill", "hybrid"],
)
def test_a_day_of_a_hundred_homes_is_settled_in_two_seconds(key: SharingKey) -> None:
    day = street(96)

    begun = time.perf_counter()
    settlement = settle_day(day, Rules(key), Tariff())
    ours_s = time.perf_counter() - begun
    begun = time.perf_counter()
    plain_wh = settled_plainly(day[:4])
    plain_s = (time.perf_counter() - begun) * 24

    print(f"\n{key.__class__.__name__}: day {ours_s:.3f} s; plain {plain_s:.1f} s; ", end="")
    print(f"ratio {ours_s / plain_s:.4f}")
    assert plain_wh > 0
    assert settlement.shared_wh > 0
    assert ours_s < 2


@pytest.mark.speed
@pytest.mark.parametrize("rounding", list(Rounding))
def test_a_month_of_a_hundred_homes_is_settled_in_seconds(rounding: Rounding) -> None:
    month = street(MONTH)
    agreement = Agreement(ALWAYS, Rules(), rounding=rounding)
    listing = Listing.of(month)

    begun = time.perf_counter()
    exact = settle_period(month, agreement)
    exact_s = time.perf_counter() - begun
    begun = time.perf_counter()
    in_arrays = settle_listing(listing, agreement)
    arrays_s = time.perf_counter() - begun

    print(f"\nmonth of 100, rounded by {rounding}: exact engine {exact_s:.2f} s, ", end="")
    print(f"arrays {arrays_s:.3f} s; ratio {arrays_s / exact_s:.3f}")
    assert in_arrays.members == exact.members
    assert exact_s < 30
    assert arrays_s < 1


@pytest.mark.speed
def test_a_month_of_a_thousand_homes_in_a_matrix_is_settled_in_seconds() -> None:
    few, many = ReadingMatrix.of(street(96)), wide_street(1_000)

    begun = time.perf_counter()
    settled = settle_matrix(many, Agreement(ALWAYS, Rules()))
    many_s = time.perf_counter() - begun
    begun = time.perf_counter()
    settle_matrix(few, Agreement(ALWAYS, Rules()))
    few_s = time.perf_counter() - begun

    print(f"\nmatrix: a day of 100 homes {few_s:.3f} s, a month of 1,000 {many_s:.2f} s")
    assert settled.bought_wh.any()
    assert many_s < 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the command: how long, by the clock and at work, its memory and its answer."""

    seconds: float
    work_s: float
    peak_mib: float
    answer: Json


@pytest.mark.speed
@pytest.mark.parametrize("rounding", list(Rounding))
def test_a_month_in_a_file_is_settled_in_time_and_memory(
    tmp_path: Path, rounding: Rounding
) -> None:
    print(f"\nkwartier settle period, a month, rounded by {rounding}")
    print("connections     file    seconds  processor  peak RSS  per connection-quarter")
    measured: dict[int, Measured] = {}
    for homes in (100, 300, 1_000, 3_000):
        file = tmp_path / "month.json"
        write_month(file, homes, rounding)
        run = settled_by_command(file)
        measured[homes] = run
        size_mb, each_us = file.stat().st_size / 1e6, run.work_s / homes / MONTH * 1e6
        print(
            f"{homes:11,} {size_mb:5.0f} MB {run.seconds:8.2f} s {run.work_s:8.2f} s "
            f"{run.peak_mib:5.0f} MiB {each_us:20.2f} us"
        )
        if homes == 100:
            begun = time.perf_counter()
            exact = settled_at_once(file)
            exact_s = time.perf_counter() - begun
            print(f"            read at once, exact engine: {exact_s:.2f} s; ", end="")
            print(f"ratio {run.seconds / exact_s:.2f}")
            assert run.answer == exact

    # One thread does all the work, so on a machine that is busy with more its time is told apart.
    assert measured[100].work_s < 2
    assert measured[1_000].work_s < 20
    assert measured[1_000].peak_mib < 1024
    assert measured[3_000].work_s < 2 * 3 * measured[1_000].work_s


def wide_street(homes: int) -> ReadingMatrix:
    """Return a month of homes of which about every third exports."""
    draw = np.random.default_rng(1)
    shape = homes, MONTH
    exporting = draw.integers(0, 3, shape) == 0
    return ReadingMatrix(
        Quarter(1_900_000 * QUARTER_S),
        tuple(f"h{place:05}" for place in range(homes)),
        np.ones(shape, np.bool_),
        registers(draw.integers(0, 500, shape)),
        registers(draw.integers(0, 600, shape) * exporting),
        registers(draw.integers(0, 9_000, (1, MONTH))),
        registers(draw.integers(0, 9_000, (1, MONTH))),
    )


def registers(energy_wh: WhArray) -> RegisterMatrix:
    never = np.zeros(energy_wh.shape, np.bool_)
    return RegisterMatrix(energy_wh, never, never)


def write_month(file: Path, homes: int, rounding: Rounding) -> None:
    """Write a month of homes as ``kwartier settle period`` reads it."""
    draw = random.Random(1)  # noqa: S311 - figures, not secrets
    imports = [f'"import": "{kwh_text(energy_wh)}"' for energy_wh in range(500)]
    exports = [f'"export": "{kwh_text(energy_wh)}"' for energy_wh in (*[0] * 1_200, *range(600))]
    with file.open("w", encoding="utf-8") as opened:
        opened.write('{"quarters": [')
        for number in range(MONTH):
            rows = zip(draw.choices(imports, k=homes), draw.choices(exports, k=homes), strict=True)
            readings = ", ".join(
                f'"h{place:05}": {{{taken}, {given}}}' for place, (taken, given) in enumerate(rows)
            )
            start = Quarter((1_900_000 + number) * QUARTER_S)
            opened.write(", " * bool(number) + f'{{"ts": "{start}", "readings": {{{readings}}}}}')
        opened.write('], "keys": [{"from": "2020-01-01T00:00:00Z", "key": {"type": ')
        opened.write(f'"proportional"}}}}], "rounding": "{rounding}"}}')


def settled_by_command(file: Path) -> Measured:
    """Return what a process of its own makes of a file."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", RUN, "settle", "period", str(file)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    seconds = time.perf_counter() - begun
    peak_kib, work_s = done.stderr.split()
    return Measured(seconds, float(work_s), int(peak_kib) / 1024, json.loads(done.stdout))


def settled_at_once(file: Path) -> Json:
    """Return what the strict reader and the exact engine make of a file."""
    document = json.loads(file.read_text(encoding="utf-8"))
    quarters = [
        QuarterReadings(Quarter.parse(row["ts"]), connections_of(Part(row["readings"])))
        for row in document["quarters"]
    ]
    agreement = Agreement(ALWAYS, Rules(), rounding=Rounding(document["rounding"]))
    settled = settle_period(quarters, agreement)
    return {
        "status": settled.status.value,
        "missing": len(settled.missing),
        "quarters": settled.quarters,
        "members": {
            name: {"bought": volume.bought_wh, "sold": volume.sold_wh}
            for name, volume in settled.members.items()
        },
        "orphan": dict(settled.orphan_wh),
    }
