"""The broker's settings as they are written, on a real mosquitto with real certificates."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.broker import mosquitto_program
from api.commands.broker import BROKER
from api.enrolment.authority import Revoked
from api.enrolment.ca_folder import read_older, renew_issuing
from api.enrolment.certificates import take_back
from api.enrolment.claims import Shown, draw
from api.enrolment.cutting import take_over, tell_to_read, write_list
from api.enrolment.jobs import ask_job, end_job, judge_job
from api.enrolment.keeping_up import KeepingUp
from api.enrolment.office import Let
from api.people.opening import open_people
from gateway.enrol.identity import Identity, name_of
from kwartier.broker import Broker, Tls
from kwartier.cli import main
from kwartier.clock import SystemClock
from kwartier.errors import LinkDownError
from kwartier.mqtt import MqttBus, Session
from tests.api.enrolling import (
    PASSPHRASE,
    WAIT_S,
    KnowingBroker,
    authority,
    box,
    desk_of,
    issuing_of,
)
from tests.gateway.namesakes import T0, Home, wait_until

FOREIGN = 1_000
SHORT_S = 0.8
"""How long somebody who is not let in tries [s]."""

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto_program() is None, reason="mosquitto is not installed"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("knowing")


@pytest.fixture(scope="module")
def ca(folder: Path) -> Path:
    return authority(folder, datetime.now(UTC) - timedelta(minutes=2))


@pytest.fixture(scope="module")
def broker(folder: Path, ca: Path) -> Iterator[KnowingBroker]:
    made = KnowingBroker.started(folder, ca)
    with ExitStack() as parts:
        parts.callback(made.stop)
        bus = MqttBus(made.for_service("server"), Session("waiting"))
        parts.callback(bus.close)
        assert bus.wait_until_up(WAIT_S), (folder / "mosquitto.log").read_text()
        yield made


@pytest.fixture
def connect(broker: KnowingBroker) -> Iterator[Callable[[Broker, str], MqttBus]]:
    with ExitStack() as parts:

        def connected(at: Broker, name: str) -> MqttBus:
            bus = MqttBus(at, Session(name))
            parts.callback(bus.close)
            assert bus.wait_until_up(WAIT_S), name
            return bus

        yield connected


def until(true: Callable[[], bool]) -> None:
    """Wait until something holds, within a bound."""
    end_s = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end_s, "it never came to hold"
        time.sleep(0.01)


def send(bus: MqttBus, topic: str, payload: bytes) -> None:
    """Hand a message over, also when many are under way already."""

    def handed() -> bool:
        try:
            bus.publish(topic, payload)
        except LinkDownError:
            return False
        return True

    until(handed)


def foreign_topics() -> list[str]:
    """Return topics that are not of gw-01, near misses among them."""
    drawn = random.Random(5)  # noqa: S311 - the same every time
    lanes = ["blk/p1", "live/p1", "state", "evt", "rsp/p1", "cfg/reported", "cmd/accu", "ack"]
    lanes += ["evt-ack"]
    near = [
        "nec/v1/street/gw-1/blk/p1",
        "nec/v1/street/gw-011/blk/p1",
        "nec/v1/other/gw-01/blk/p1",
        "nec/v2/street/gw-01/blk/p1",
        "nec/v1/street/gw-01/cmd/accu",
        "nec/v1/street/gw-01/ack",
        "nec/v1/street/gw-01/evt-ack",
        "nec/v1/street/gw-01/cfg/desired",
        "nec/v1/street/gw-01/blk/p1/more",
        "nec/v1/street/wijk/moment",
        "/nec/v1/street/gw-01/blk/p1",
    ]
    return near + [
        f"nec/v1/{drawn.choice(['street', 'other'])}/gw-{drawn.randrange(2, 99):02}"
        f"/{drawn.choice(lanes)}"
        for _ in range(FOREIGN - len(near))
    ]


def test_of_a_thousand_foreign_topics_none_is_delivered(
    broker: KnowingBroker, folder: Path, ca: Path, connect: Callable[[Broker, str], MqttBus]
) -> None:
    hostile = connect(broker.for_gateway(box(folder, ca, "gw-01")), "gw-01")
    victim = connect(broker.for_gateway(box(folder, ca, "gw-02")), "gw-02")
    collector = connect(broker.for_service("collector"), "collector")
    heard: queue.Queue[str] = queue.Queue()
    for bus, topics in ((victim, "#"), (collector, "nec/v1/#")):
        bus.subscribe(topics, lambda message: heard.put(message.topic))

    for topic in foreign_topics():
        send(hostile, topic, b"forged")
    send(hostile, "nec/v1/street/gw-01/blk/p1", b"own")

    assert heard.get(timeout=WAIT_S) == "nec/v1/street/gw-01/blk/p1"
    until(lambda: hostile.refused == FOREIGN)
    assert heard.empty()


def test_what_is_for_another_gateway_is_not_delivered(
    broker: KnowingBroker, folder: Path, ca: Path, connect: Callable[[Broker, str], MqttBus]
) -> None:
    hostile = connect(broker.for_gateway(box(folder, ca, "gw-01")), "gw-01")
    server = connect(broker.for_service("server"), "server")
    heard: queue.Queue[str] = queue.Queue()
    for topics in ("#", "nec/v1/street/gw-02/#", "nec/v1/street/+/cmd/+", "$SYS/#"):
        hostile.subscribe(topics, lambda message: heard.put(message.topic))

    for number in range(FOREIGN):
        send(server, f"nec/v1/street/gw-{2 + number % 97:02}/cmd/accu-{number}", b"secret")
    send(server, "nec/v1/street/gw-01/cmd/accu", b"own")

    assert heard.get(timeout=WAIT_S) == "nec/v1/street/gw-01/cmd/accu"
    assert set(heard.queue) <= {"nec/v1/street/gw-01/cmd/accu"}
    assert server.refused == 0


def test_a_gateway_hears_its_own_state_by_which_it_notices_a_second_box(
    broker: KnowingBroker, folder: Path, ca: Path, connect: Callable[[Broker, str], MqttBus]
) -> None:
    own = connect(broker.for_gateway(box(folder, ca, "gw-01")), "gw-01")
    other = connect(broker.for_gateway(box(folder, ca, "gw-02")), "gw-02")
    heard: queue.Queue[bytes] = queue.Queue()
    for topic in ("nec/v1/street/gw-02/state", "nec/v1/street/gw-01/state"):
        own.subscribe(topic, lambda message: heard.put(message.payload))

    send(other, "nec/v1/street/gw-02/state", b"foreign")
    send(own, "nec/v1/street/gw-01/state", b"own")

    assert heard.get(timeout=WAIT_S) == b"own"
    assert heard.empty()


@pytest.mark.nightly
def test_of_two_boxes_with_one_certificate_both_notice_within_a_minute(
    broker: KnowingBroker, folder: Path, ca: Path, tmp_path: Path
) -> None:
    identity = box(folder, ca, "gw-10")
    homes = []
    with ExitStack() as parts:
        for number in range(2):
            (tmp_path / str(number)).mkdir()
            at = broker.for_gateway(identity)
            home = Home(
                tmp_path / str(number), at, number, T0 + number, coop="street", gateway="gw-10"
            )
            parts.push(home.parts)
            home.start()
            homes.append(home)

        took_s = wait_until(lambda: all(home.agent.has_namesake for home in homes))

    assert took_s < 60.0


def test_who_has_no_certificate_of_ours_is_not_let_in(
    broker: KnowingBroker, folder: Path, ca: Path, tmp_path: Path
) -> None:
    strange = box(tmp_path, authority(tmp_path, datetime.now(UTC)), "gw-01")
    ours = (ca / "root.crt").read_bytes()
    strange.ca_file.write_bytes(ours)
    then = datetime.now(UTC) - timedelta(days=2)
    late = box(folder, ca, "gw-03", begin=then, days=1)
    at = broker.plan.port
    tries = {
        "no certificate": Broker("127.0.0.1", at, Tls(ca / "root.crt")),
        "another authority": broker.for_gateway(strange),
        "expired": broker.for_gateway(late),
    }

    with ExitStack() as parts:
        buses = {}
        for why, where in tries.items():
            buses[why] = MqttBus(where, Session("gw-01"))
            parts.callback(buses[why].close)
        waiting = time.monotonic() + SHORT_S
        let_in = {
            why: bus.wait_until_up(max(waiting - time.monotonic(), 0.0))
            for why, bus in buses.items()
        }

    assert let_in == dict.fromkeys(tries, False)


def test_a_gateway_that_gives_another_name_goes_by_its_certificate(
    broker: KnowingBroker, folder: Path, ca: Path, connect: Callable[[Broker, str], MqttBus]
) -> None:
    first = connect(broker.for_gateway(box(folder, ca, "gw-02")), "gw-02")
    gone = threading.Event()
    first.watch_link(lambda up: None if up else gone.set())

    connect(broker.for_gateway(box(folder, ca, "gw-04")), "gw-02")
    first.publish("nec/v1/street/gw-02/evt", b"{}")
    until(lambda: first.wait_until_up(0))

    assert not gone.is_set()


def test_a_revoked_gateway_is_cut_off_and_kept_out_while_others_stay(
    broker: KnowingBroker, folder: Path, ca: Path, connect: Callable[[Broker, str], MqttBus]
) -> None:
    stolen, other = box(folder, ca, "gw-05"), box(folder, ca, "gw-06")
    first = connect(broker.for_gateway(stolen), "gw-05")
    second = connect(broker.for_gateway(other), "gw-06")
    gone, other_gone = threading.Event(), threading.Event()
    first.watch_link(lambda up: None if up else gone.set())
    second.watch_link(lambda up: None if up else other_gone.set())
    begun_s = time.monotonic()

    revoked = [Revoked(serial_of(stolen), datetime.now(UTC))]
    write_list(broker.plan.folder, [issuing_of(ca)], revoked, SystemClock())
    told = tell_to_read(broker.plan.folder / "mosquitto.pid")
    reached = take_over(broker.for_service("server"), "gw-05")

    assert told
    assert reached
    assert gone.wait(WAIT_S)
    assert time.monotonic() - begun_s < WAIT_S
    assert not first.wait_until_up(SHORT_S)
    assert not other_gone.is_set()
    connect(broker.for_gateway(other), "gw-06")


def test_a_gateway_hears_which_of_its_events_the_record_holds(
    broker: KnowingBroker, folder: Path, ca: Path, connect: Callable[[Broker, str], MqttBus]
) -> None:
    own = connect(broker.for_gateway(box(folder, ca, "gw-01")), "gw-01")
    collector = connect(broker.for_service("collector"), "collector")
    heard: queue.Queue[bytes] = queue.Queue()
    for name in ("gw-02", "gw-01"):
        own.subscribe(f"nec/v1/street/{name}/evt-ack", lambda message: heard.put(message.payload))

    until_s = time.monotonic() + WAIT_S
    while (
        heard.empty() and time.monotonic() < until_s
    ):  # the broker takes listening in on its own time
        for name in ("gw-02", "gw-01"):
            send(collector, f"nec/v1/street/{name}/evt-ack", name.encode())
        with suppress(queue.Empty):
            heard.put(heard.get(timeout=0.2))

    assert {heard.get_nowait() for _ in range(heard.qsize())} == {b"gw-01"}
    assert collector.refused == 0


def test_after_a_new_authority_the_revoked_of_both_are_kept_out_and_the_others_stay(
    tmp_path: Path,
) -> None:
    ca = authority(tmp_path, datetime.now(UTC) - timedelta(minutes=2))
    good, bad = [box(tmp_path, ca, "gw-01")], [box(tmp_path, ca, "gw-02")]
    with ExitStack() as parts:
        broker = KnowingBroker.started(tmp_path, ca)
        parts.callback(broker.stop)
        renew_issuing(ca, PASSPHRASE, datetime.now(UTC) - timedelta(minutes=1))
        issuers = [issuing_of(ca), *read_older(ca)]
        good, bad = [*good, box(tmp_path, ca, "gw-03")], [*bad, box(tmp_path, ca, "gw-04")]

        def revoke(revoked: list[Revoked]) -> None:
            write_list(broker.plan.folder, issuers, revoked, SystemClock())
            assert tell_to_read(broker.plan.folder / "mosquitto.pid")

        def come(identity: Identity) -> MqttBus:
            bus = MqttBus(broker.for_gateway(identity), Session(name_in(identity)))
            parts.callback(bus.close)
            return bus

        revoke([])
        first = [come(each) for each in (*good, *bad)]
        all_came = [bus.wait_until_up(WAIT_S) for bus in first]
        gone = [lost(bus) for bus in first]
        begun_s = time.monotonic()
        revoke([Revoked(serial_of(each), datetime.now(UTC)) for each in bad])
        for each in bad:
            assert take_over(broker.for_service("server"), name_in(each))
        cut = [went.wait(WAIT_S) for went in gone[2:]]
        took_s = time.monotonic() - begun_s
        came_back = [bus.wait_until_up(SHORT_S / 2) for bus in first[2:]]
        stayed = [not went.is_set() for went in gone[:2]]
        come_again = [come(each).wait_until_up(WAIT_S) for each in good]

    assert len(issuers) == 2
    assert all_came == [True] * 4
    assert (cut, came_back, stayed) == ([True] * 2, [False] * 2, [True] * 2)
    assert took_s < WAIT_S
    assert come_again == [True] * 2


def test_ending_a_job_cuts_the_living_connection_within_a_minute(
    broker: KnowingBroker,
    ca: Path,
    tmp_path: Path,
    connect: Callable[[Broker, str], MqttBus],
) -> None:
    clock = SystemClock()
    with ExitStack() as parts:
        people = open_people(tmp_path / "state", clock)
        parts.callback(people.close)
        desk = desk_of(people, clock, ca, broker)
        with people.writing() as book:
            job = ask_job(book, "a-operator", "gw-08", "home-1")
            judge_job(book, "a-board", job, approved=True)
            drawn = draw(book, "a-board", job)
        identity = Identity(tmp_path / "box")
        assert desk.show(drawn.code, "t" * 24, identity.csr()) is Shown.TAKEN
        let = desk.look("t" * 24)
        assert isinstance(let, Let)
        identity.install(let.chain.encode(), let.roots.encode())
        bus, gone = connect(broker.for_gateway(identity), "gw-08"), threading.Event()
        bus.watch_link(lambda up: None if up else gone.set())
        begun_s = time.monotonic()

        # Somebody ends the job in another process: only the loop of the server can notice.
        with people.writing() as book:
            end_job(book, "a-board", job)
            take_back(book, "a-board", "gw-08")
        loop = KeepingUp(desk, every_s=0.05)
        loop.start()
        parts.callback(loop.stop)

        assert gone.wait(WAIT_S)
        assert time.monotonic() - begun_s < WAIT_S
        assert not bus.wait_until_up(SHORT_S)


def test_the_command_says_what_it_wrote(
    folder: Path, ca: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["broker", "config", "--folder", str(folder / "made"), "--ca", str(ca)]

    code = main([*words, "--coop", "street", "--host", "wijk.example", "--user", "mosquitto"])

    told = capsys.readouterr()
    assert code == 0
    assert "MQTT 3.1.1" in told.err
    assert "revoked.crl" in told.out
    text = (folder / "made" / "kwartier.conf").read_text()
    assert text.count("require_certificate true") == 2
    assert "max_queued_messages 10000" in text
    assert (folder / "made" / "broker.key").stat().st_mode & 0o777 == 0o600
    assert BROKER.example.startswith("kwartier broker config")


def lost(bus: MqttBus) -> threading.Event:
    """Return what is set once a connection goes."""
    gone = threading.Event()
    bus.watch_link(lambda up: None if up else gone.set())
    return gone


def name_in(identity: Identity) -> str:
    """Return the name in a gateway's certificate."""
    found = identity.certificate()
    assert found is not None
    return name_of(found)


def serial_of(identity: Identity) -> int:
    """Return the number of a gateway's certificate."""
    found = identity.certificate()
    assert found is not None
    return found.serial_number
