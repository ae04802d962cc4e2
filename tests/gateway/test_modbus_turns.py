"""A line is handed on by urgency, in order of arrival, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from gateway.modbus.breaker import Breaker, UnitPausedError
from gateway.modbus.turns import Lane, LineCrowdedError, Turns

PATIENT_S = 60.0


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition, at most a minute."""
    end_s = time.monotonic() + PATIENT_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.001)


def waits(turns: Turns, count: int) -> bool:
    """Return whether so many wait."""
    return turns.waiting == count


def order_of(lanes: list[Lane]) -> list[int]:
    """Return in which order requests that arrived while the line was taken get it."""
    turns = Turns("line")
    order: list[int] = []

    def want(place: int, lane: Lane) -> None:
        with turns.turn(lane, PATIENT_S):
            order.append(place)

    threads = [threading.Thread(target=want, args=item) for item in enumerate(lanes)]
    with turns.turn(Lane.OWN, PATIENT_S):
        for place, thread in enumerate(threads):
            thread.start()
            until(partial(waits, turns, place + 1))
    for thread in threads:
        thread.join(PATIENT_S)
    return order


def test_writes_go_before_reads_and_reads_before_guests() -> None:
    lanes = [Lane.GUEST, Lane.OWN, Lane.COMMAND, Lane.OWN, Lane.COMMAND]

    assert order_of(lanes) == [2, 4, 1, 3, 0]


def test_a_read_waits_for_four_writes_at_most_and_a_guest_gets_its_turn_too() -> None:
    """Four commands pass both; then the read that waited, then the guest that waited longer."""
    order = order_of([Lane.GUEST, Lane.OWN, *[Lane.COMMAND] * 8])

    assert order == [2, 3, 4, 5, 1, 0, 6, 7, 8, 9]


def test_a_line_that_too_many_wait_for_refuses_at_once() -> None:
    turns = Turns("/dev/line", most_waiting=1)
    with turns.turn(Lane.OWN, PATIENT_S):
        patient = threading.Thread(target=lambda: turns.turn(Lane.OWN, PATIENT_S).__enter__())
        patient.start()
        until(lambda: turns.waiting == 1)

        with (
            pytest.raises(LineCrowdedError, match="/dev/line: 1 requests wait"),
            turns.turn(Lane.COMMAND, PATIENT_S),
        ):
            pass
    patient.join(PATIENT_S)


def test_who_waited_too_long_leaves_the_queue() -> None:
    turns = Turns("line")
    with turns.turn(Lane.OWN, PATIENT_S):
        with (
            pytest.raises(LineCrowdedError, match=r"no turn within 0\.01 s"),
            turns.turn(Lane.OWN, 0.01),
        ):
            pass
        assert turns.waiting == 0


class Count:
    """A monotonic count that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_pause_of_a_silent_unit_grows_by_two_seconds_up_to_five_minutes() -> None:
    count = Count()
    breaker = Breaker("bus", count)
    breaker.answered(1)
    pauses: list[int] = []
    for _ in range(160):
        breaker.silent(2, took_s=0.1)
        begun_s = count.now_s
        while True:
            try:
                breaker.check(2)
            except UnitPausedError:
                count.now_s += 1
            else:
                break
        pauses.append(round(count.now_s - begun_s))

    assert pauses[:4] == [2, 4, 6, 8]
    assert pauses[148:] == [298, *[300] * 11]


def test_a_dead_unit_takes_at_most_a_fifth_of_the_line() -> None:
    """Silent for 6 s, it is left alone for 24 s."""
    count = Count()
    breaker = Breaker("bus", count)
    breaker.answered(1)
    breaker.silent(2, took_s=6.0)

    count.now_s = 23.9
    with pytest.raises(UnitPausedError, match="unit 2: silent 1 times"):
        breaker.check(2)
    count.now_s = 24.0
    breaker.check(2)


def test_a_unit_that_answers_again_is_asked_as_before_and_an_only_one_always() -> None:
    breaker = Breaker("bus", Count())
    breaker.silent(7, took_s=1.0)
    breaker.check(7)  # nobody else is there to make room for

    breaker.answered(8)
    with pytest.raises(UnitPausedError):
        breaker.check(7)
    breaker.answered(7)
    breaker.check(7)
