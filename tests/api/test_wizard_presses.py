"""Presses as the server sends them, and what it makes of what boxes tell."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from api.enrolment.mirrors import AWAY_S, Mirrors, NoAnswerError
from gateway.commission.book import STEPS, Mark, Step
from gateway.commission.mirror import Mirror, Shown, encode_mirror
from gateway.commission.press import (
    LIFE_S,
    Press,
    Pressed,
    PressOutcome,
    decode_press,
    encode_pressed,
)
from gateway.commission.view import Tone, View
from kwartier.bus import InProcessBus, Message
from kwartier.clock import VirtualClock
from kwartier.errors import LinkDownError
from kwartier.packing import LAST_INSTANT_S
from kwartier.wire import Address, Lane

NOW_S = 1_781_431_980
TOPIC, ANSWERS, PRESSES = (
    Address("street", "gw-14", lane).topic for lane in (Lane.WIZARD, Lane.PRESSED, Lane.PRESS)
)


@dataclass(slots=True)
class Outside:
    """What was written on the outside of each message."""

    retained: list[bool] = field(default_factory=list)
    expiry_s: list[int | None] = field(default_factory=list)
    qos: list[int] = field(default_factory=list)


class WatchedBus(InProcessBus):
    """A bus that notes how each message was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.outside = Outside()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: int | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        if topic == PRESSES:
            self.outside.retained.append(retain)
            self.outside.expiry_s.append(expiry_s)
            self.outside.qos.append(qos)
        super().publish(topic, payload, qos=qos, retain=retain, properties=properties)


def mirror(pressed: int = 0, at_s: int = NOW_S) -> Mirror:
    steps = tuple(Shown(View(step, "meter.good", {}, Tone.GOOD), None, None) for step in STEPS)
    return Mirror(at_s, pressed, (Shown(steps[0].view, Mark.GOOD, at_s), *steps[1:]))


def listening(bus: InProcessBus) -> tuple[Mirrors, VirtualClock]:
    made, clock = Mirrors(), VirtualClock(NOW_S)
    made.listen(bus, "street", clock)
    return made, clock


def answering(bus: InProcessBus, heard: list[Press]) -> None:
    """Answer every press as a box does."""

    def take(message: Message) -> None:
        press = decode_press(message.payload)
        heard.append(press)
        done = Pressed(press.number, PressOutcome.DONE, press.step)
        bus.publish(ANSWERS, encode_pressed(done))

    bus.subscribe(PRESSES, take)


def test_a_press_is_never_kept_and_ends_at_the_broker_after_a_minute() -> None:
    bus, heard = WatchedBus(), list[Press]()
    wizards, _ = listening(bus)
    answering(bus, heard)

    wizards.press("gw-14", Step.METER, "anew", {})

    assert bus.outside == Outside([False], [LIFE_S], [1])
    assert LIFE_S == 60
    assert heard[0].at_s == NOW_S


def test_numbers_rise_over_a_restart_and_when_the_servers_clock_goes_back() -> None:
    bus, heard = InProcessBus(), list[Press]()
    answering(bus, heard)
    first, clock = listening(bus)
    for _ in range(3):
        first.press("gw-14", Step.METER, "anew", {})
    clock.jump(-86_400)
    first.press("gw-14", Step.METER, "anew", {})
    bus.publish(TOPIC, encode_mirror(mirror(heard[-1].number + 7)), retain=True)
    again, later = listening(bus)
    later.jump(-86_400)
    again.press("gw-14", Step.METER, "anew", {})

    numbers = [press.number for press in heard]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > numbers[-2] + 7


def test_a_box_that_lies_about_what_it_took_spoils_no_press_of_another() -> None:
    bus, heard = InProcessBus(), list[Press]()
    wizards, _ = listening(bus)
    answering(bus, heard)
    lies = Address("street", "gw-99", Lane.WIZARD).topic
    bus.publish(lies, encode_mirror(mirror(2**53)))
    with pytest.raises(NoAnswerError):
        wizards.press("gw-99", Step.METER, "anew", {}, within_s=0.01)

    told = wizards.press("gw-14", Step.METER, "anew", {})

    assert told.outcome is PressOutcome.DONE
    assert heard[0].number < 2**53


def test_a_silent_box_is_waited_for_a_bounded_time_and_one_press_at_a_time() -> None:
    bus = InProcessBus()
    wizards, _ = listening(bus)
    under_way = threading.Event()
    bus.subscribe(PRESSES, lambda _: under_way.set())
    told: list[str] = []

    def waits() -> None:
        with pytest.raises(NoAnswerError):
            wizards.press("gw-14", Step.METER, "anew", {}, within_s=1.0)
        told.append("no answer")

    waiting = threading.Thread(target=waits)
    waiting.start()
    assert under_way.wait(30)
    second = wizards.press("gw-14", Step.METER, "anew", {})
    waiting.join()

    assert second.outcome is PressOutcome.KNOWN
    assert told == ["no answer"]


def test_without_a_broker_nothing_is_pressed() -> None:
    with pytest.raises(LinkDownError, match="no broker"):
        Mirrors().press("gw-14", Step.METER, "anew", {})


def test_a_box_is_away_after_a_while_of_silence_and_is_forgotten_when_it_says_so() -> None:
    bus = InProcessBus()
    wizards, clock = listening(bus)
    bus.publish(TOPIC, encode_mirror(mirror()))
    there = wizards.of("gw-14")
    clock.advance(AWAY_S)
    away = wizards.of("gw-14")
    bus.publish(TOPIC, b"not a mirror")
    kept = wizards.of("gw-14")
    bus.publish(TOPIC, b"")

    assert there is not None
    assert away is not None
    assert (there.is_away, away.is_away) == (False, True)
    assert away.heard_s == NOW_S
    assert kept == away
    assert wizards.of("gw-14") is None


def test_what_the_broker_kept_is_of_when_the_box_said_it_and_counts_as_away() -> None:
    bus = InProcessBus()
    bus.publish(TOPIC, encode_mirror(mirror(at_s=NOW_S - 500)), retain=True)

    told = listening(bus)[0].of("gw-14")

    assert told is not None
    assert (told.heard_s, told.is_away, told.mirror.next) == (NOW_S - 500, True, Step.METER)


def test_a_box_whose_clock_is_far_ahead_said_it_no_later_than_now() -> None:
    bus = InProcessBus()
    bus.publish(TOPIC, encode_mirror(mirror(at_s=LAST_INSTANT_S)), retain=True)
    wizards, _ = listening(bus)

    told = wizards.of("gw-14")

    assert told is not None
    assert (told.heard_s, told.is_away) == (NOW_S, True)
