"""Two gateways with one name, as after a copied card: both notice, one gives way, nothing mixes."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.keep.blocks import Draft
from gateway.keep.namesake import Boot, Caution, Namesake
from gateway.keep.outbox import Outbox
from kwartier.clock import VirtualClock
from kwartier.events import EventKind
from kwartier.reading import Reading
from kwartier.wire import GatewayState
from tests.gateway.namesakes import T0, Home, Street, street_at, wait_until

OLD, YOUNG = Boot(T0, 7), Boot(T0 + 60, 3)
CAUTION = Caution(quiet_s=10.0, away_s=600.0)


def state(boot: Boot, told: int, *, online: bool = True, names: Boot | None = None) -> GatewayState:
    heard = {} if names is None else {"heard_2": names.mark}
    return GatewayState("e1", online, "1", T0, details={**boot.details(told), **heard})


def hears(mine: Boot, *told: GatewayState) -> Namesake:
    """Return one that is linked, and heard some states a second apart."""
    namesake = Namesake(mine, CAUTION)
    namesake.link(0.0, up=True)
    for second, one in enumerate(told):
        namesake.heard(one, float(second))
    return namesake


def test_one_that_hears_only_itself_may_send_as_soon_as_its_words_come_back() -> None:
    namesake = hears(OLD)
    before = namesake.may_send(0.1)
    namesake.heard(state(OLD, 1), 0.1)

    assert (before, namesake.may_send(0.1)) == (False, True)


def test_where_nothing_comes_back_blocks_wait_ten_seconds() -> None:
    namesake = hears(OLD)

    assert [namesake.may_send(at_s) for at_s in (0.0, 9.9, 10.0)] == [False, False, True]


def test_the_will_of_a_process_that_died_delays_blocks_and_is_no_namesake() -> None:
    namesake = hears(YOUNG, state(OLD, 0, online=False), state(YOUNG, 1))

    assert not namesake.noticed(1.0)
    assert [namesake.may_send(at_s) for at_s in (1.0, 9.9, 10.0)] == [False, False, True]


def test_a_process_that_left_in_order_delays_nothing() -> None:
    assert hears(YOUNG, state(OLD, 9, online=False), state(YOUNG, 1)).may_send(1.0)


@pytest.mark.parametrize("told", [4, 0])
def test_our_own_past_however_often_it_is_handed_over_is_no_namesake(told: int) -> None:
    """A broker that is killed hands over what it kept of a process that died, each time anew."""
    past = state(OLD, told, online=told > 0)
    namesake = hears(YOUNG, past, state(YOUNG, 1), past, state(YOUNG, 2), past, state(YOUNG, 3))

    assert not namesake.noticed(6.0)
    assert not namesake.gives_way
    assert [namesake.may_send(at_s) for at_s in (6.0, 14.0)] == [False, True]


def test_one_that_sends_goes_on_when_its_own_past_comes_late_and_says_what_is_so_now() -> None:
    namesake = hears(YOUNG, state(YOUNG, 1))

    answers = [
        namesake.heard(state(OLD, 0, online=False), 20.0),
        namesake.heard(state(OLD, 9, online=False), 21.0),
    ]

    assert answers == [True, True]
    assert namesake.may_send(21.0)
    assert not namesake.is_doubtful


@pytest.mark.parametrize("told", [2, 0])
@pytest.mark.parametrize(("mine", "other", "leaves"), [(OLD, YOUNG, False), (YOUNG, OLD, True)])
def test_a_foreign_mark_that_names_ours_is_another_and_the_younger_leaves(
    mine: Boot, other: Boot, told: int, *, leaves: bool
) -> None:
    answer = state(other, told, online=told > 0, names=mine)
    namesake = hears(mine, state(mine, 1), state(other, 1), answer)

    assert namesake.noticed(3.0)
    assert namesake.gives_way == leaves
    assert namesake.may_send(3.0) != leaves
    assert [namesake.must_alarm(3.0), namesake.must_alarm(4.0)] == [True, False]


def test_another_that_says_goodbye_is_noticed_and_makes_nobody_leave() -> None:
    """The other gave way before we knew of it."""
    namesake = hears(YOUNG, state(YOUNG, 1), state(OLD, 7, online=False, names=YOUNG))

    assert namesake.noticed(2.0)
    assert (namesake.gives_way, namesake.may_send(2.0)) == (False, True)


def test_our_words_name_the_three_others_heard_last() -> None:
    fourth, fifth = Boot(T0, 11), Boot(T0, 12)
    namesake = hears(YOUNG, *(state(one, 1) for one in (fourth, OLD, fourth, fifth, Boot(T0, 13))))

    told = namesake.words(5)

    assert told["told"] == 5
    assert [told[name] for name in ("heard_1", "heard_2", "heard_3")] == [13, 12, 11]


def test_one_that_left_looks_again_and_sends_after_ten_quiet_seconds() -> None:
    namesake = hears(YOUNG, state(YOUNG, 1), state(OLD, 2, names=YOUNG))
    namesake.link(4.0, up=False)
    assert namesake.back_s == 601.0

    again = Boot(YOUNG.at_s, 99)
    namesake.came_back(99)
    namesake.link(604.0, up=True)
    namesake.heard(state(again, 3), 604.1)

    assert [namesake.may_send(at_s) for at_s in (604.1, 613.9, 614.0)] == [False, False, True]


def test_one_that_came_back_leaves_for_words_of_now_and_not_for_those_of_before() -> None:
    namesake = hears(YOUNG, state(YOUNG, 1), state(OLD, 2, names=YOUNG))
    again = Boot(YOUNG.at_s, 99)
    namesake.came_back(99)
    namesake.link(604.0, up=True)

    namesake.heard(state(OLD, 0, online=False, names=YOUNG), 604.0)
    before = namesake.gives_way
    namesake.heard(state(OLD, 3, names=again), 605.0)

    assert (before, namesake.gives_way) == (False, True)
    assert namesake.back_s == 605.0 + 1_200.0


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with street_at(tmp_path) as made:
        yield made


def copied(folder: Path, to: Path) -> Path:
    """Copy a gateway's folder, as a card is copied while the gateway is off."""
    return Path(shutil.copytree(folder, to))


