"""Two gateways with one name, as after a copied card: both notice, one gives way, nothing mixes."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from api.broker import BrokerProcess
from collectors.ingest import Ingest
from gateway.agent import Agent, Manner
from gateway.keep.blocks import Draft, Shape
from gateway.keep.delivery import Pace
from gateway.keep.namesake import Boot, Caution, Namesake
from gateway.keep.outbox import Outbox
from gateway.presence import will_of
from kwartier.broker import Broker
from kwartier.clock import SystemClock, VirtualClock
from kwartier.events import EventKind, decode_event
from kwartier.mqtt import MqttBus, Session, Will
from kwartier.reading import Reading
from kwartier.wire import Address, GatewayState, Lane, decode_state, encode_state
from tests.memory_store import MemoryStore

T0 = 1_767_225_600
OLD, YOUNG = Boot(T0, 7), Boot(T0 + 60, 3)
CAUTION = Caution(quiet_s=10.0, away_s=600.0)


def state(boot: Boot, told: int, *, online: bool = True) -> GatewayState:
    return GatewayState("e1", online, "1", T0, details=boot.details(told))


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


def test_a_message_that_is_handed_over_twice_is_no_namesake() -> None:
    """The other's words came before ours both times; the broker repeats what it was not told of."""
    namesake = hears(YOUNG, state(OLD, 4), state(YOUNG, 1), state(OLD, 4), state(YOUNG, 1))

    assert not namesake.noticed(4.0)


@pytest.mark.parametrize(("mine", "other", "leaves"), [(OLD, YOUNG, False), (YOUNG, OLD, True)])
def test_a_foreign_mark_after_our_words_twice_is_another_and_the_younger_leaves(
    mine: Boot, other: Boot, *, leaves: bool
) -> None:
    namesake = hears(mine, state(mine, 1), state(other, 1), state(mine, 2), state(other, 2))

    assert namesake.noticed(4.0)
    assert namesake.gives_way == leaves
    assert namesake.may_send(4.0) != leaves
    assert [namesake.must_alarm(4.0), namesake.must_alarm(5.0)] == [True, False]


def test_one_that_left_looks_again_and_sends_after_ten_quiet_seconds() -> None:
    told = (state(YOUNG, 1), state(OLD, 1), state(YOUNG, 2), state(OLD, 2))
    namesake = hears(YOUNG, *told)
    namesake.link(4.0, up=False)
    assert namesake.back_s == 603.0

    namesake.came_back()
    namesake.link(604.0, up=True)
    namesake.heard(state(YOUNG, 3), 604.1)

    assert [namesake.may_send(at_s) for at_s in (604.1, 613.9, 614.0)] == [False, False, True]


@dataclass
class Home:
    """One gateway as its process wires it, fed by hand."""

    folder: Path
    broker: Broker
    first_wh: int
    started_s: int
    parts: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        clock = SystemClock()
        self.outbox = Outbox(self.folder / "outbox.db", "gw-1", clock)
        self.parts.callback(self.outbox.close)
        boot = Boot(self.started_s, self.first_wh)
        will = encode_state(will_of(boot, self.outbox.position.epoch, clock))
        topic = Address("straat", "gw-1", Lane.STATE).topic
        self.bus = MqttBus(
            self.broker, Session("gw-1", expiry_s=3600), Will(topic, will), begin=False
        )
        self.parts.callback(self.bus.close)
        manner = Manner(Shape(rows=1), Pace(spread_s=0.1), 0.0, Caution(quiet_s=5.0))
        self.agent = Agent(
            "straat", "gw-1", self.outbox, self.bus, clock, manner, boot=boot, door=self.bus
        )
        self.taken = 0

    def start(self) -> None:
        self.bus.begin()
        self.agent.start()
        self.parts.callback(self.agent.stop)

    def take(self) -> None:
        """Take the next reading; one home's registers lie far from the other's."""
        self.taken += 1
        at_s = T0 + 10 * self.taken
        self.agent.take(Reading("p1", "E1", at_s, {"import_wh": self.first_wh + self.taken}))


@dataclass
class Street:
    """A broker, a record, and who listens to the gateways."""

    broker: BrokerProcess
    store: MemoryStore
    parts: ExitStack
    events: list[EventKind] = field(default_factory=list)
    states: list[GatewayState] = field(default_factory=list)

    def held_wh(self) -> list[int]:
        return list(self.store.held.points.values())


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with ExitStack() as parts:
        (tmp_path / "broker").mkdir()
        broker = BrokerProcess.on_spare_port(tmp_path / "broker")
        parts.callback(broker.stop)
        made = Street(broker, MemoryStore(), parts)
        bus = MqttBus(broker.broker, Session("collector"))
        parts.callback(bus.close)
        bus.subscribe(
            Address("straat", "gw-1", Lane.EVENT).topic,
            lambda message: made.events.append(decode_event(message.payload).kind),
        )
        bus.subscribe(
            Address("straat", "gw-1", Lane.STATE).topic,
            lambda message: made.states.append(decode_state(message.payload)),
        )
        ingest = Ingest(made.store, bus, "straat", SystemClock())
        ingest.start()
        parts.callback(ingest.stop)
        assert bus.wait_until_up(30.0)
        yield made


def wait_until(reached: Callable[[], bool], act: Callable[[], None] = lambda: None) -> float:
    """Return how long it took until something is so [s]; a minute is too long."""
    start_s = time.monotonic()
    while not reached():
        assert time.monotonic() < start_s + 60.0, "nothing happened for a minute"
        act()
        time.sleep(0.02)
    return time.monotonic() - start_s


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
