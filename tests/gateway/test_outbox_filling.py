"""However full the outbox gets, the register of each quarter of each meter stays."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.keep.blocks import Gatherer, Shape
from gateway.keep.outbox import Limits, Outbox
from gateway.keep.trouble import Trouble
from kwartier.clock import VirtualClock
from kwartier.events import EventKind
from kwartier.interval import QUARTER_S
from kwartier.reading import Reading
from kwartier.wire import decode_block

T0 = 1_767_225_600
DEVICES = ("p1", "p1-gas", "inverter")


def in_memory(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def opened(max_bytes: int, clock: VirtualClock) -> Outbox:
    return Outbox(Path("/tmp/none.db"), "gw-1", clock, Limits(max_bytes=max_bytes), in_memory)


def held(outbox: Outbox) -> list[Reading]:
    position = outbox.position
    kept = outbox.read(range(position.oldest, position.last + 1))
    return [row for one in kept for row in decode_block(one.payload).readings()]


def fill(outbox: Outbox, clock: VirtualClock, steps: list[tuple[int, int, bool]]) -> list[Reading]:
    """Take readings of several devices as the keeper does, and return those of quarters' starts.

    Args:
        outbox: Where they go.
        clock: The gateway's time.
        steps: For each run of readings: how many, how far apart [s], and whether the meter is
            swapped before it.
    """
    gatherer = Gatherer(Shape(rows=40))
    firsts: dict[tuple[str, str, int], Reading] = {}
    meter, wh = 1, 0
    for count, gap_s, swapped in steps:
        meter += swapped
        for _ in range(count):
            clock.advance(gap_s)
            wh += 17
            for device in DEVICES:
                at_s = int(clock.now_s())
                values = {"import_wh": wh, "import_w": pow(7, wh, 10_007)}
                reading = Reading(device, f"E{meter}", at_s, values)
                firsts.setdefault((device, reading.meter, at_s // QUARTER_S), reading)
                outbox.append(gatherer.add(reading, clock.monotonic_s()))
            outbox.append(gatherer.due(clock.monotonic_s()))
    outbox.append(gatherer.rest())
    return list(firsts.values())


@settings(max_examples=6, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(1, 60), st.sampled_from([1, 10, 61, 400]), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    max_bytes=st.integers(1_000, 20_000),
)
def test_the_register_of_each_quarter_of_each_meter_survives_any_filling(
    steps: list[tuple[int, int, bool]], max_bytes: int
) -> None:
    clock = VirtualClock(T0)
    outbox = opened(max_bytes, clock)

    wanted = fill(outbox, clock, steps)

    left = held(outbox)
    assert [reading for reading in wanted if reading not in left] == []
    outbox.close()


def test_detail_goes_oldest_first_to_ten_seconds_and_then_to_a_minute() -> None:
    """Sixty-row blocks of one-second readings, more and more of them into 12 kB.

    At ten seconds seven rows are left of each, at a minute the first and the last.
    """
    clock = VirtualClock(T0)
    outbox = opened(12_000, clock)
    seen: set[int] = set()
    for minute in range(200):
        start_s = T0 + 60 * minute
        rows = [
            Reading("p1", "E1", start_s + s, {"import_w": pow(7, start_s + s, 10_007)})
            for s in range(60)
        ]
        gatherer = Gatherer(Shape(at_quarters=False))
        outbox.append([draft for row in rows for draft in gatherer.add(row, 0.0)])
        if minute % 20 == 0:
            kept = outbox.read(range(1, minute + 2))
            sizes = [len(decode_block(one.payload).at_s) for one in kept]
            assert sizes == sorted(sizes)
            seen |= set(sizes)
        clock.advance(60.0)

    assert seen == {60, 7, 2}
    outbox.close()


def test_an_outbox_that_thins_tells_it_once_an_hour() -> None:
    clock = VirtualClock(T0)
    outbox = opened(3_000, clock)
    trouble = Trouble(outbox, clock)
    told = []
    for _ in range(3 * 60):
        fill(outbox, clock, [(1, 60, False)])
        told += trouble.look()

    assert [event.kind for event in told] == [EventKind.OUTBOX_THINNED] * 3
    assert outbox.thinned_blocks > 100
    outbox.close()
