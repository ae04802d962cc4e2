"""No reading lands in a wrong quarter-hour and none is lost, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.agent import Agent, Manner
from gateway.dating import EARLIEST_S, MOST_HELD, Dating, LastKnown, MachineTime
from gateway.keep.blocks import Shape
from gateway.keep.outbox import Outbox
from gateway.p1.reader import P1Reader
from hardware.twins.p1_meter import P1Meter
from kwartier.bus import InProcessBus
from kwartier.clock import VirtualClock
from kwartier.events import Event, EventKind
from kwartier.reading import ClockSource, Reading
from kwartier.wire import decode_block

NOON_S = int(datetime(2026, 6, 14, 10, 0, tzinfo=UTC).timestamp())


class Service:
    """A time service that is told whether the clock was set."""

    def __init__(self, *, known: bool) -> None:
        self.known = known

    def synchronised(self) -> bool:
        return self.known


def dating_at(
    folder: Path, wall_s: float, *, known: bool, last_s: float | None = None
) -> tuple[Dating, VirtualClock, Service]:
    kept = LastKnown(folder / "time.last")
    if last_s is not None:
        kept.note(last_s)
    clock, service = VirtualClock(wall_s), Service(known=known)
    return Dating(clock, service, kept), clock, service


def polled(clock: VirtualClock, value: int) -> Reading:
    """Return what a Modbus poll says: dated by the machine's clock, right or wrong."""
    return Reading("inverter", "", int(clock.now_s()), {"produced_wh": value}, ClockSource.GATEWAY)


def metered(at_s: int, import_wh: int = 1) -> Reading:
    return Reading("p1", "4530", at_s, {"import_wh": import_wh}, ClockSource.METER)


def test_with_a_known_clock_readings_pass_as_they_are(tmp_path: Path) -> None:
    dating, clock, _ = dating_at(tmp_path, NOON_S, known=True)

    assert dating.date(polled(clock, 1)) == [polled(clock, 1)]
    assert dating.now_s() == NOON_S


def test_a_start_in_1970_holds_readings_until_the_network_tells_the_time(tmp_path: Path) -> None:
    """Ten readings each 10 s, then the clock is set; all have the date they were read at."""
    dating, clock, service = dating_at(tmp_path, 0, known=False)
    early = []
    for number in range(10):
        early += dating.date(polled(clock, number))
        clock.advance(10)

    clock.jump(NOON_S)
    service.known = True
    late = dating.date(polled(clock, 10))

    assert early == []
    assert [one.at_s for one in late] == [NOON_S + 10 * number for number in range(11)]
    assert [one.values["produced_wh"] for one in late] == list(range(11))
    assert {one.clock for one in late} == {ClockSource.GATEWAY}


def test_a_clock_of_1970_is_not_believed_whoever_vouches(tmp_path: Path) -> None:
    dating, clock, _ = dating_at(tmp_path, 100, known=True)

    assert dating.date(polled(clock, 1)) == []
    assert not dating.is_known


def test_two_stamps_of_a_sane_meter_tell_the_time(tmp_path: Path) -> None:
    dating, clock, _ = dating_at(tmp_path, 0, known=False, last_s=NOON_S - 3_600)
    dating.date(polled(clock, 1))
    clock.advance(10)

    first = dating.date(metered(NOON_S + 10))
    clock.advance(1)
    second = dating.date(metered(NOON_S + 11))

    assert [one.at_s for one in first] == [NOON_S + 10]
    assert [(one.device, one.at_s) for one in second] == [
        ("inverter", NOON_S),
        ("p1", NOON_S + 11),
    ]
    assert dating.is_known


def test_a_meter_a_day_from_what_was_known_tells_no_time(tmp_path: Path) -> None:
    dating, clock, _ = dating_at(tmp_path, 0, known=False, last_s=NOON_S - 2 * 86_400)
    for second in range(5):
        dating.date(metered(NOON_S + second))
        clock.advance(1)

    assert not dating.is_known


def test_the_network_outranks_the_meter(tmp_path: Path) -> None:
    dating, clock, service = dating_at(tmp_path, 0, known=False, last_s=NOON_S)
    for second in range(3):
        dating.date(metered(NOON_S + second - 60))
        clock.advance(1)
    by_meter_s = dating.now_s()

    clock.jump(NOON_S)
    service.known = True

    assert (by_meter_s, dating.now_s()) == (NOON_S - 57, NOON_S + 3)


def test_a_meter_is_judged_by_the_time_before_the_restart(tmp_path: Path) -> None:
    """At 1970 the reader would give the meter's stamp up; asked by this clock it keeps it."""
    dating, _, _ = dating_at(tmp_path, 0, known=False, last_s=NOON_S - 600)
    telegram = P1Meter("E0001").telegram(NOON_S)

    (reading,) = P1Reader().feed(telegram, dating.now_s())

    assert (reading.at_s, reading.clock) == (NOON_S, ClockSource.METER)


@pytest.mark.parametrize("leap_s", [3_600, -3_600])
def test_a_clock_that_leaps_an_hour_and_back_moves_no_reading(tmp_path: Path, leap_s: int) -> None:
    dating, clock, _ = dating_at(tmp_path, NOON_S, known=True)
    told: list[Event] = []
    dating.watch(told.append)
    out = dating.date(polled(clock, 0))
    for number in range(1, 60):
        clock.advance(10)
        if number == 20:
            clock.jump(leap_s)
        if number == 40:
            clock.jump(-leap_s)
        out += dating.date(polled(clock, number))

    assert [one.at_s for one in out] == [NOON_S + 10 * number for number in range(60)]
    assert [one.kind for one in told] == [EventKind.CLOCK_OFF]


