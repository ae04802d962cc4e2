"""What services log and tell Prometheus holds no reading, name or secret: canaries prove it."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.broker import mosquitto_program
from collectors.sqlite_store import SqliteStore
from hardware.twins.p1_meter import P1Meter
from kwartier.interval import QUARTER_S
from kwartier.wire import Address, Lane
from tests.journeys.services import COLLECTOR, COOP, GATEWAY, METER_ONLY, Street
from tests.journeys.test_services import QUARTER

pytestmark = [pytest.mark.broker, pytest.mark.nightly]

EAN, NAME, SECRET, REGISTER_WH = "871687110000012347", "Jannigje", "s3cr3t-canary", 7_654_321
CANARIES = (EAN, NAME, SECRET, str(REGISTER_WH), "7654.321")
SECRETS = 'username = "canary"\npassword_file = "secret"\n\n'
SERVE = """
community = "wijk.toml"
store = "record.db"
state = "state"
port = {port}

[broker]
url = "{{broker}}"
username = "canary"
password_file = "secret"
"""
WIJK = f"""
coop = "{COOP}"
name = "Straat van {NAME}"

[[connection]]
id = "huis-1"
member = "lid-1"
gateway = "{GATEWAY}"
"""


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    monkeypatch.setenv("KWARTIER_LOG", "json")
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "wijk.toml").write_text(WIJK)
    street = Street(tmp_path)
    street.meter = P1Meter(EAN)
    yield street
    street.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as spare:
        return int(spare.getsockname()[1])


def test_no_service_logs_or_tells_a_canary(street: Street) -> None:
    web, doors = free_port(), (free_port(), free_port())
    collector = with_secrets(COLLECTOR, doors[0])
    gateway = with_secrets(METER_ONLY, doors[1])
    running = [street.start("collect", collector)]
    street.until(lambda: "link is up" in street.words("collect"), "the collector has a link")
    running.append(street.start_gateway(gateway))
    street.meter.count(REGISTER_WH, 0)
    street.tell_register(QUARTER)
    street.tell_register(QUARTER + QUARTER_S)
    street.until(lambda: street.points("p1", "import_wh"), "the record holds the register")
    running.append(street.start("serve", SERVE.format(port=web)))
    street.until(lambda: answers(web), "the server answers")

    letter = f'{{"name": "{NAME}", "ean": "{EAN}", "wh": {REGISTER_WH}'.encode()
    street.ear.bus.publish(Address(COOP, GATEWAY, Lane.BLOCK, "p1").topic, letter)
    assert street.p1.push(f"/XMX5 {NAME}\r\n\r\n0-0:96.1.1({EAN})\r\n!0000\r\n".encode())
    httpx.get(f"http://127.0.0.1:{web}/{NAME}?token={SECRET}", timeout=60)
    measures = [
        httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text for port in (web, *doors)
    ]
    street.broker.stop()
    street.until(lambda: "link is gone" in street.words("gateway"), "the gateway tells of it")
    codes = [street.end(process, signal.SIGTERM) for process in running]

    logs = "".join(street.words(name) for name in ("collect", "gateway", "serve"))
    lines = [json.loads(line) for line in logs.splitlines()]
    assert codes == [0, 0, 0]
    assert {line["service"] for line in lines} == {"collect", "gateway", "serve"}
    assert all({"time", "level", "part", "event"} <= line.keys() for line in lines)
    assert "kwartier_ack_age_seconds" in measures[1]
    assert "kwartier_outbox_waiting_blocks" in measures[2]
    for canary in CANARIES:
        assert canary not in logs
        assert canary not in "".join(measures)
    with SqliteStore(street.folder / "record.db", read_only=True) as store:
        assert store.counts().dead_letters == 1


def with_secrets(settings: str, door: int) -> str:
    """Return settings with a password and a door for measures."""
    text = settings.replace("[broker]\n", f"[broker]\n{SECRETS.strip()}\n")
    return f'metrics = "127.0.0.1:{door}"\n{text}'


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
