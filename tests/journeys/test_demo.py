"""``kwartier demo``: one settled day in a moment, and a street that lives until told to end."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from api.embedded.once import DAY, play_day
from api.embedded.street import BATTERY
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey
from kwartier.interval import day_of, local_day
from tests.journeys.command import PROGRAM, answer_of, kwartier, kwartier_here

KEYS = {
    "readings",
    "lost",
    "duplicated",
    "quarters",
    "solar_wh",
    "import_wh",
    "export_wh",
    "shared_wh",
    "battery_charged_wh",
    "battery_discharged_wh",
    "plan_cost_eur",
    "cost_without_battery_eur",
    "ledger_sum_cents",
}
START_S = 120
STOP_S = 10
LOOK_S = 0.1


@dataclass
class Demo:
    """A demo that runs, and what it said."""

    process: subprocess.Popen[str]
    printed: list[str] = field(default_factory=list)
    complained: list[str] = field(default_factory=list)
    shown: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        found = re.search(r"http://\S+", "".join(self.printed))
        assert found is not None, self.printed
        return found[0]

    def end(self, how: signal.Signals) -> tuple[int, float]:
        """Tell it to end; return its exit code and how long it took [s]."""
        started_s = time.monotonic()
        self.process.send_signal(how)
        return self.process.wait(60), time.monotonic() - started_s


@contextmanager
def demo(*words: str) -> Iterator[Demo]:
    """Run a demo and follow what it prints."""
    process = subprocess.Popen(
        [*PROGRAM, "demo", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    running = Demo(process)

    def follow_output() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            running.printed.append(line)
            if "Ctrl-C" in line:
                running.shown.set()

    def follow_errors() -> None:
        assert process.stderr is not None
        running.complained.extend(process.stderr)

    threads = [threading.Thread(target=follow) for follow in (follow_output, follow_errors)]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for thread in threads:
            thread.join()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def test_one_day_at_full_speed_prints_what_was_promised() -> None:
    answer = answer_of(kwartier("demo", "--once", "--homes", "6"))

    assert set(answer) >= KEYS
    told = {name: value for name, value in answer.items() if isinstance(value, (int, float))}
    assert (told["lost"], told["duplicated"], told["ledger_sum_cents"]) == (0, 0, 0)
    # 97 telegrams of 6 meters, as many answers of at least one inverter, and the battery's.
    assert told["readings"] >= 97 * 8
    assert told["quarters"] == 96
    assert told["plan_cost_eur"] <= told["cost_without_battery_eur"]
    assert 0 < told["shared_wh"] <= told["import_wh"]
    assert told["solar_wh"] >= told["export_wh"]
    # 40 kW for a day at the very most.
    assert 0 < told["battery_charged_wh"] <= 960_000
    assert 0 < told["battery_discharged_wh"] <= 960_000


@pytest.mark.nightly
def test_the_energy_of_the_played_day_adds_up(tmp_path: Path) -> None:
    played = play_day(tmp_path, 5)

    start_s, end_s = local_day(DAY)
    battery = DeviceKey(BATTERY.gateway, BATTERY.device)
    with SqliteStore(tmp_path / "record.db") as store:
        at_start, at_end = (
            dict(store.points(battery, "soc_permille", start_s, end_s + 1))[at_s]
            for at_s in (start_s, end_s)
        )
    energy_wh = played.energy_wh
    # Each home: what it used is what it took, and made, and did not give.
    assert energy_wh["import_wh"] + energy_wh["produced_wh"] - energy_wh["export_wh"] > 0
    assert played.shared.shared_wh <= energy_wh["export_wh"] + energy_wh["discharged_wh"]
    # The store tells its level in 1/1000 of 120 kWh, cut off: 120 Wh at each end.
    stored_wh = (at_end - at_start) * BATTERY.capacity_wh / 1000
    moved_wh = (
        energy_wh["charged_wh"] * BATTERY.charge_efficiency
        - energy_wh["discharged_wh"] / BATTERY.discharge_efficiency
    )
    assert moved_wh == pytest.approx(stored_wh, abs=125)
    assert threading.active_count() < 20


def test_a_street_lives_with_pages_history_and_news_until_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    with demo("--port", "0", "--homes", "6") as running:
        assert running.shown.wait(START_S), running.complained
        with httpx.Client(base_url=running.url, timeout=30) as visitor:
            assert visitor.get("/healthz").status_code == 200
            assert visitor.get("/readyz").status_code == 200
            page = visitor.get("/")
            assert page.status_code == 200
            assert "<svg" in page.text
            known = visitor.get("/api/v1/day", params={"date": yesterday()})
            assert known.status_code == 200, known.text
            assert len(known.json()["quarters"]) in {92, 96, 100}
            assert log_in(running, visitor).status_code == 303
            assert_live(visitor)
        code, seconds = running.end(signal.SIGINT)

    assert (code, seconds < STOP_S) == (0, True), (code, seconds, running.complained)
    assert "Traceback" not in "".join(running.complained)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.nightly
def test_a_demo_ends_in_order_when_it_is_terminated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    with demo("--port", "0", "--homes", "5") as running:
        assert running.shown.wait(START_S), running.complained
        code, seconds = running.end(signal.SIGTERM)

    assert (code, seconds < STOP_S) == (0, True), (code, seconds, running.complained)
    assert "Traceback" not in "".join(running.complained)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_still_starting_ends_at_once(
    how: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    with demo("--port", "0", "--homes", "24") as running:
        until_s = time.monotonic() + START_S
        while not running.complained and time.monotonic() < until_s:
            time.sleep(LOOK_S)
        code, seconds = running.end(how)

    assert (code, seconds < STOP_S) == (130, True), (code, seconds, running.complained)
    assert "Traceback" not in "".join(running.complained)
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_one_line_and_wrong_configuration() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        ran = kwartier("demo", "--homes", "5", "--port", str(port))

    assert (ran.returncode, ran.stdout) == (78, "")
    assert ran.stderr.splitlines() == [
        line for line in ran.stderr.splitlines() if str(port) in line
    ]
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words", [["--homes", "3"], ["--homes", "61"], ["--port", "x"], ["--port", "65536"]]
)
def test_a_wrong_call_is_wrong_usage(words: list[str]) -> None:
    ran = kwartier_here("demo", *words)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert words[1] in ran.stderr.splitlines()[-1]


def log_in(running: Demo, visitor: httpx.Client) -> httpx.Response:
    """Log in with the first card that was printed."""
    found = re.search(r"login huis-01\s+(\S+)", "".join(running.printed))
    assert found is not None, running.printed
    return visitor.post("/inloggen", data={"code": found[1]}, headers={"Origin": running.url})


def yesterday() -> str:
    return (day_of(time.time()) - timedelta(days=1)).isoformat()


def assert_live(visitor: httpx.Client) -> None:
    """Wait until the neighbourhood's values of this moment change."""
    first = visitor.get("/api/v1/now").json()
    until_s = time.monotonic() + 60
    while visitor.get("/api/v1/now").json() == first:
        assert time.monotonic() < until_s, first
        time.sleep(LOOK_S)
