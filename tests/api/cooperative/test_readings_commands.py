"""``kwartier coop readings`` and ``kwartier coop meter``, from a meter to a gap that is filled."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Protocol

import pytest

from api.cooperative.database import Books
from api.cooperative.keys import read_keys
from api.cooperative.officers import Officer, Role
from api.cooperative.registry import own, renew_secret
from api.cooperative.registry.connection_book import Connection, add_connection
from api.cooperative.registry.founding import FirstOfficer, found
from api.cooperative.settings import KEYS, Address, CoopSettings, read_settings
from collectors.shard_move import hand_over
from collectors.sqlite_store import SqliteStore
from kwartier.cli import main
from kwartier.clock import VirtualClock
from kwartier.interval import QUARTER_S, Quarter, local_day
from kwartier.reading import Reading
from kwartier.wire import block_of, encode_block
from tests.api.cooperative.registered import ean

JULY = date(2026, 7, 1)
START_S, NEXT_S = local_day(JULY)
TREASURER = Officer("treasurer", "person-1", frozenset({Role.TREASURER}))


class Say(Protocol):
    """Says a word of ``kwartier coop`` and returns exit code, answer and messages."""

    def __call__(self, group: str, name: str, *words: str) -> tuple[int, object, str]: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A books' folder with one home, owned from 1 July on, and the treasurer's secret beside it."""
    books_folder = tmp_path / "books"
    clock = VirtualClock(NEXT_S)
    nowhere = Address("Meidoornstraat", "12", "3581 AB", "Utrecht")
    settings = CoopSettings(books_folder, "zonnehof", "Zonnehof", nowhere, *[""] * 8)
    one_time, _ = found(
        settings,
        {"url": "sqlite:///books.db"},
        FirstOfficer("treasurer", "person-1", "A"),
        FirstOfficer("board", "person-2", "B"),
        clock,
    )
    read = read_settings(books_folder)
    books = Books(read.database, read_keys(books_folder / KEYS), clock)
    own_secret = renew_secret(books, "treasurer", one_time.secret)
    (tmp_path / "secret").write_text(own_secret.secret, encoding="utf-8")
    with books.desk(TREASURER) as desk:
        add_connection(desk, Connection("huis-01", ean(1), "greenchoice"))
        own(desk, "huis-01", "person-1", JULY)
    books.close()
    return books_folder