def test_a_leap_that_the_meter_bears_out_is_followed(tmp_path: Path) -> None:
    dating, clock, _ = dating_at(tmp_path, NOON_S - 3_600, known=True)
    dating.date(metered(NOON_S))
    clock.jump(3_600)

    dating.date(metered(NOON_S))

    assert dating.now_s() == NOON_S


def test_a_leap_without_a_meter_is_followed_after_a_quarter_of_an_hour(tmp_path: Path) -> None:
    dating, clock, _ = dating_at(tmp_path, NOON_S, known=True)
    dating.now_s()
    clock.jump(7_200)
    seen = []
    for _ in range(3):
        seen.append(dating.now_s() - NOON_S - clock.monotonic_s())
        clock.advance(450)

    assert seen == [0, 0, 7_200]


def test_a_clock_that_is_put_right_by_seconds_is_followed(tmp_path: Path) -> None:
    dating, clock, _ = dating_at(tmp_path, NOON_S, known=True)
    dating.now_s()

    clock.jump(-20)

    assert (dating.now_s(), dating.leaps) == (NOON_S - 20, 0)


@pytest.mark.parametrize("off_s", [3_600, -3_600])
def test_a_meter_an_hour_off_keeps_its_stamp_and_is_marked_and_told_once(
    tmp_path: Path, off_s: int
) -> None:
    dating, clock, _ = dating_at(tmp_path, NOON_S, known=True)
    told: list[Event] = []
    dating.watch(told.append)
    out = []
    for second in range(5):
        out += dating.date(metered(NOON_S + second + off_s))
        clock.advance(1)

    assert [one.at_s for one in out] == [NOON_S + second + off_s for second in range(5)]
    assert {one.clock for one in out} == {ClockSource.UNSURE}
    assert [(one.kind, one.device) for one in told] == [(EventKind.CLOCK_OFF, "p1")]


@pytest.mark.parametrize(
    "night",
    [datetime(2026, 3, 29, 0, 0, tzinfo=UTC), datetime(2026, 10, 25, 0, 0, tzinfo=UTC)],
    ids=["29 March", "25 October"],
)
def test_on_the_nights_of_the_change_every_reading_is_in_its_quarter(
    tmp_path: Path, night: datetime
) -> None:
    """Three hours around the change, a telegram and a poll each minute: the season letter tells."""
    start_s = int(night.timestamp())
    dating, clock, _ = dating_at(tmp_path, start_s, known=True)
    reader, meter = P1Reader(), P1Meter("E0001")
    out: list[Reading] = []
    for minute in range(180):
        meter.count(import_wh=1, export_wh=0)
        at_s = start_s + 60 * minute
        for reading in reader.feed(meter.telegram(at_s), dating.now_s()):
            out += dating.date(reading)
        out += dating.date(polled(clock, minute))
        clock.advance(60)

    for device, series, first in (("p1", "import_wh", 1), ("inverter", "produced_wh", 0)):
        told = [(one.at_s, one.values[series]) for one in out if one.device == device]
        assert told == [(start_s + 60 * minute, minute + first) for minute in range(180)]
    assert {one.clock for one in out} == {ClockSource.METER, ClockSource.GATEWAY}


def test_what_waits_has_a_limit_and_leaves_as_unsure(tmp_path: Path) -> None:
    dating, clock, _ = dating_at(tmp_path, 0, known=False, last_s=NOON_S)
    out = []
    for number in range(MOST_HELD + 3):
        out += dating.date(polled(clock, number))
        clock.advance(1)

    assert [(one.at_s, one.clock) for one in out] == [
        (NOON_S + number, ClockSource.UNSURE) for number in range(3)
    ]
    assert (dating.held, dating.unsure) == (MOST_HELD, 3)


def test_the_time_before_a_restart_is_kept_and_never_before_2025(tmp_path: Path) -> None:
    kept = LastKnown(tmp_path / "time.last")
    first_s = kept.read()
    dating, clock, _ = dating_at(tmp_path, NOON_S, known=True)

    dating.now_s()
    clock.advance(3_600)
    dating.now_s()

    assert (first_s, kept.read()) == (EARLIEST_S, NOON_S + 3_600)


def test_the_machines_time_service_is_asked_where_there_is_one(tmp_path: Path) -> None:
    service = MachineTime(tmp_path / "timesync")
    without = service.synchronised()
    (tmp_path / "timesync").mkdir()
    before = service.synchronised()
    (tmp_path / "timesync" / "synchronized").touch()

    assert (without, before, service.synchronised()) == (True, False, True)


def test_an_agent_keeps_what_waited_for_the_time_and_writes_the_rest_at_a_stop(
    tmp_path: Path,
) -> None:
    dating, clock, service = dating_at(tmp_path, 0, known=False, last_s=NOON_S)
    outbox = Outbox(tmp_path / "outbox.db", "gw-1", clock)
    manner = Manner(shape=Shape(rows=1), live_every_s=0)
    agent = Agent("straat", "gw-1", outbox, InProcessBus(), clock, manner, dating=dating)

    agent.take(polled(clock, 1))
    before = outbox.position.last
    clock.jump(NOON_S + 500)
    service.known = True
    agent.take(polled(clock, 2))

    kept = [decode_block(block.payload).readings()[0] for block in outbox.read(range(1, 3))]
    assert before == 0
    assert [(one.at_s, one.clock) for one in kept] == [(NOON_S + 500, ClockSource.GATEWAY)] * 2
    outbox.close()
