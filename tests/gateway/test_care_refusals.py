"""What root refuses is told once to whom looks after the fleet, and says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.care.disk import RealDisk
from gateway.care.judged import Judged, note_judged
from gateway.care.refusals import Refusals
from kwartier.bus import InProcessBus
from kwartier.clock import VirtualClock
from kwartier.events import Event, EventKind, encode_event, mark_of

NOW_S = 1_793_000_000


@pytest.fixture
def told() -> list[Event]:
    """What was told to whom looks after the fleet."""
    return []


@pytest.fixture
def begun(tmp_path: Path, told: list[Event]) -> Callable[[], Refusals]:
    """A gateway that begins anew each time."""

    def begin() -> Refusals:
        one = Refusals(tmp_path, tmp_path, VirtualClock(NOW_S))
        one.attach(InProcessBus(), told.append)
        return one

    return begin


def judge(folder: Path, sha256: str, refusal: str) -> None:
    note_judged(RealDisk(), folder, Judged(sha256, refusal))


def test_a_refusal_is_told_once_also_after_a_new_beginning(
    begun: Callable[[], Refusals], told: list[Event], tmp_path: Path
) -> None:
    watching = begun()
    watching.look()
    judge(tmp_path, "a" * 64, "the signature by key 1f is wrong: the update was changed")

    watching.look()
    watching.look()
    begun().look()

    (event,) = told
    assert (event.kind, event.device, event.at_s) == (EventKind.UPDATE_REFUSED, None, NOW_S)
    assert "the update was changed" in event.reason


@dataclass
class Desk:
    """Hears what is told, and keeps it when it gets to it."""

    heard: list[Event] = field(default_factory=list)
    kept: list[Event] = field(default_factory=list)

    def begin(self, folder: Path, at_s: int) -> Refusals:
        one = Refusals(folder, folder, VirtualClock(at_s))
        one.attach(InProcessBus(), self.heard.append, self.kept.__contains__)
        return one


def test_a_crash_before_it_is_kept_tells_the_same_event_again(tmp_path: Path) -> None:
    desk = Desk()
    judge(tmp_path, "a" * 64, "no wheel")
    before = desk.begin(tmp_path, NOW_S)
    before.look()
    before.look()

    after = desk.begin(tmp_path, NOW_S + 60)
    after.look()
    desk.kept += desk.heard
    after.look()
    desk.begin(tmp_path, NOW_S + 120).look()

    assert len(desk.heard) == 2
    assert len({mark_of(encode_event(event)) for event in desk.heard}) == 1


def test_a_refusal_waits_until_the_one_before_is_kept(tmp_path: Path) -> None:
    desk = Desk()
    watching = desk.begin(tmp_path, NOW_S)
    judge(tmp_path, "a" * 64, "no wheel")
    watching.look()
    judge(tmp_path, "b" * 64, "no key")
    watching.look()
    waiting = len(desk.heard)

    desk.kept += desk.heard
    watching.look()
    watching.look()

    assert (waiting, [event.reason.rpartition(": ")[2] for event in desk.heard]) == (
        1,
        ["no wheel", "no key"],
    )


def test_each_refusal_is_told_and_no_installation(
    begun: Callable[[], Refusals], told: list[Event], tmp_path: Path
) -> None:
    watching = begun()
    for sha256, refusal in (
        ("a", "no wheel"),
        ("b", ""),
        ("c", "no wheel"),
        ("c", "version 0.3.0 is taken back: it did not prove itself"),
    ):
        judge(tmp_path, sha256 * 64, refusal)
        watching.look()

    reasons = [event.reason.rpartition(": ")[2] for event in told]
    assert reasons == ["no wheel", "no wheel", "it did not prove itself"]


def test_a_damaged_note_of_root_says_nothing(
    begun: Callable[[], Refusals], told: list[Event], tmp_path: Path
) -> None:
    for content in ("", "[]", "{}", '{"sha256": 1', "[" * 9000):
        (tmp_path / "judged.json").write_text(content)
        begun().look()

    assert told == []
