"""`kwartier serve` as people start it: a real process, its one line of refusal, its clean end."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from api.plan_book import BOOK, SqlitePlanBook
from collectors.sqlite_store import SqliteStore
from kwartier.interval import instant_text
from kwartier.model import Battery
from tests.api.street import DAY, LUNCH_S, community_of, feed_day
from tests.journeys.command import kwartier_here

COMMAND = [str(Path(sys.executable).with_name("kwartier")), "serve", "--config"]

SERVE = """
community = "zonnehof.toml"
store = "telemetry.db"
state = "state"
port = 0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a neighbourhood, a record and settings."""
    community = community_of(5)
    homes = "".join(
        f'[[connection]]\nid = "{home.id}"\nmember = "{home.member}"\ngateway = "{home.gateway}"\n'
        for home in community.connections.values()
    )
    (tmp_path / "zonnehof.toml").write_text(f'coop = "zonnehof"\nname = "Zonnehof"\n{homes}')
    (tmp_path / "serve.toml").write_text(SERVE)
    with SqliteStore(tmp_path / "telemetry.db") as store:
        feed_day(store, community, DAY, LUNCH_S, {})
    return tmp_path


def run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return kwartier_here("serve", "--config", folder / "serve.toml", *more)


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield the process and its address once its port is open."""
    with subprocess.Popen(
        [*COMMAND, str(folder / "serve.toml")], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if "on port" in line)
        port = re.findall(r"on port (\d+)", told)[0]
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def test_it_serves_and_ends_cleanly_although_a_stream_is_open(folder: Path) -> None:
    with running(folder) as (process, address):
        assert httpx.get(f"{address}/healthz", timeout=60).json()["status"] == "ok"
        assert httpx.get(f"{address}/readyz", timeout=60).status_code == 503  # old data
        with httpx.stream("GET", f"{address}/api/v1/stream", timeout=60) as stream:
            assert next(stream.iter_lines()).startswith("event: ")
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        assert process.stderr is not None
        assert "ERROR" not in process.stderr.read()


def test_a_card_is_printed_once_and_opens_the_door(folder: Path) -> None:
    code = run(folder, "--card", "huis-03").stdout.strip()

    with running(folder) as (_, address), httpx.Client(base_url=address, timeout=60) as resident:
        reply = resident.post(
            "/inloggen", data={"code": code}, headers={"Origin": "http://127.0.0.1:8000"}
        )
        assert reply.status_code == 303
        assert "Uw huis vandaag" in resident.get("/").text


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("prt = 1", "prt is not known here"),
        ("port = 70000", "port is '70000'"),
        ('public_url = "http://wijk.example"', "put TLS in front"),
        ('host = "203.0.113.1"', "203.0.113.1:0 cannot be opened"),
    ],
)
def test_a_wrong_setting_is_refused_with_78_and_one_line(
    folder: Path, line: str, named: str
) -> None:
    key = line.partition(" ")[0]
    kept = [one for one in SERVE.splitlines() if not one.startswith(f"{key} ")]
    (folder / "serve.toml").write_text("\n".join([*kept, line]))

    refused = run(folder)

    assert refused.returncode == 78
    assert named in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_card_for_a_home_that_is_not_there_is_refused(folder: Path) -> None:
    refused = run(folder, "--card", "huis-77")

    assert refused.returncode == 78
    assert "'huis-77'" in refused.stderr


@pytest.mark.parametrize(
    "words",
    [("serve",), ("serve", "--card", "huis-03"), ("fleet", "ring", "show")],
    ids=["serving", "a-card", "the-fleet"],
)
def test_a_folder_of_its_own_that_cannot_be_made_is_said_in_one_line(
    folder: Path, words: tuple[str, ...]
) -> None:
    at = folder / "telemetry.db" / "state"
    (folder / "serve.toml").write_text(SERVE.replace('"state"', f'"{at}"'))

    reply = kwartier_here(*words, "--config", folder / "serve.toml")

    assert reply.returncode == 78
    assert reply.stderr == (
        f"kwartier {words[0]}: state: {at} cannot be made: Not a directory; name a folder that "
        "this account may write in\n"
    )


def test_settings_are_checked_without_serving(folder: Path) -> None:
    checked = run(folder, "--check")

    assert checked.returncode == 0
    assert "all keys are understood" in checked.stdout


def test_the_check_tells_which_batteries_will_be_let_go_of(folder: Path) -> None:
    serve, until_s = folder / "serve.toml", int(time.time()) + 3_600
    serve.write_text(f"{SERVE}[broker]\nurl = 'mqtt://127.0.0.1'\n[planner]\n")
    away = Battery("thuis-02", "gw-01", "battery", 10_000, 5_000, 5_000, home="huis-02")
    silent = run(folder, "--check")
    (folder / "state").mkdir()
    with closing(SqlitePlanBook(folder / "state" / BOOK)) as book:
        book.keep_told([away], until_s)

    told = run(folder, "--check")

    assert silent.stdout.count("\n") == 1
    assert told.returncode == 0
    note, done = told.stdout.splitlines()
    assert note.endswith(
        f"battery thuis-02 at gateway gw-01 was told what to do until {instant_text(until_s)}, and "
        "is told to forget it as soon as this runs: it is in the neighbourhood's file no more, or "
        "its home is not"
    )
    assert "all keys are understood" in done


def test_the_check_names_what_cannot_be_read(folder: Path) -> None:
    serve = folder / "serve.toml"
    run(folder, "--card", "huis-01")  # now there is a book of people
    serve.write_text(f'books = "books"\n{SERVE}')
    bookless = run(folder, "--check")
    serve.write_text(
        f'{SERVE}[oidc]\nissuer = "https://id.example"\nclient_id = "x"\n'
        'client_secret_file = "away"\n'
    )
    secretless = run(folder, "--check")
    serve.write_text(SERVE)
    (folder / "state" / "people-keys" / "chain.key").unlink()
    keyless = run(folder, "--check")
    refused = run(folder)

    named = ("books/books.toml", "away", "people-keys/chain.key", "people-keys/chain.key")
    for told, name in zip((bookless, secretless, keyless, refused), named, strict=True):
        assert told.returncode == 78
        assert name in told.stderr
        assert len(told.stderr.splitlines()) == 1