@pytest.fixture
def say(folder: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Say a word of ``kwartier coop`` as the treasurer; its exit code, answer and messages."""

    def said(group: str, name: str, *words: str) -> tuple[int, object, str]:
        secret = str(folder.parent / "secret")
        common = ["--books", str(folder), "--as", "treasurer", "--secret-file", secret]
        code = main(["coop", group, name, *words, *common])
        told = capsys.readouterr()
        return code, json.loads(told.out) if told.out else None, told.err

    return said


def record_of(folder: Path) -> list[str]:
    """Write a day of the house's record, 50 Wh a quarter, and return the options that name it."""
    telemetry, community = folder.parent / "telemetry.db", folder.parent / "wijk.toml"
    readings = [
        Reading("p1", "A1", START_S + place * QUARTER_S, {"import_wh": 1_000_000 + 50 * place})
        for place in range(97)
        if place not in {40, 41}
    ]
    block = block_of(readings, "g1", "e", 1)
    with SqliteStore(telemetry) as store, store.intake() as intake:
        intake.add(block, encode_block(block), NEXT_S)
        intake.advance("g1", "e", 1)
    community.write_text(
        'coop = "zonnehof"\nname = "Zonnehof"\n'
        '[[connection]]\nid = "huis-01"\nmember = "lid-1"\ngateway = "g1"\n',
        encoding="utf-8",
    )
    return ["--record", str(telemetry), "--community", str(community)]


def test_a_day_goes_from_the_meter_to_a_book_without_gaps(folder: Path, say: Say) -> None:
    installed = say(
        "meter", "install", "huis-01", "--serial", "A1", "--at", "2026-01-01T00:00:00+01:00"
    )
    day = ["--from", "2026-07-01", "--to", "2026-07-01"]
    pulled = say("readings", "pull", *day, *record_of(folder))
    corrected = say(
        "readings", "correct", "huis-01", "import", str(Quarter(START_S)), "0.049",
        "--reason", "read twice",
    )  # fmt: skip
    seen = say("readings", "day", "huis-01", "2026-07-01", "--purpose", "question 12")
    meters = say("meter", "list", "huis-01")

    assert installed[:2] == (
        0,
        {
            "connection": "huis-01",
            "number": 1,
            "serial": "…A1",
            "digits": None,
            "installed": "2025-12-31T23:00:00Z",
            "removed": None,
        },
    )
    assert pulled[0] == 0
    assert isinstance(pulled[1], dict)
    assert (pulled[1]["days"], pulled[1]["missing"], pulled[1]["registers"]) == (2, 0, 2)
    assert corrected[:2] == (0, {"connection": "huis-01", "version": 2})
    assert isinstance(seen[1], dict)
    assert seen[1]["import"]["wh"][:2] == [49, 50]
    assert seen[1]["import"]["quality"] == "m" * 39 + "eee" + "m" * 54
    assert isinstance(meters[1], list)
    assert [each["wh"] for each in meters[1][0]["registers"]] == [1_000_000, 1_004_800]


def test_the_records_of_two_shards_are_read_as_one(folder: Path, say: Say) -> None:
    named = record_of(folder)
    first, second = folder.parent / "telemetry.db", folder.parent / "shard-1.db"
    with SqliteStore(first) as old, SqliteStore(second) as new:
        hand_over("g1", old, new)
    day = ["--from", "2026-07-01", "--to", "2026-07-01"]
    since = ["--at", "2026-01-01T00:00:00+01:00"]
    say("meter", "install", "huis-01", "--serial", "A1", *since)

    emptied = say("readings", "pull", *day, *named)
    pulled = say("readings", "pull", *day, *named, "--record", str(second))
    away = say("readings", "pull", *day, *named, "--record", str(folder.parent / "away.db"))

    assert isinstance(emptied[1], dict)
    assert isinstance(pulled[1], dict)
    assert (emptied[1]["days"], pulled[1]["days"]) == (0, 2)
    assert (pulled[1]["missing"], pulled[1]["registers"]) == (0, 2)
    assert away[0] == 1
    assert "there is no record yet" in away[2]


def test_gaps_are_told_and_estimated(folder: Path, say: Say) -> None:
    first = folder.parent / "june.csv"
    rows = [
        f"{Quarter(at_s - 7 * 96 * QUARTER_S)},huis-01,0.030,0"
        for at_s in range(START_S, NEXT_S, QUARTER_S)
    ]
    rows += [f"{Quarter(at_s)},huis-01,0.050,0" for at_s in range(START_S, NEXT_S - 1800, 900)]
    first.write_text("\n".join(["utc,connection,import_kwh,export_kwh", *rows]), encoding="utf-8")

    kept = say("readings", "import", str(first), "--apply")
    gaps = say("readings", "gaps", "--period", "2026-07")
    estimated = say("readings", "estimate", "--period", "2026-07", "--apply")

    assert kept[0] == 0
    assert isinstance(gaps[1], dict)
    assert (gaps[1]["expected"], gaps[1]["missing"]) == (31 * 96, 30 * 96 + 2)
    assert isinstance(estimated[1], dict)
    filled = [each for each in estimated[1]["estimated"] if each["direction"] == "import"]
    assert [(each["quarters"], each["method"]) for each in filled] == [
        (2, "recent"),
        (96, "recent"),  # 8 July, by 1 July and 24 June
        (96, "recent"),  # 15 July; 22 July lacks the last half hour of 1 July
    ]
    assert filled[0]["wh"] == 60
    assert "28 days that nothing is known of" in estimated[2]


REFUSED = {
    ("readings", "gaps", "--period", "juli"): "write a month as 2026-07",
    ("readings", "import", "none.csv"): "none.csv: cannot be read",
    ("meter", "read", "huis-01", "import=1", "--at", "2026-07-01T00:00Z"): "no meter is known",
}


def test_refused_input_is_one_line_and_exit_1(say: Say) -> None:
    for (group, name, *words), says in REFUSED.items():
        code, answer, messages = say(group, name, *words)
        assert (code, answer) == (1, None)
        assert says in messages
        assert messages.count("\n") == 1
