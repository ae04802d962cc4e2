"""The boards' questions as Grafana sends them to InfluxDB, and what was recorded of the answers.

``python -m tests.dashboards.asking`` records them anew from the server that KWARTIER_INFLUX_URL,
KWARTIER_INFLUX_TOKEN and KWARTIER_INFLUX_ORG name, in a bucket of its own.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from collectors.influx import Influx, InfluxSettings
from dashboards.boards import BOARDS
from dashboards.sources import INFLUX
from kwartier.interval import instant_text
from tests.dashboards import sums_scene as scene

RECORDED = Path(__file__).parent / "exchanges" / "questions.json"
NAMES = ("KWARTIER_INFLUX_URL", "KWARTIER_INFLUX_TOKEN", "KWARTIER_INFLUX_ORG")


def questions() -> list[str]:
    """Return every Flux question of the boards, once."""
    asked = (
        line.question
        for board in BOARDS
        for row in board.rows
        for panel in row.panels
        for line in panel.lines
        if line.source is INFLUX
    )
    return list(dict.fromkeys(asked))


def filled(question: str, bucket: str, start_s: int, stop_s: int) -> str:
    """Return a question with what Grafana fills in; its windows last a quarter-hour."""
    for name, value in {
        "v.defaultBucket": f'"{bucket}"',
        "v.timeRangeStart": instant_text(start_s),
        "v.timeRangeStop": instant_text(stop_s),
        "v.windowPeriod": "15m0s",
    }.items():
        question = question.replace(name, value)
    return question


def in_scene(question: str, bucket: str) -> str:
    """Return a question about the scene: lines over an hour, the rest over both days."""
    if "v.windowPeriod" in question:
        return filled(question, bucket, scene.HOUR_S, scene.HOUR_S + 3600)
    return filled(question, bucket, scene.START_S, scene.STOP_S)


def asked(settings: InfluxSettings, flux: str) -> list[str]:
    """Return the lines of the answer, as they came.

    Raises:
        urllib.error.HTTPError: The question was refused.
    """
    dialect = {"annotations": ["datatype", "group", "default"], "header": True}
    request = Request(  # noqa: S310 - the address is that of our own test server
        f"{settings.url}/api/v2/query?org={settings.org}",
        json.dumps({"query": flux, "dialect": dialect}).encode(),
        {"Authorization": f"Token {settings.token}", "Content-Type": "application/json"},
    )
    with urlopen(request, timeout=30) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body.decode().split("\r\n")


@contextmanager
def bucket_with(url: str, token: str, org: str, lines: Sequence[str]) -> Iterator[InfluxSettings]:
    """Return the way to a bucket of its own with some lines in it; afterwards it is gone."""
    from influxdb_client.client.influxdb_client import InfluxDBClient

    client = InfluxDBClient(url=url, token=token, org=org)
    made = client.buckets_api().create_bucket(
        bucket_name=f"kwartier-test-{uuid.uuid4().hex[:12]}", org=org
    )
    settings = InfluxSettings(url, token, org, made.name)
    try:
        with Influx(settings) as door:
            if lines:
                door.write(lines)
        yield settings
    finally:
        client.buckets_api().delete_bucket(made)  # type: ignore[no-untyped-call] # has no annotations
        client.close()  # type: ignore[no-untyped-call] # has no annotations


def recorded() -> dict[str, list[str]]:
    """Return the lines of each recorded answer, by the question as boards hold it."""
    kept = json.loads(RECORDED.read_text(encoding="utf-8"))
    return {"\n".join(one["question"]): one["answer"] for one in kept}


def _record() -> None:
    url, token, org = (os.environ[name] for name in NAMES)
    with bucket_with(url, token, org, scene.lines()) as settings:
        kept = [
            {"question": question.split("\n"),
             "answer": asked(settings, in_scene(question, settings.bucket))}
            for question in questions()
        ]  # fmt: skip
    RECORDED.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _record()
