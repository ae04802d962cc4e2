"""What was left when a home was brought on the air goes on by itself, and survives power cuts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest

from api.broker import BrokerProcess
from gateway.agent import Agent, Manner
from gateway.commission.book import BOOK, Book, Mark, Outcome, Step
from gateway.commission.commissioned import FILE, is_commissioned, write_commissioned
from gateway.commission.found import Found, Kind
from gateway.commission.handing import hand_over
from gateway.commission.hold import HeldBattery, held_back
from gateway.commission.later import Later
from gateway.enrol.claim import Claim, State
from gateway.enrol.identity import Enrolled, Identity
from gateway.enrol.server import Server
from gateway.keep.delivery import Pace
from gateway.keep.namesake import Caution
from gateway.keep.outbox import Outbox
from gateway.service import run_gateway
from gateway.settings import read_settings
from kwartier.bus import InProcessBus, Message
from kwartier.clock import VirtualClock
from kwartier.events import EventKind, decode_event
from kwartier.mqtt import MqttBus, Session
from kwartier.packing import Json
from kwartier.reading import Reading, Schedule
from kwartier.reading import Step as Planned
from kwartier.schedule import Outcome as Said
from kwartier.wire import Ack, Address, Lane, decode_block, encode_ack

T0 = 1_781_431_980
PATIENCE_S = 60.0
INVERTER = Found("inverter", Kind.SOLAR, "192.0.2.10", 502, 1)
CONSENT: dict[str, Json] = {"readings": True, "steering": True, "name": "M. Jansen"}


def left(folder: Path, clock: VirtualClock, *later: Step, enrolled: bool = True) -> Identity:
    """A home that was handed over with these steps still open."""
    identity = Identity(folder)
    if enrolled:
        identity.keep_enrolled(
            Enrolled("gw-014", "zonnehof", "mqtt://127.0.0.1:1", "Zonlaan 14", "h14", "", True, "")
        )
    book = Book(folder / BOOK, clock.now_s())
    book.put_devices((INVERTER,))
    for step in (Step.ENROL, Step.METER, Step.DEVICES, Step.SIGNS, Step.LIVE, Step.CONSENT):
        mark = Mark.LATER if step in later else Mark.GOOD
        book.put(step, Outcome(mark, T0, CONSENT if step is Step.CONSENT else {}))
    hand_over(book, identity, clock)
    clock.advance(60)
    return identity


@dataclass
class House:
    """An agent without a broker, what goes on, and the events that were told."""

    clock: VirtualClock
    agent: Agent
    later: Later
    events: list[EventKind]
    random: Random

    def pass_time(self, seconds: int, sign: int = -1) -> None:
        """Let the sun come and go; one reading of the meter a second, of the inverter each ten."""
        sun_w, target_w = 2000.0, 2000.0
        for second in range(seconds):
            self.clock.advance(1)
            if self.random.random() < 1 / 30:
                target_w = self.random.uniform(300, 4000)
            sun_w += (target_w - sun_w) / 10
            at_s = int(self.clock.now_s())
            if second % 10 == 0:
                told = {"solar_w": round(-sign * sun_w)}
                self.agent.take(Reading("inverter", "", at_s, told))
            power_w = 400 + round(self.random.gauss(0, 20) - sun_w)
            values = {"import_w": max(power_w, 0), "export_w": max(-power_w, 0)}
            self.agent.take(Reading("p1", "E1", at_s, values))
            if second % 60 == 59:
                self.later.tick()


@contextmanager
def house(folder: Path, clock: VirtualClock, server: Server | None = None) -> Iterator[House]:
    bus = InProcessBus()
    events: list[EventKind] = []
    bus.subscribe(
        Address("zonnehof", "gw-014", Lane.EVENT).topic,
        lambda message: events.append(decode_event(message.payload).kind),
    )
    outbox = Outbox(folder / "outbox.db", "gw-014", clock)
    agent = Agent("zonnehof", "gw-014", outbox, bus, clock)
    later = Later(folder, Identity(folder), "p1", server, clock)
    later.attach(agent, bus)
    agent.start()
    try:
        yield House(clock, agent, later, events, Random(7))  # noqa: S311 - a test
    finally:
        agent.stop()
        outbox.close()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(T0)


def mark_of(folder: Path, step: Step) -> Mark:
    outcome = Book(folder / BOOK, T0).outcome(step)
    assert outcome is not None
    return outcome.mark


def record_of(folder: Path) -> dict[str, Json]:
    made = Book(folder / BOOK, T0).outcome(Step.HANDOVER)
    assert made is not None
    record = made.facts["record"]
    assert isinstance(record, dict)
    return record


def test_at_the_next_sun_the_signs_are_judged_from_what_passes_by_and_steering_may_begin(
    tmp_path: Path, clock: VirtualClock
) -> None:
    left(tmp_path, clock, Step.ENROL, Step.SIGNS)
    with house(tmp_path, clock) as there:
        there.pass_time(300)
        early = mark_of(tmp_path, Step.SIGNS), is_commissioned(tmp_path / FILE)
        there.pass_time(900)
        anew = there.later.wants_anew()

    assert early == (Mark.LATER, False)
    assert mark_of(tmp_path, Step.SIGNS) is mark_of(tmp_path, Step.ENROL) is Mark.GOOD
    assert is_commissioned(tmp_path / FILE)
    assert anew
    assert record_of(tmp_path)["steering"] is True
    assert (tmp_path / "handover.json").exists()
    assert there.events == []


def test_a_sign_that_is_found_reversed_is_told_once_and_turned_by_nobody(
    tmp_path: Path, clock: VirtualClock
) -> None:
    left(tmp_path, clock, Step.SIGNS)
    with house(tmp_path, clock) as there:
        there.pass_time(1800, sign=1)

    assert there.events == [EventKind.SIGN_REVERSED]
    assert mark_of(tmp_path, Step.SIGNS) is Mark.LATER
    steps = record_of(tmp_path)["steps"]
    assert isinstance(steps, dict)
    assert '"sign": "turned"' in json.dumps(steps["signs"])
    assert Book(tmp_path / BOOK, T0).devices == (INVERTER,)
    assert not is_commissioned(tmp_path / FILE)


def test_a_cut_between_a_step_and_the_handover_makes_the_handover_anew(
    tmp_path: Path, clock: VirtualClock
) -> None:
    left(tmp_path, clock, Step.SIGNS)
    Book(tmp_path / BOOK, T0).put(Step.SIGNS, Outcome(Mark.GOOD, int(clock.now_s()), {}))
    clock.advance(1)
    before = record_of(tmp_path)["steering"]
    with house(tmp_path, clock) as there:
        there.later.tick()

    assert before is False
    assert record_of(tmp_path)["steering"] is True
    assert is_commissioned(tmp_path / FILE)


class Office(ThreadingHTTPServer):
    """A server that is busy until it is not, and keeps the handovers."""

    busy = True
    kept: list[bytes]


class _Desk(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the shape of the base
        del format, args

    def do_POST(self) -> None:
        office = self.server
        assert isinstance(office, Office)
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if not office.busy:
            office.kept.append(content)
        self.send_response(503 if office.busy else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


def test_a_handover_that_waits_is_sent_once_the_server_takes_it_and_again_when_it_is_newer(
    tmp_path: Path, clock: VirtualClock
) -> None:
    left(tmp_path, clock, Step.SIGNS)
    office = Office(("127.0.0.1", 0), _Desk)
    office.kept = []
    serving = Thread(target=office.serve_forever, args=(0.02,), daemon=True)
    serving.start()
    with house(tmp_path, clock, Server(f"http://127.0.0.1:{office.server_port}")) as there:
        there.later.tick()
        waits = (tmp_path / "handover.json").exists(), len(office.kept)
        office.busy = False
        clock.advance(60)
        there.later.tick()
        sent = (tmp_path / "handover.json").exists(), len(office.kept)
        there.pass_time(1200)
        left_over = there.later.has_work
    office.shutdown()
    office.server_close()
    serving.join()

    assert waits == (True, 0)
    assert sent == (False, 1)
    assert len(office.kept) == 2
    assert not left_over


@pytest.mark.broker
def test_the_live_test_passes_by_itself_with_the_first_link_and_an_outage_that_happens(
    tmp_path: Path,
) -> None:
    clock = VirtualClock(T0)
    left(tmp_path, clock, Step.LIVE)
    with ExitStack() as parts:
        (tmp_path / "broker").mkdir()
        broker = BrokerProcess.on_spare_port(tmp_path / "broker")
        parts.callback(broker.stop)
        far = MqttBus(broker.broker, Session("record", expiry_s=3600))
        parts.callback(far.close)
        at_s: set[int] = set()

        def took(message: Message) -> None:
            block = decode_block(message.payload)
            at_s.update(reading.at_s for reading in block.readings())
            topic = Address("zonnehof", "gw-014", Lane.ACK).topic
            far.publish(topic, encode_ack(Ack("g1", block.epoch, block.seq)), retain=True)

        far.subscribe(Address("zonnehof", "gw-014", Lane.BLOCK, "p1").topic, took)
        bus = MqttBus(broker.broker, Session("gw-014", expiry_s=3600))
        parts.callback(bus.close)
        outbox = Outbox(tmp_path / "outbox.db", "gw-014", clock)
        parts.callback(outbox.close)
        manner = Manner(pace=Pace(spread_s=0.05, resend_s=0.5), caution=Caution(quiet_s=0.1))
        agent = Agent("zonnehof", "gw-014", outbox, bus, clock, manner)
        later = Later(tmp_path, Identity(tmp_path), "p1", None, clock)
        later.attach(agent, bus)
        agent.start()
        parts.callback(agent.stop)
        taken = 0

        def until(true: Callable[[], bool]) -> None:
            nonlocal taken
            end = time.monotonic() + PATIENCE_S
            while not true():
                assert time.monotonic() < end, "it never came true"
                clock.advance(1)
                taken += 1
                agent.take(Reading("p1", "E1", T0 + taken, {"import_wh": taken}))
                later.tick()
                time.sleep(0.02)

        def live() -> dict[str, Json]:
            outcome = Book(tmp_path / BOOK, T0).outcome(Step.LIVE)
            assert outcome is not None
            return outcome.facts

        until(lambda: live().get("acknowledged_after_s") is not None)
        first = mark_of(tmp_path, Step.LIVE)
        broker.stop()
        until(lambda: not bus.wait_until_up(0))
        clock.advance(121)
        broker.start()
        until(lambda: mark_of(tmp_path, Step.LIVE) is Mark.GOOD)

    assert first is Mark.LATER
    outage_s = live()["outage_s"]
    assert isinstance(outage_s, int)
    assert outage_s >= 120
    assert len(at_s) >= taken - 15
    assert is_commissioned(tmp_path / FILE)


def test_the_gateway_begins_anew_by_itself_once_its_battery_may_be_steered(
    tmp_path: Path, clock: VirtualClock
) -> None:
    left(tmp_path, clock, Step.SIGNS)
    Book(tmp_path / BOOK, T0).put(Step.SIGNS, Outcome(Mark.GOOD, int(clock.now_s()), {}))
    path = tmp_path / "gateway.toml"
    path.write_text(
        f'coop = "zonnehof"\ngateway = "gw-014"\ncommissioned_file = "{FILE}"\n'
        '[broker]\nurl = "mqtt://127.0.0.1:1"\n[[battery]]\nhost = "127.0.0.1"\nport = 1\n'
        "charge_max_w = 1000\ndischarge_max_w = 1000\n"
    )
    settings, stop = read_settings(path), Event()
    before = [one.device for one in held_back(settings)[1]]
    running = Thread(target=run_gateway, args=(settings, clock, stop), daemon=True)
    running.start()
    running.join(PATIENCE_S)
    ended = not running.is_alive()
    stop.set()
    running.join(PATIENCE_S)

    assert before == ["battery"]
    assert ended
    assert held_back(settings) == (settings, ())


def test_the_gateway_begins_anew_and_steers_no_more_once_the_home_takes_its_leave_back(
    tmp_path: Path, clock: VirtualClock
) -> None:
    write_commissioned(tmp_path, passed=True, at_s=T0)
    path = tmp_path / "gateway.toml"
    path.write_text(
        f'coop = "zonnehof"\ngateway = "gw-014"\ncommissioned_file = "{FILE}"\n'
        '[broker]\nurl = "mqtt://127.0.0.1:1"\n[[battery]]\nhost = "127.0.0.1"\nport = 1\n'
        "charge_max_w = 1000\ndischarge_max_w = 1000\n"
    )
    settings, stop = read_settings(path), Event()
    running = Thread(target=run_gateway, args=(settings, clock, stop), daemon=True)
    running.start()
    ends_s = time.monotonic() + PATIENCE_S
    while not (tmp_path / "outbox.db").exists() and time.monotonic() < ends_s:
        running.join(0.02)
    went_on = running.is_alive()
    write_commissioned(tmp_path, passed=False, at_s=T0 + 60)
    running.join(PATIENCE_S)
    ended = not running.is_alive()
    stop.set()
    running.join(PATIENCE_S)

    assert went_on
    assert ended
    assert [one.device for one in held_back(settings)[1]] == ["battery"]


def test_a_battery_that_tells_charging_as_discharging_is_read_and_refuses_every_schedule(
    tmp_path: Path, clock: VirtualClock
) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(
        'coop = "zonnehof"\ngateway = "gw-014"\n[broker]\nurl = "mqtt://127.0.0.1:1"\n[[battery]]\n'
        'host = "127.0.0.1"\nturned = true\ncharge_max_w = 1000\ndischarge_max_w = 1000\n'
    )
    running, held = held_back(read_settings(path))
    refusal = HeldBattery(held[0], clock)
    answer = refusal.accept(Schedule("battery", 7, "plan-1", (Planned(T0, 500, 900),)))
    event = refusal.happened()

    assert running.batteries == ()
    assert answer.outcome is Said.REFUSED
    assert "wrong way round" in answer.reason
    assert event is not None
    assert event.kind is EventKind.STEERING_FAILED


def test_a_code_that_the_server_never_saw_is_still_there_after_a_power_cut(tmp_path: Path) -> None:
    identity = Identity(tmp_path)
    claim = Claim(Server("http://127.0.0.1:1"), "7K2M-9QXF", identity)

    state = claim.begin()
    resumed = Claim.resumed(identity)

    assert state is State.UNREACHABLE
    assert resumed is not None
    assert (resumed.code, resumed.ticket) == ("7K2M-9QXF", claim.ticket)
