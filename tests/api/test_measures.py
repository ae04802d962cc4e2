"""Boards ask for measures that services tell, and no measure tells anything of one home."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import ExitStack
from copy import copy
from dataclasses import replace
from math import isnan
from pathlib import Path

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api.cooperative.database import Books
from api.cooperative.keys import make_keys
from api.health.gateways import Link
from api.health.states import GatewayStates
from api.metrics import Metrics
from api.office import Office
from collectors.ingest import Totals
from collectors.measures import Pulse, collector_measures
from collectors.sqlite_store import SqliteStore
from dashboards import promql
from gateway.agent import Agent
from gateway.keep.outbox import Outbox
from gateway.measures import gateway_measures
from kwartier.bus import InProcessBus
from kwartier.clock import VirtualClock
from kwartier.errors import SettingsError, StoreBusyError
from kwartier.metrics_door import PATIENCE_S, Listening, MetricsDoor, listening_at
from kwartier.metrics_text import Measure, exposition
from kwartier.reading import Reading
from kwartier.wire import block_of, encode_block
from tests.api.cooperative.street import SETTINGS
from tests.api.street import Street

NOON = 1_785_585_600
LOOPBACK = Listening("127.0.0.1", 0)


def values(text: str) -> dict[str, float]:
    """Return what Prometheus would take from a text, by name and label."""
    return {
        ",".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def record_with_a_block(folder: Path) -> Path:
    """Make a record with one block that was stored at noon, and return its file."""
    block = block_of([Reading("p1", "E1", NOON - 60, {"import_wh": 8})], "gw-1", "e1", 1)
    with SqliteStore(folder / "record.db") as store, store.intake() as intake:
        intake.add(block, encode_block(block), NOON)
    return folder / "record.db"


def collector_text(folder: Path, clock: VirtualClock) -> str:
    pulse, totals = Pulse(clock), Totals()
    totals.transactions = 1
    pulse.look(totals)
    clock.advance(40)
    record = record_with_a_block(folder)
    return exposition(collector_measures(totals, pulse, record, clock, forwards=True, linked=True))


def test_a_board_asks_for_no_measure_that_nobody_tells(noon: Street, tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.look(noon.house)
    told = generate_latest(metrics.registry).decode()
    told += collector_text(tmp_path, VirtualClock(NOON))

    named = set(re.findall(r"^# TYPE (\w+) ", told, re.MULTILINE))

    assert set(promql.MEASURES) - named == set()


def test_gateways_are_counted_by_their_first_broken_link(noon: Street) -> None:
    metrics = Metrics()
    metrics.look(noon.house)

    told = values(generate_latest(metrics.registry).decode())

    homes_and_battery = 40 + 1
    assert [told[f"kwartier_gateways,{link}"] for link in Link] == [homes_and_battery, *[0] * 5]
    assert told["kwartier_disk_size_bytes"] >= told["kwartier_disk_free_bytes"] > 0


def test_what_the_server_does_not_know_has_no_value(noon: Street, tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.look(noon.house)
    known = values(generate_latest(metrics.registry).decode())
    with SqliteStore(tmp_path / "gone.db") as gone_store, gone_store.asking():
        gone_store.path.unlink()  # the only connection is lent out, and another finds no file
        metrics.look(replace(noon.house, store=gone_store, gateways=GatewayStates()))
    told = values(generate_latest(metrics.registry).decode())

    gone = {"kwartier_store_points", "kwartier_data_age_seconds", *(
        f"kwartier_gateways,{link}" for link in Link
    )}  # fmt: skip
    assert (known["kwartier_store_up"], told["kwartier_store_up"]) == (1, 0)
    assert known["kwartier_store_points"] > 0
    assert gone <= known.keys()
    assert not gone & told.keys()
    assert "kwartier_gateway_backlog_blocks" not in told
    assert not [name for name, value in (known | told).items() if isnan(value)]


def test_a_damaged_record_or_books_that_are_away_leave_all_else_told(
    noon: Street, tmp_path: Path
) -> None:
    books = Books(f"sqlite:///{tmp_path}/none/books.db", make_keys(tmp_path / "keys"), noon.clock)
    record, metrics = record_with_a_block(tmp_path), Metrics()
    with SqliteStore(record, read_only=True) as store, store.asking():
        record.write_bytes(b"no record " * 1_000)  # another connection is opened now
        office = Office(books, SETTINGS, noon.clock)
        metrics.look(replace(noon.house, store=store, office=office))
    books.close()
    told = values(generate_latest(metrics.registry).decode())

    assert told["kwartier_store_up"] == 0
    assert told["kwartier_disk_size_bytes"] > 0
    assert not [name for name in told if name.startswith("kwartier_settlements")]


def test_the_disk_is_that_of_the_servers_folder_whatever_keeps_its_people(
    noon: Street, tmp_path: Path
) -> None:
    metrics, people = Metrics(), copy(noon.house.people)
    people.folder = tmp_path / "gone"
    metrics.look(replace(noon.house, people=people))

    assert "kwartier_disk_size_bytes" not in values(generate_latest(metrics.registry).decode())


def test_the_collector_tells_ages_of_acknowledging_and_forwarding(tmp_path: Path) -> None:
    told = values(collector_text(tmp_path, VirtualClock(NOON)))

    assert told["kwartier_ack_age_seconds"] == 40
    assert (told["kwartier_forward_age_seconds"], told["kwartier_forward_blocks"]) == (40, 1)
    assert told["kwartier_link_up"] == 1


def test_what_was_never_acknowledged_has_no_age(tmp_path: Path) -> None:
    clock, record = VirtualClock(NOON), record_with_a_block(tmp_path)

    told = collector_measures(Totals(), Pulse(clock), record, clock, forwards=False, linked=False)

    assert "kwartier_ack_age_seconds" not in exposition(told)
    assert "kwartier_forward_age_seconds" not in exposition(told)


def test_a_gateway_tells_its_queue_and_nothing_that_was_measured(tmp_path: Path) -> None:
    clock = VirtualClock(NOON)
    with ExitStack() as parts:
        outbox = Outbox(tmp_path / "outbox.db", "gw-1", clock)
        parts.callback(outbox.close)
        agent = Agent("c1", "gw-1", outbox, InProcessBus(), clock)
        agent.take(Reading("p1", "E7654321", NOON, {"import_wh": 77_777_777}))

        text = exposition(gateway_measures(agent, outbox, tmp_path, linked=False))

    told = values(text)
    assert (told["kwartier_readings_taken_total"], told["kwartier_link_up"]) == (1, 0)
    assert "77777777" not in text
    assert "E7654321" not in text


def test_labels_are_escaped_and_unknown_values_stay_away() -> None:
    odd = Measure("kwartier_odd", "With a\nline.", by={'a"\\\n': 1.5}, label="kind")

    text = exposition([odd, Measure("kwartier_none", "Not known.")])

    assert values(text) == {'kwartier_odd,a"\\\n': 1.5}


def test_the_door_answers_two_questions_and_no_other() -> None:
    with MetricsDoor(LOOPBACK, lambda: [Measure("kwartier_one", "One.", 1)]) as door:
        address = f"http://127.0.0.1:{door.port}"
        told, alive, other = (
            httpx.get(f"{address}/{path}", timeout=30) for path in ("metrics", "healthz", "secrets")
        )

    assert told.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert (values(told.text), alive.text, other.status_code) == ({"kwartier_one": 1}, "ok\n", 404)


def test_a_record_that_is_busy_is_a_temporary_refusal() -> None:
    def busy() -> list[Measure]:
        raise StoreBusyError("busy now")

    with MetricsDoor(LOOPBACK, busy) as door:
        reply = httpx.get(f"http://127.0.0.1:{door.port}/metrics", timeout=30)

    assert reply.status_code == 503


def test_a_question_without_an_end_keeps_nobody_waiting_for_long() -> None:
    with (
        MetricsDoor(LOOPBACK, list) as door,
        socket.create_connection(("127.0.0.1", door.port), timeout=30) as slow,
    ):
        slow.sendall(b"GET /metr")
        began_s = time.monotonic()
        answered = httpx.get(f"http://127.0.0.1:{door.port}/healthz", timeout=60).text
        waited_s = time.monotonic() - began_s

    assert answered == "ok\n"
    assert waited_s < PATIENCE_S + 20


def test_a_port_that_is_taken_is_named_and_a_wrong_place_too() -> None:
    with (
        MetricsDoor(LOOPBACK, list) as door,
        pytest.raises(SettingsError, match=f"cannot listen on 127.0.0.1 port {door.port}"),
    ):
        MetricsDoor(Listening("127.0.0.1", door.port), list)
    with pytest.raises(SettingsError, match="metrics is '9101': write HOST:PORT"):
        listening_at("9101", "metrics")


def test_the_door_leaves_no_thread_behind() -> None:
    with MetricsDoor(LOOPBACK, list):
        pass

    assert "metrics" not in {thread.name for thread in threading.enumerate()}