def test_of_two_copies_of_one_card_both_notice_and_only_the_older_one_is_recorded(
    street: Street, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    folder = tmp_path / "home"
    folder.mkdir()
    before = Outbox(folder / "outbox.db", "gw-1", VirtualClock(T0))
    before.append([Draft((Reading("p1", "E1", T0, {"import_wh": 1}),))])
    before.close()
    older = Home(folder, street.broker.broker, 1_000, T0)
    street.parts.push(older.parts)
    younger = Home(copied(folder, tmp_path / "copy"), street.broker.broker, 9_000, T0 + 1)
    street.parts.push(younger.parts)
    older.start()
    older.take()
    wait_until(lambda: 1_001 in street.held_wh())

    younger.start()

    def both_take() -> None:
        older.take()
        younger.take()

    wait_until(lambda: older.agent.has_namesake and younger.agent.has_namesake, both_take)
    older.take()
    last_wh = 1_000 + older.taken
    wait_until(lambda: last_wh in street.held_wh())

    assert [wh for wh in street.held_wh() if wh > 9_000] == []
    assert len(street.held_wh()) == 1 + older.taken
    assert younger.agent.unacknowledged == 1 + younger.taken
    assert EventKind.IDENTITY_DUPLICATE in street.events
    wait_until(lambda: street.events.count(EventKind.IDENTITY_DUPLICATE) == 2)
    assert any(one.details.get("namesake") for one in street.states)
    assert caplog.text.count("another gateway goes by this name") == 2


def test_what_a_broker_hands_over_of_our_own_past_each_time_it_is_killed_drives_nobody_away(
    street: Street, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its newest save is of an earlier start: its state, and its last will that waits for us."""
    caplog.set_level(logging.WARNING)
    home, old = tmp_path / "home", Boot(T0 + 30, 8)
    home.mkdir()
    before = Home(home, street.broker.broker, 1_000, T0)
    street.parts.push(before.parts)
    before.start()
    wait_until(lambda: any(one.online for one in street.states))
    before.parts.close()
    for words in (state(old, 9), state(old, 0, online=False)):
        street.say(words)
    wait_until(lambda: street.heard_from(old, online=False) == 1)
    street.save()
    young = Home(home, street.broker.broker, 1_000, T0 + 60, quiet_s=0.5)
    street.parts.push(young.parts)
    past = young.hear_from(old)
    young.start()
    young.take()
    wait_until(lambda: 1_001 in street.held_wh())

    for _ in range(2):
        past.clear()
        street.broker.kill()
        street.broker.start()
        wait_until(lambda: len(past) == 3)
        young.take()
        wait_until(lambda: 1_000 + young.taken in street.held_wh())

    assert not young.agent.has_namesake
    assert EventKind.IDENTITY_DUPLICATE not in street.events
    assert "another gateway goes by this name" not in caplog.text
    wait_until(lambda: street.states[-1].online)
