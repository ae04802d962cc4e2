"""InfluxDB is away for a simulated day of a hundred points a second; then all of it is there, once.

The stand-in counts every point by series and instant. The day itself runs at night; by day an hour
of it does.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.forward_book import ForwardBook
from collectors.forwarder import Forwarder, Pauses
from collectors.influx import Influx, InfluxSettings
from collectors.sqlite_store import SqliteStore
from kwartier.clock import SystemClock
from kwartier.reading import ClockSource
from kwartier.wire import Block, encode_block
from tests.collectors.influx_far_side import lines_of, refusal
from tests.collectors.loopback import Asked, FarSide, Reply

START_S = 1_782_900_000  # 2026-07-01T10:00:00Z
HOMES = 100
NAMES = (
    "import_wh", "export_wh", "import_w", "export_w", "voltage_l1_dv", "voltage_l2_dv",
    "voltage_l3_dv", "current_l1_ma", "current_l2_ma", "current_l3_ma",
)  # fmt: skip
"""Ten values of each home every ten seconds: a hundred points a second."""
STEP_S = 10
BLOCK_S = 600


class Counting(FarSide):
    """Away while it is told to be; then it counts the points of each series, and takes them all."""

    def __init__(self) -> None:
        self.is_away = True
        self.requests_while_away = 0
        self.points = 0
        self.times: Counter[tuple[str, int]] = Counter()
        self.stumbles = [refusal(503, "busy"), Reply(429, headers={"Retry-After": "0"})]
        super().__init__(Reply(204))

    def reply(self, asked: Asked) -> Reply:
        self.asked.clear()
        if self.is_away:
            self.requests_while_away += 1
            return refusal(503, "away")
        if self.stumbles:
            return self.stumbles.pop()
        for line in lines_of(asked):
            series, fields, at_s = line.split(" ")
            if series.startswith("reading,"):
                self.times[series, int(at_s)] += 1
                self.points += fields.count("=")
        return Reply(204)


def rounds(hours: int) -> Iterator[list[Block]]:
    """Yield what all homes sent, ten minutes at a time."""
    for place in range(hours * 3600 // BLOCK_S):
        start_s = START_S + place * BLOCK_S
        at_s = tuple(range(start_s, start_s + BLOCK_S, STEP_S))
        columns = {
            name: tuple(number * 1000 + at - START_S for at in at_s)
            for number, name in enumerate(NAMES)
        }
        clock, seq = ClockSource.METER, place + 1
        yield [
            Block(f"gw-{home:03}", "e", seq, "p1", "m", clock, at_s, columns)
            for home in range(HOMES)
        ]


def away_and_back(folder: Path, hours: int) -> float:
    """Let it be away, come back, and check that all is there once; return points a second."""
    points = hours * 3600 // STEP_S * HOMES * len(NAMES)
    server = Counting()
    book = ForwardBook(folder / "forwarded.db")
    with (
        SqliteStore(folder / "record.db") as record,
        Influx(InfluxSettings(server.url, "t", "coop", "raw")) as door,
    ):
        sending = Forwarder(
            record, door, book, "wijk", SystemClock(), Pauses(0.0, 0.0, 0.0, lines_per_s=10**9)
        )
        for together in rounds(hours):
            with record.intake() as intake:
                for block in together:
                    intake.add(block, encode_block(block), START_S)
            assert sending.turn() == 0
        assert server.points == 0
        assert server.requests_while_away > 0

        server.is_away = False
        began_s = time.perf_counter()
        while book.position(record.generation) < record.journal_end()[0]:
            sending.turn()
        took_s = time.perf_counter() - began_s

        assert record.counts().points == points
    book.close()
    server.close()
    assert (server.points, book_dead(folder)) == (points, 0)
    assert len(server.times) == points // len(NAMES)
    assert set(server.times.values()) == {1}
    return points / took_s


def book_dead(folder: Path) -> int:
    """Return how many lines were refused for good."""
    book = ForwardBook(folder / "forwarded.db")
    try:
        return book.dead
    finally:
        book.close()


def test_after_an_hour_away_all_is_there_once(tmp_path: Path) -> None:
    away_and_back(tmp_path, hours=1)


@pytest.mark.nightly
def test_after_a_day_away_all_is_there_once(tmp_path: Path) -> None:
    rate = away_and_back(tmp_path, hours=24)

    print(f"\n8,640,000 points forwarded at {rate:,.0f}/s")  # noqa: T201 - the figure
