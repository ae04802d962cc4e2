"""Events of gateways: kept once and for good, so many of each, and read or set aside."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from collectors.event_intake import WAITING, EventIntake
from collectors.happenings import OF_LATE_S, Happening, happenings
from collectors.retention import EVENTS_S, Keep
from collectors.sqlite_events import MOST_EACH
from collectors.sqlite_schema import _FIRST, APPLICATION_ID, VERSION
from collectors.sqlite_store import SqliteStore
from collectors.store import KeptEvent
from collectors.upkeep import Upkeep
from kwartier.broker import Broker
from kwartier.bus import InProcessBus, Message
from kwartier.clock import VirtualClock
from kwartier.errors import KwartierError, StoreBusyError
from kwartier.events import Event, EventKind, decode_event_ack, encode_event, mark_of
from kwartier.mqtt import MqttBus, Session
from tests.broker import mosquitto
from tests.memory_store import MemoryIntake, MemoryStore

__all__ = ["mosquitto"]

T0 = 1_767_225_600
TOPIC = "nec/v1/straat/{}/evt"
SWAPPED = Event(EventKind.METER_SWAPPED, "p1", T0 - 5, "another meter stands here")
WAIT_S = 60.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "record.db") as made:
        yield made


def kept(event: Event, gateway: str = "gw-1", received_s: int = T0) -> KeptEvent:
    return KeptEvent(gateway, event, received_s)


def number(place: int) -> Event:
    return Event(EventKind.CLOCK_OFF, None, T0 + place, f"{place} s ahead")


def keep(store: SqliteStore, *events: KeptEvent) -> list[bool]:
    with store.intake() as intake:
        return [intake.note_event(one) for one in events]


def until(reached: Callable[[], object]) -> None:
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.02)):
        if reached():
            return
        pause.wait(0.02)
    raise AssertionError("it never came")


class FullStore(MemoryStore):
    """Takes nothing."""

    @contextmanager
    def intake(self) -> Iterator[MemoryIntake]:
        if self.held.blocks == 0:
            raise StoreBusyError("the disk is full")
        yield MemoryIntake(self.held)


class Desk:
    """An intake without its thread, and which messages were acknowledged."""

    def __init__(self, store: SqliteStore | MemoryStore) -> None:
        bus = InProcessBus()
        self.intake = EventIntake(store, bus, "straat", VirtualClock(T0))
        self.acknowledged: list[bytes] = []
        self.held: list[tuple[str, frozenset[str]]] = []
        """Topics and marks of what gateways are told that the record holds."""
        bus.subscribe(
            "nec/v1/straat/+/evt-ack",
            lambda message: self.held.append((message.topic, decode_event_ack(message.payload))),
        )

    def message(
        self, payload: bytes, gateway: str = "gw-1", *, topic: str = "", retained: bool = False
    ) -> Message:
        return Message(
            topic or TOPIC.format(gateway),
            payload,
            retained,
            lambda: self.acknowledged.append(payload),
        )


def test_an_event_is_kept_with_the_gateway_of_its_topic(store: SqliteStore) -> None:
    desk = Desk(store)

    desk.intake.work_off([desk.message(encode_event(SWAPPED), "gw-7")])

    assert store.events({"gw-7"}, 9) == [kept(SWAPPED, "gw-7")]
    assert store.events({"gw-1"}, 9) == []
    assert store.event_counts() == {EventKind.METER_SWAPPED: 1}
    assert desk.acknowledged == [encode_event(SWAPPED)]
    assert desk.held == [
        ("nec/v1/straat/gw-7/evt-ack", frozenset({mark_of(encode_event(SWAPPED))}))
    ]


def test_each_gateway_hears_which_of_its_events_the_record_holds(store: SqliteStore) -> None:
    desk = Desk(store)
    first, second = encode_event(number(1)), encode_event(number(2))

    desk.intake.work_off([desk.message(first), desk.message(second), desk.message(b"{", "gw-2")])
    desk.intake.work_off([desk.message(first)])

    assert desk.held == [
        ("nec/v1/straat/gw-1/evt-ack", frozenset({mark_of(first), mark_of(second)})),
        ("nec/v1/straat/gw-2/evt-ack", frozenset({mark_of(b"{")})),
        ("nec/v1/straat/gw-1/evt-ack", frozenset({mark_of(first)})),
    ]


def test_what_is_delivered_twice_is_one(store: SqliteStore) -> None:
    desk = Desk(store)
    told = desk.message(encode_event(SWAPPED))

    desk.intake.work_off([told, told])
    desk.intake.work_off([told])

    assert len(store.events({"gw-1"}, 9)) == 1
    assert store.event_counts() == {EventKind.METER_SWAPPED: 1}
    assert (desk.intake.kept, desk.intake.again) == (1, 2)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", "no JSON"),
        (b'{"v":2}', "version 2"),
        (b'{"v":1,"kind":"meter-sold","dev":null,"t":1,"reason":""}', "meter-sold"),
        (b'{"v":1,"kind":"clock-off","dev":null,"t":1,"reason":"","wh":9}', "exactly"),
        (b'{"v":1,"kind":"clock-off","dev":"P1!","t":1,"reason":""}', "event 'dev'"),
    ],
)
def test_what_cannot_be_read_is_set_aside_and_stops_nobody(
    store: SqliteStore, payload: bytes, reason: str
) -> None:
    desk = Desk(store)

    desk.intake.work_off([desk.message(payload), desk.message(encode_event(SWAPPED), "gw-2")])

    (letter,) = store.dead_letters()
    assert (letter.gateway, letter.payload) == ("gw-1", payload)
    assert reason in letter.reason
    assert len(store.events({"gw-2"}, 9)) == 1
    assert len(desk.acknowledged) == 2


def test_a_topic_that_names_no_gateway_is_let_go_of(store: SqliteStore) -> None:
    desk = Desk(store)

    desk.intake.work_off([desk.message(encode_event(SWAPPED), topic="nec/v1/straat/GW 1/evt")])

    assert (desk.intake.foreign, len(desk.acknowledged)) == (1, 1)
    assert store.dead_letters() == []


def test_nothing_is_acknowledged_before_the_commit() -> None:
    desk = Desk(FullStore())

    with pytest.raises(StoreBusyError):
        desk.intake.work_off([desk.message(encode_event(SWAPPED))])

    assert desk.acknowledged == []
    assert desk.held == []


def test_of_more_than_a_broker_keeps_the_oldest_goes_and_the_broker_hears_of_it() -> None:
    desk = Desk(FullStore())
    message = desk.message(encode_event(SWAPPED))

    for _ in range(WAITING):
        desk.intake.receive(message)
    assert desk.acknowledged == []
    desk.intake.receive(message)

    assert len(desk.acknowledged) == 1


def test_an_id_in_a_sentence_is_blotted_whoever_wrote_it(store: SqliteStore) -> None:
    desk = Desk(store)
    payload = b'{"v":1,"kind":"clock-off","dev":null,"t":1,"reason":"E0012345678 stands here"}'

    desk.intake.work_off([desk.message(payload)])

    assert [one.event.reason for one in store.events({"gw-1"}, 9)] == ["[id] stands here"]


def test_so_many_of_each_gateway_are_kept_and_all_are_counted(store: SqliteStore) -> None:
    keep(store, kept(SWAPPED, "gw-2"))

    keep(store, *(kept(number(place)) for place in range(MOST_EACH + 3)))

    found = store.events({"gw-1", "gw-2"}, 2 * MOST_EACH)
    assert len([one for one in found if one.gateway == "gw-1"]) == MOST_EACH
    assert found[0].event.at_s == T0 + MOST_EACH + 2
    assert found[-1] == kept(SWAPPED, "gw-2")
    assert store.event_counts()[EventKind.CLOCK_OFF] == MOST_EACH + 3


def test_after_two_years_an_event_is_forgotten(store: SqliteStore) -> None:
    keep(store, kept(number(1)), kept(number(2), received_s=T0 + 1))

    Upkeep(store, VirtualClock(T0 + EVENTS_S + 1), Keep()).turn(threading.Event())

    assert [one.received_s for one in store.events({"gw-1"}, 9)] == [T0 + 1]
    assert store.event_counts() == {EventKind.CLOCK_OFF: 2}


def test_the_record_of_an_older_program_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(_FIRST)
        old.execute("UPDATE life SET generation = 'old', blocks = 7")
        old.execute("PRAGMA user_version = 1")
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        old.commit()
    with pytest.raises(KwartierError, match="start the collector first"):
        SqliteStore(path, read_only=True)

    with SqliteStore(path) as store:
        keep(store, kept(SWAPPED))
        assert (store.counts().blocks, len(store.events({"gw-1"}, 9))) == (7, 1)
        assert store.integrity() == []

    with closing(sqlite3.connect(path)) as new:
        assert new.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_kind_of_a_newer_program_is_left_out(store: SqliteStore, tmp_path: Path) -> None:
    keep(store, kept(SWAPPED))
    with closing(sqlite3.connect(tmp_path / "record.db")) as newer:
        newer.execute("INSERT INTO event VALUES (9, 'gw-1', 'moon-rose', '', 1, 1, '')")
        newer.execute("INSERT INTO event_count VALUES ('moon-rose', 1)")
        newer.commit()

    assert store.events({"gw-1"}, 9) == [kept(SWAPPED)]
    assert store.event_counts() == {EventKind.METER_SWAPPED: 1}


def test_people_are_told_each_thing_once_with_its_last_time(store: SqliteStore) -> None:
    keep(
        store,
        kept(Event(EventKind.CLOCK_OFF, "p1", T0 - 600, "9 s"), received_s=T0 - 590),
        kept(SWAPPED),
        kept(Event(EventKind.CLOCK_OFF, "p1", T0 - 60, "8 s")),
        kept(number(0), received_s=T0 - OF_LATE_S - 1),
    )

    assert happenings(store, {"gw-1"}, T0) == [
        Happening("gw-1", EventKind.METER_SWAPPED, "p1", T0 - 5, 1, "another meter stands here"),
        Happening("gw-1", EventKind.CLOCK_OFF, "p1", T0 - 60, 2, "8 s"),
    ]


@pytest.mark.parametrize("told_s", [0, T0 + 3600])
def test_a_clock_that_cannot_be_right_gives_way_to_ours(store: SqliteStore, told_s: int) -> None:
    keep(store, kept(Event(EventKind.CLOCK_OFF, None, told_s, "")))

    (found,) = happenings(store, {"gw-1"}, T0)

    assert found.at_s == T0


@pytest.mark.broker
def test_what_came_while_the_collector_was_away_is_kept(
    mosquitto: Broker, store: SqliteStore
) -> None:
    gateway = MqttBus(mosquitto, Session("gw-1"))
    assert gateway.wait_until_up(WAIT_S)

    def tell_until_kept() -> bool:
        gateway.publish(TOPIC.format("gw-1"), encode_event(number(0)))
        return bool(store.events({"gw-1"}, 1))

    with collecting(mosquitto, store):
        until(tell_until_kept)  # told again and again, it is one
    for place in range(1, 60):
        gateway.publish(TOPIC.format("gw-1"), encode_event(number(place)))
    with collecting(mosquitto, store):
        until(lambda: len(store.events({"gw-1"}, 99)) == 60)
    gateway.close()

    assert store.event_counts() == {EventKind.CLOCK_OFF: 60}


@contextmanager
def collecting(broker: Broker, store: SqliteStore) -> Iterator[None]:
    """Run the intake of events on a session that the broker remembers."""
    bus = MqttBus(broker, Session("collect", expiry_s=600), begin=False)
    intake = EventIntake(store, bus, "straat", VirtualClock(T0))
    intake.start()
    bus.begin()
    yield
    intake.stop()
    bus.close()
