"""What watchers are told: alive, ready, and counts without people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx

from api.app import create_app
from api.live import LiveFeed
from collectors.power import FRESH_S
from collectors.sqlite_store import SqliteStore
from tests.api.conftest import served
from tests.api.street import street


def test_the_process_answers(client: httpx.Client) -> None:
    assert client.get("/healthz").json()["status"] == "ok"


def test_fresh_data_make_it_ready(client: httpx.Client) -> None:
    assert client.get("/readyz").json() == {"status": "ready", "data_age_s": 5}


def test_old_data_make_it_unready_and_say_since_when(tmp_path: Path) -> None:
    with street(tmp_path, homes=5) as made, served(made) as watcher:
        made.clock.advance(FRESH_S)
        reply = watcher.get("/readyz")

    assert reply.status_code == 503
    assert "2026-07-01T11:04:55Z" in reply.json()["detail"]
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_damaged_record_makes_it_unready_and_is_named(tmp_path: Path) -> None:
    record = tmp_path / "apart.db"
    with SqliteStore(record):
        pass
    with street(tmp_path, homes=5) as made, SqliteStore(record, read_only=True) as store:
        live = LiveFeed(store, made.clock, "zonnehof")
        app = create_app(replace(made.house, store=store, live=live))
        with served(replace(made, app=app)) as watcher, store.asking():
            record.write_bytes(b"no record " * 1_000)  # another connection is opened now
            reply = watcher.get("/readyz")
        live.close()

    assert reply.status_code == 503
    assert "apart.db" in reply.json()["detail"]


def test_metrics_count_answers_by_route_and_name_nobody(client: httpx.Client) -> None:
    client.get("/api/v1/homes/huis-01/quarters")

    text = client.get("/metrics").text

    assert 'kwartier_http_requests_total{route="/api/v1/homes/{home}/quarters",status="' in text
    assert "kwartier_data_age_seconds 5.0" in text
    assert "kwartier_store_up 1.0" in text
    assert "huis-01" not in text
