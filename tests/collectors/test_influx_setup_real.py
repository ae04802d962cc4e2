"""A real InfluxDB 2 made ready, its rollups, and filled again; run with ``pytest -m influx``."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.forward_book import ForwardBook
from collectors.influx import Influx, InfluxDownError, InfluxSettings, InfluxSettingsError
from collectors.influx_office import Office
from collectors.influx_rebuild import refill
from collectors.influx_setup import Did, SetupPlace, set_up
from collectors.influx_wanted import TASKS, TOKENS, WantedToken
from collectors.line_protocol import block_lines
from collectors.sqlite_store import SqliteStore
from kwartier.charts import COMMUNITY, DAY_S, QUARTER, RAW
from kwartier.cli import main
from kwartier.clock import SystemClock
from kwartier.wire import Block, encode_block
from tests.collectors.blocks import block

pytestmark = pytest.mark.influx
SITE = "wijk"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetupPlace]:
    """Return an organisation of its own, made ready."""
    url = os.environ.get("KWARTIER_INFLUX_URL", "")
    token = os.environ.get("KWARTIER_INFLUX_TOKEN", "")
    if not (url and token):
        pytest.skip("no InfluxDB 2 was named: set KWARTIER_INFLUX_URL and _TOKEN")
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "admin.token").write_text(token)
    place = SetupPlace(url, f"kwartier-test-{uuid.uuid4().hex[:12]}", folder)
    set_up(place)
    yield place
    with door(place, "admin", RAW.name) as admin:
        held = Office(admin).organisation(place.organisation)
        admin.manage("DELETE", f"/api/v2/orgs/{held}")


def door(place: SetupPlace, word: str, bucket: str) -> Influx:
    secret = (place.folder / f"{word}.token").read_text().strip()
    return Influx(InfluxSettings(place.url, secret, place.organisation, bucket))


def test_twice_the_same_changes_nothing(place: SetupPlace) -> None:
    assert {step.did for step in set_up(place)} == {Did.THERE}


def test_what_somebody_changed_is_put_right(place: SetupPlace) -> None:
    with door(place, "admin", RAW.name) as admin:
        office = Office(admin)
        org = office.organisation(place.organisation) or ""
        office.keep(office.buckets(org)["raw"], replace(RAW, keep_s=3 * DAY_S))
        task = office.tasks(org)["kwartier-quarters"]
        admin.manage("PATCH", f"/api/v2/tasks/{task.id}", body={"status": "inactive"})
        (held,) = office.tokens(org)["kwartier-reader"]
        office.drop_token(held)
    (place.folder / "writer.token").write_text("of another\n")

    told = {step.what: step.did for step in set_up(place) if step.did is not Did.THERE}

    assert told == {
        "bucket raw": Did.REPAIRED, "task kwartier-quarters": Did.REPAIRED,
        "token kwartier-reader": Did.MADE, "token kwartier-writer": Did.REPAIRED,
    }  # fmt: skip
    assert {step.did for step in set_up(place)} == {Did.THERE}


@pytest.mark.parametrize("wanted", TOKENS, ids=[token.name for token in TOKENS])
def test_a_token_may_do_what_it_is_for_and_nothing_else(
    place: SetupPlace, wanted: WantedToken
) -> None:
    word = wanted.file.removesuffix(".token")
    for bucket in (RAW.name, QUARTER.name, COMMUNITY.name):
        may = {right.action for right in wanted.rights if right.bucket == bucket}
        with door(place, word, bucket) as one:
            assert writes(one) == ("write" in may), bucket
            assert reads(one) == ("read" in may), bucket


def writes(one: Influx) -> bool:
    try:
        one.write(["probe,site=none of=1i"])
    except InfluxSettingsError:
        return False
    return True


def reads(one: Influx) -> bool:
    try:
        list(one.ask("from(bucket: _bucket) |> range(start: -1m)", {"_bucket": one.bucket}))
    except InfluxSettingsError:
        return False
    return True


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    """Return a record of the last hours of five homes."""
    path = tmp_path_factory.mktemp("record") / "record.db"
    with SqliteStore(path) as store:
        with store.intake() as intake:
            for one in last_hours():
                intake.add(one, encode_block(one), one.at_s[-1])
        yield store


def last_hours() -> list[Block]:
    now_s = int(SystemClock().now_s())
    at_s = range(now_s - now_s % 900 - 5 * 3600, now_s - 60, 30)
    columns = {
        "import_wh": [7 * place for place in range(len(at_s))],
        "battery_w": [(-1) ** place * (place % 37) - 5 for place in range(len(at_s))],
        "tariff": [1 + place % 2 for place in range(len(at_s))],
    }
    whole = block(1, list(at_s), columns)
    return [replace(whole, gateway=f"gw-{home}") for home in range(5)]


def config(place: SetupPlace, folder: Path) -> Path:
    path = folder / "collect.toml"
    path.write_text(
        f'coop = "{SITE}"\n[broker]\nurl = "mqtt://127.0.0.1"\n[store]\npath = "record.db"\n'
        f'[influx]\nurl = "{place.url}"\norganisation = "{place.organisation}"\n'
        f'token_file = "{place.folder}/writer.token"\n'
    )
    return path


def test_it_is_filled_again_and_both_sides_count_the_same(
    place: SetupPlace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SqliteStore(tmp_path / "record.db") as store, store.intake() as intake:
        for one in last_hours():
            intake.add(one, encode_block(one), one.at_s[-1])
        points = 5 * 3 * len(one.at_s)
    words = ["--config", str(config(place, tmp_path)), "--tokens", str(place.folder)]

    assert main(["influx", "rebuild", *words]) == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["blocks"], told["refused"], told["differences"]) == (5, 0, [])
    assert told["record"] == told["influx"] == points
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "collect.toml", "record.db", "record.db.life",
    ]  # fmt: skip


def test_the_task_tells_the_quarter_hours_that_the_record_tells(
    place: SetupPlace, record: SqliteStore, tmp_path: Path
) -> None:
    site = "by-task"
    now_s = int(SystemClock().now_s())
    end_s = now_s - now_s % 900
    lines = Lines()
    book = ForwardBook(tmp_path / "book.db")
    refill(record, "life", lines, book, site, end_s - 3 * 3600, end_s)
    book.close()
    rows = [line for one in last_hours() for line in block_lines(one, site)]
    with door(place, "writer", RAW.name) as writer:
        writer.write(rows)

    with door(place, "admin", QUARTER.name) as admin:
        body = TASKS[0].flux.replace("option task", "task_of_a_test")
        list(admin.ask(body, {}))
        asked = (
            "from(bucket: _bucket) |> range(start: -4h)"
            ' |> filter(fn: (r) => r._measurement == "quarter" and r.site == _site)'
        )
        told = [
            f"quarter,device={row['device']},gateway={row['gateway']},site={site} "
            f"{row['_field']}={row['_value']}i {int(row['_time'].timestamp())}"  # type: ignore[union-attr] # a row of points has a time
            for row in admin.ask(asked, {"_bucket": QUARTER.name, "_site": site})
        ]

    assert sorted(told) == sorted(lines.lines)
    assert len(told) == 12 * 3 * 5


class Lines:
    """Keeps lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, lines: Sequence[str]) -> None:
        self.lines += lines


def test_a_server_that_is_away_is_said_to_be(place: SetupPlace) -> None:
    with pytest.raises(InfluxDownError):
        set_up(replace(place, url="http://127.0.0.1:9"))
