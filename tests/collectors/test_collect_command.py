"""``kwartier collect`` as a process: takes blocks in, stops when told, says what is wrong."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.service import collect
from collectors.settings import read_settings
from collectors.sqlite_store import SqliteStore
from gateway.keep.blocks import Draft
from gateway.keep.courier import Courier
from gateway.keep.delivery import Pace
from gateway.keep.outbox import Outbox
from kwartier.broker import Broker
from kwartier.bus import Message
from kwartier.clock import SystemClock
from kwartier.errors import SettingsError
from kwartier.mqtt import MqttBus, Session
from kwartier.reading import Reading
from kwartier.wire import decode_ack
from tests.broker import mosquitto
from tests.collectors.influx_far_side import InfluxFarSide

__all__ = ["mosquitto"]

COLLECT = [
    sys.executable,
    "-c",
    "from kwartier.cli import main; raise SystemExit(main())",
    "collect",
    "--config",
]
WAIT_S = 60.0


def settings(folder: Path, url: str) -> Path:
    path = folder / "collect.toml"
    path.write_text(f'coop = "c1"\n[broker]\nurl = "{url}"\n[store]\npath = "record.db"\n')
    return path


def with_influx(path: Path, url: str) -> Path:
    (path.parent / "influx.token").write_text("s3cret\n")
    with path.open("a") as file:
        file.write(f'[influx]\nurl = "{url}"\norganisation = "c1"\n')
        file.write('token_file = "influx.token"\n')
    return path


@contextmanager
def running(path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COLLECT, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.broker
def test_it_takes_blocks_in_and_stops_in_order_when_told(mosquitto: Broker, tmp_path: Path) -> None:
    acks: queue.Queue[Message] = queue.Queue()
    clock = SystemClock()
    bus = MqttBus(mosquitto, Session("gw-1"))
    bus.subscribe("nec/v1/c1/gw-1/ack", acks.put)
    outbox = Outbox(tmp_path / "outbox.db", "gw-1", clock)
    outbox.append(
        [Draft((Reading("p1", "E1", 1_767_225_600 + at, {"import_wh": at}),)) for at in range(20)]
    )
    courier = Courier(outbox, bus, "c1", "gw-1", clock, Pace(resend_s=0.5, resend_most_s=1.0))

    with running(settings(tmp_path, mosquitto.url)) as process:
        courier.start()
        while decode_ack(acks.get(timeout=WAIT_S).payload).upto < 20:
            pass
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=WAIT_S)

    courier.stop()
    bus.close()
    outbox.close()
    assert process.returncode == 0, errors
    totals = json.loads(output)
    assert (totals["taken"], totals["readings"], totals["set_aside"]) == (20, 20, 0)
    with SqliteStore(tmp_path / "record.db", read_only=True) as record:
        assert record.counts().readings == 20


@pytest.mark.broker
def test_what_it_took_in_is_passed_on_to_influxdb(mosquitto: Broker, tmp_path: Path) -> None:
    far_side = InfluxFarSide()
    path = with_influx(settings(tmp_path, mosquitto.url), far_side.url)
    clock = SystemClock()
    now_s = int(clock.now_s())
    outbox = Outbox(tmp_path / "outbox.db", "gw-2", clock)
    outbox.append([Draft((Reading("p1", "E1", now_s - at, {"import_wh": at}),)) for at in (40, 86)])
    bus = MqttBus(mosquitto, Session("gw-2"))
    courier = Courier(outbox, bus, "c1", "gw-2", clock, Pace(resend_s=0.5, resend_most_s=1.0))
    lines = {
        f"reading,device=p1,gateway=gw-2,site=c1 import_wh={at}i {now_s - at}" for at in (40, 86)
    }

    with running(path) as process:
        courier.start()
        assert until(lambda: lines <= set(far_side.stored))
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=WAIT_S)

    courier.stop()
    bus.close()
    outbox.close()
    far_side.close()
    assert process.returncode == 0, errors
    assert "s3cret" not in errors
    assert far_side.asked[0].path == "/api/v2/write?org=c1&bucket=raw&precision=s"


def until(done: Callable[[], bool]) -> bool:
    """Wait until something is done; return False when it takes too long."""
    end_s = time.monotonic() + WAIT_S
    while not done() and time.monotonic() < end_s:
        time.sleep(0.02)
    return done()


def told(*words: str) -> tuple[int, str]:
    """Return the exit code and the errors of a collector that does not get far."""
    done = subprocess.run(
        [*COLLECT, *words], capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    return done.returncode, done.stderr


def test_a_file_that_is_away_is_exit_78_and_one_line(tmp_path: Path) -> None:
    code, errors = told(str(tmp_path / "none.toml"))

    assert code == 78
    assert errors.startswith(f"kwartier collect: {tmp_path / 'none.toml'}: cannot be read")
    assert len(errors.splitlines()) == 1


def test_check_reads_the_settings_and_starts_nothing(tmp_path: Path) -> None:
    code, _ = told(str(settings(tmp_path, "mqtt://127.0.0.1")), "--check")

    assert code == 0
    assert not (tmp_path / "record.db").exists()


def test_a_record_that_is_damaged_is_exit_1_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "record.db").write_bytes(b"no database" * 1000)

    code, errors = told(str(settings(tmp_path, "mqtt://127.0.0.1:1")))

    assert code == 1
    assert "record.db" in errors
    assert "backup" in errors


def test_an_address_of_influxdb_that_is_none_is_refused_before_anything_is_taken_in(
    tmp_path: Path,
) -> None:
    path = with_influx(settings(tmp_path, "mqtt://127.0.0.1:1"), "influx:8086")
    stop = threading.Event()
    stop.set()

    with pytest.raises(SettingsError, match="'influx:8086' must start with http"):
        collect(read_settings(path), SystemClock(), stop)


def test_a_damaged_book_of_the_forwarder_is_said_in_a_line_and_intake_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = with_influx(settings(tmp_path, "mqtt://127.0.0.1:1"), "http://127.0.0.1:1")
    (tmp_path / "record.db.forwarded").write_bytes(b"no database" * 1000)
    stop = threading.Event()
    stop.set()

    collect(read_settings(path), SystemClock(), stop)

    (said,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "nothing is passed on to InfluxDB" in said.message
    assert "record.db.forwarded" in said.message


def test_a_record_that_another_collector_writes_is_exit_1(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "record.db"):
        code, errors = told(str(settings(tmp_path, "mqtt://127.0.0.1:1")))

    assert code == 1
    assert "another process writes this record" in errors
