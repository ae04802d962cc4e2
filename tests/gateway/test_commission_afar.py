"""What is pressed from afar is done at most once, within a minute, and only what may be pressed."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.agent import Agent
from gateway.commission.afar import Afar
from gateway.commission.book import STEPS, Book, Mark, Outcome, Step
from gateway.commission.mirror import (
    MOST_LETTERS,
    decode_mirror,
    encode_mirror,
    mirror_of,
)
from gateway.commission.press import (
    LIFE_S,
    Press,
    Pressed,
    PressOutcome,
    decode_pressed,
    encode_press,
    is_for_afar,
)
from gateway.commission.view import Act, Line, Tone, View
from gateway.keep.outbox import Outbox
from kwartier.bus import InProcessBus, Message
from kwartier.clock import VirtualClock
from kwartier.errors import ContractError
from kwartier.packing import Json, packed, unpacked
from kwartier.wire import Address, Lane

NOW_S = 1_781_431_980
WAIT_S = 60.0
PRESS, PRESSED, MIRROR = (
    Address("street", "gw-14", lane).topic for lane in (Lane.PRESS, Lane.PRESSED, Lane.WIZARD)
)


@dataclass(slots=True)
class Box:
    """A wizard that notes what is pressed; every step offers everything."""

    book: Book
    pressed: list[tuple[Step, str]] = field(default_factory=list)
    is_over: bool = False

    def view(self, step: Step) -> View:
        lines = (
            Line("meter.taken", {"watt": 410}),
            Line("now.solar_w", {"device": "inverter", "watt": -900}),
            Line("meter.telegrams", {"good": len(self.pressed), "all": 60}),
        )
        words = ("next", "anew", "trial:battery", "kettle", "limit")
        acts = tuple(Act(do, "act.next", fields=("name",)) for do in words)
        facts = {"name": "M. Jansen", "address": "Zonlaan 14"}
        return View(step, "meter.good", facts, Tone.GOOD, lines, acts, moving=True)

    def act(self, step: Step, do: str, form: Mapping[str, str]) -> Step:
        assert not set(form) - {"name"}
        self.pressed.append((step, do))
        return step


@dataclass(slots=True)
class Wire:
    """A box on a bus, and what it said there."""

    box: Box
    bus: InProcessBus
    clock: VirtualClock
    answers: queue.Queue[Pressed]
    mirrors: queue.Queue[bytes]

    def press(
        self, number: int, do: str, step: Step = Step.METER, ago_s: int = 0, **form: str
    ) -> PressOutcome:
        sent = Press(number, int(self.clock.now_s()) - ago_s, step, do, form)
        self.bus.publish(PRESS, encode_press(sent))
        answer = self.answers.get(timeout=WAIT_S)
        assert answer.number == number
        return answer.outcome


@contextmanager
def line(folder: Path, bus: InProcessBus | None = None, every_s: float = 0.01) -> Iterator[Wire]:
    box = Box(Book(folder / "wizard.json", NOW_S))
    box.book.put(Step.ENROL, Outcome(Mark.GOOD, NOW_S, {}))
    made = Wire(box, bus or InProcessBus(), VirtualClock(NOW_S), queue.Queue(), queue.Queue())
    made.bus.subscribe(PRESSED, lambda one: made.answers.put(decode_pressed(one.payload)))
    made.bus.subscribe(MIRROR, lambda one: made.mirrors.put(one.payload))
    there = Afar(box, made.bus, "street", "gw-14", made.clock, every_s)
    there.start()
    try:
        yield made
    finally:
        there.stop()


def test_a_press_is_done_once_also_when_it_comes_twice_or_after_a_restart(tmp_path: Path) -> None:
    with line(tmp_path) as there:
        first, again = there.press(7, "anew"), there.press(7, "anew")
        older = there.press(6, "anew")
        done = list(there.box.pressed)
    with line(tmp_path) as there:
        after = there.press(7, "anew")
        done_after = list(there.box.pressed)

    assert (first, again, older) == (
        PressOutcome.DONE,
        PressOutcome.DONE,  # the answer may have been lost: it is given again
        PressOutcome.KNOWN,
    )
    assert done == [(Step.METER, "anew")]
    assert (after, done_after) == (PressOutcome.KNOWN, [])


def test_a_press_of_more_than_a_minute_ago_or_of_the_future_is_not_done(tmp_path: Path) -> None:
    with line(tmp_path) as there:
        told = [there.press(1, "anew", ago_s=LIFE_S), there.press(2, "anew", ago_s=LIFE_S + 1)]
        told.append(there.press(3, "anew", ago_s=-LIFE_S - 1))

        assert told == [PressOutcome.DONE, PressOutcome.LATE, PressOutcome.LATE]
        assert len(there.box.pressed) == 1


def test_what_the_broker_kept_and_what_is_no_press_is_not_done(tmp_path: Path) -> None:
    bus = InProcessBus()
    kept = Press(9, NOW_S, Step.METER, "anew")
    bus.publish(PRESS, encode_press(kept), retain=True)
    with line(tmp_path, bus) as there:
        bus.publish(PRESS, b"{}")
        bus.publish(PRESS, encode_press(kept)[:-5])
        outcome = there.press(10, "kettle", Step.METER)

        assert outcome is PressOutcome.REFUSED
        assert there.box.pressed == []


def test_a_trial_and_a_limit_are_never_done_from_afar_though_the_page_offers_them(
    tmp_path: Path,
) -> None:
    with line(tmp_path) as there:
        for each in STEPS[1:]:
            there.box.book.put(each, Outcome(Mark.GOOD, NOW_S, {}))
        told, whys = [], set()
        for at, step in enumerate(STEPS):
            told.append(there.press(3 * at + 1, "trial:battery", step))
            told.append(there.press(3 * at + 2, "limit", step))
            limit = Press(3 * at + 3, NOW_S, step, "next", {"charge_max_w": "9000"})
            there.bus.publish(PRESS, encode_press(limit))
            whys.add(there.answers.get(timeout=WAIT_S).why)

        assert told == [PressOutcome.REFUSED] * 2 * len(STEPS)
        assert whys == {"refused.at-the-box"}
        assert there.box.pressed == []


def test_the_list_of_what_may_be_pressed_is_this_and_no_other() -> None:
    words = [
        "begin",
        "next",
        "later",
        "anew",
        "search",
        "turn",
        "kettle",
        "trial",
        "leave",
        "limit",
    ]

    allowed = {step.value: [do for do in words if is_for_afar(step, f"{do}:x")] for step in STEPS}

    assert allowed == {
        "enrol": ["next"],
        "meter": ["next", "later", "anew"],
        "devices": ["next", "later", "search"],
        "signs": ["next", "later", "turn", "kettle"],
        "live": ["next", "later"],
        "consent": ["next"],
        "handover": ["next", "leave"],
    }


def test_a_gateway_in_service_hears_no_press(tmp_path: Path) -> None:
    bus, clock, heard = InProcessBus(), VirtualClock(NOW_S), list[str]()
    bus.subscribe("nec/v1/street/gw-14/#", lambda one: heard.append(one.topic))
    outbox = Outbox(tmp_path / "outbox.db", "gw-14", clock)
    agent = Agent("street", "gw-14", outbox, bus, clock)
    agent.start()
    bus.publish(PRESS, encode_press(Press(1, NOW_S, Step.METER, "anew")))
    agent.stop()
    outbox.close()

    assert PRESS in heard
    assert not {MIRROR, PRESSED} & set(heard)


def test_nothing_is_done_once_everything_is_over_and_the_broker_forgets(tmp_path: Path) -> None:
    with line(tmp_path) as there:
        there.box.is_over = True
        outcome = there.press(1, "anew")
        bus = there.bus
    kept: list[Message] = []
    bus.subscribe(MIRROR, kept.append)

    assert outcome is PressOutcome.REFUSED
    assert kept == []


def test_no_power_of_this_moment_no_name_and_no_address_leaves_the_home(tmp_path: Path) -> None:
    with line(tmp_path) as there:
        payload = there.mirrors.get(timeout=WAIT_S)
    mirror = decode_mirror(payload)
    plain = str(unpacked(payload))

    assert [line.key for line in mirror.of(Step.METER).view.lines] == ["meter.telegrams"]
    assert "Jansen" not in plain
    assert "Zonlaan" not in plain
    assert "410" not in plain


def test_it_is_told_when_it_changes_and_not_more_often_than_it_may(tmp_path: Path) -> None:
    with line(tmp_path, every_s=0.1) as there:
        began_s = time.monotonic()
        there.mirrors.get(timeout=WAIT_S)
        for number in range(1, 4):
            there.press(number, "anew")
        took_s = time.monotonic() - began_s
        told = there.mirrors.qsize()

    assert 3 <= told <= took_s / 0.1 + 1


def test_a_mirror_is_decoded_as_it_was_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    box = Box(Book(tmp_path / "wizard.json", NOW_S))
    box.book.put(Step.METER, Outcome(Mark.LATER, NOW_S, {}))
    mirror = mirror_of(box, NOW_S)
    body = unpacked(encode_mirror(mirror))
    steps = body["steps"]
    assert isinstance(steps, list)
    assert isinstance(steps[0], dict)

    again = decode_mirror(encode_mirror(mirror))

    assert [one.mark for one in again.steps] == [None, Mark.LATER, *[None] * 5]
    assert again.next is Step.ENROL
    assert [act.here for act in again.of(Step.METER).view.acts] == [False, False, True, True, True]
    wrong: list[tuple[str, Json]] = [
        ("steps", steps[:6]),
        ("steps", [*steps[1:], steps[0]]),
        ("steps", [{**steps[0], "facts": {"x": True}}, *steps[1:]]),
        ("steps", [{**steps[0], "facts": {"x": "a" * (MOST_LETTERS + 1)}}, *steps[1:]]),
        ("steps", [{**steps[0], "tone": "loud"}, *steps[1:]]),
        ("steps", [{**steps[0], "lines": [{}] * 65}, *steps[1:]]),
        ("pressed", -1),
    ]
    for part, value in wrong:
        with pytest.raises(ContractError):
            decode_mirror(packed({**body, part: value}))
