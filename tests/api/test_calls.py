"""Calls are written down, listed, taken back, and proven by what was measured."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.planning.calls import LAST_S, CallBook, PutCall
from api.planning.delivery import Delivered, delivered
from collectors.sqlite_store import SqliteStore
from kwartier.cli import main
from kwartier.errors import ContractError, InputError, KwartierError, StoreBusyError
from kwartier.interval import QUARTER_S
from kwartier.reading import Reading
from tests.api.planning import Scene, scene, use_in
from tests.api.street import community_of, feed
from tests.journeys.command import kwartier_here

NOON_S = int(datetime(2026, 7, 8, 10, 0, tzinfo=UTC).timestamp())
FAR = "2038-01-05T16:00:00Z"
LATER = "2038-01-05T18:00:00Z"
COMMUNITY = """coop = "zonnehof"
name = "Zonnehof"
[[connection]]
id = "huis-01"
member = "lid-01"
gateway = "gw-01"
group = "flat"
[[group]]
id = "flat"
import_limit_w = 9000
"""
SERVE = 'community = "street.toml"\nstore = "record.db"\nstate = "kept"\n'


def call(name: str = "cbc-1", **changes: int | str | None) -> PutCall:
    usual = PutCall(name, NOON_S, NOON_S + 4 * QUARTER_S, 5_000, None, None, 0.1, NOON_S - 86_400)
    return replace(usual, **changes)  # type: ignore[arg-type]  # any of its fields


def test_a_call_comes_back_as_it_was_written_down(tmp_path: Path) -> None:
    book = CallBook(tmp_path / "calls.db")
    assert book.every() == book.between(NOON_S, NOON_S + 900) == ()
    book.add(call("b", start_s=NOON_S + QUARTER_S))
    book.add(call("a", group="flat", export_limit_w=0))

    assert [one.id for one in book.every()] == ["a", "b"]
    assert book.every()[0] == call("a", group="flat", export_limit_w=0)
    assert [one.id for one in book.between(NOON_S - 900, NOON_S)] == []
    assert [one.id for one in book.between(NOON_S - 900, NOON_S + 900)] == ["a"]

    book.drop("a", NOON_S)
    assert [one.id for one in book.between(NOON_S, NOON_S + 3_600)] == ["b"]
    assert [one.dropped_s for one in book.every()] == [NOON_S, None]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (call(start_s=NOON_S + 60), "--from 2026-07-08T10:01:00Z is not the start of a quarter"),
        (call(end_s=NOON_S), "is not after --from"),
        (call(end_s=NOON_S + 8 * 86_400), "more than a week after it"),
        (call(entered_s=NOON_S + 7_200), "is past"),
        (call(start_s=LAST_S, end_s=LAST_S + 900), "--to 2100-01-01T00:15:00Z is after 2100-01"),
        (call(import_limit_w=None), "give --import-limit-w, --export-limit-w, or both"),
        (call(import_limit_w=-1), "a limit is -1"),
        (call(reward_eur_per_kwh=101), "--reward is 101 EUR/kWh"),
        (call("with space"), "with space"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(wrong: PutCall, told: str, tmp_path: Path) -> None:
    book = CallBook(tmp_path / "calls.db")

    with pytest.raises(KwartierError, match=told):
        book.add(wrong)

    assert book.every() == ()


def test_a_call_is_written_down_once_and_taken_back_once(tmp_path: Path) -> None:
    book = CallBook(tmp_path / "calls.db")
    with pytest.raises(InputError, match="there is no call 'cbc-1'"):
        book.drop("cbc-1", NOON_S)
    book.add(call())

    with pytest.raises(InputError, match="'cbc-1' was written down before"):
        book.add(call())
    book.drop("cbc-1", NOON_S)
    with pytest.raises(InputError, match="there is no call 'cbc-1' in force"):
        book.drop("cbc-1", NOON_S)
    with pytest.raises(ContractError, match="use 1 to 32 of a-z"):
        book.drop("cbc-\udcff", NOON_S)  # a byte on the command line that is no text


def test_a_book_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    path.write_text("not a book at all, and long enough to be looked at by its first bytes")

    with pytest.raises(StoreBusyError, match=r"calls\.db cannot be used now"):
        CallBook(path).every()
    with pytest.raises(StoreBusyError, match=r"kept\.db cannot be used now"):
        CallBook(path / "kept.db").add(call())  # in a folder that is a file


@pytest.mark.parametrize(
    ("entered", "in_time"),
    [("2026-07-07T06:00:00+00:00", True), ("2026-07-07T06:00:01+00:00", False)],
)
def test_a_call_is_in_time_by_eight_on_the_day_before(entered: str, *, in_time: bool) -> None:
    told = call(entered_s=int(datetime.fromisoformat(entered).timestamp()))

    assert told.is_in_time is in_time


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Scene]:
    """Two homes that take 1 kW each in the first hour of which the second misses the last quarter,
    and a battery that gives 500 W, then takes 4 kW."""
    with scene(tmp_path, NOON_S + 3_700, community=community_of(2, solar_every=9)) as made:
        use_in(made, 0, NOON_S, NOON_S + 3_600, 1, wh=250)
        use_in(made, 1, NOON_S, NOON_S + 2_700, 1, wh=250)
        given, taken = [0, 125, 125, 125, 125], [0, 0, 1_000, 1_000, 1_000]
        readings = [
            Reading(
                "battery",
                "b1",
                NOON_S + place * QUARTER_S,
                {"discharged_wh": out, "charged_wh": into},
            )
            for place, (out, into) in enumerate(zip(given, taken, strict=True))
        ]
        feed(made.store, "gw-accu", 1, readings)
        yield made


def test_the_proof_tells_what_passed_and_nothing_where_a_home_is_missing(street: Scene) -> None:
    told = delivered(street.community, street.records, street.store, call(), NOON_S + 3_700)

    assert told == [
        Delivered(NOON_S, 1_500, kept=True),
        Delivered(NOON_S + 900, 6_000, kept=False),
        Delivered(NOON_S + 1_800, 2_000, kept=True),
        Delivered(NOON_S + 2_700, None, kept=None),
    ]


def test_the_proof_of_a_group_is_of_its_members_alone(street: Scene) -> None:
    first = replace(street.community.connections["huis-01"], group="flat")
    homes = {**street.community.connections, first.id: first}
    community = replace(street.community, connections=homes)

    told = delivered(community, street.records, street.store, call(group="flat"), NOON_S + 3_700)

    assert [one.exchange_w for one in told] == [1_000] * 4


def test_a_group_that_nobody_is_in_any_more_proves_nothing(street: Scene) -> None:
    gone = call(group="flat")

    told = delivered(street.community, street.records, street.store, gone, NOON_S + 3_700)

    assert told == [Delivered(NOON_S + place * 900, None, kept=None) for place in range(4)]


def test_nothing_is_told_of_quarters_that_are_to_come(street: Scene) -> None:
    told = delivered(street.community, street.records, street.store, call(), NOON_S + 1_000)

    assert [one.start_s for one in told] == [NOON_S]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "street.toml").write_text(COMMUNITY)
    (tmp_path / "serve.toml").write_text(SERVE)
    SqliteStore(tmp_path / "record.db").close()
    return tmp_path / "serve.toml"


def told(capsys: pytest.CaptureFixture[str], *words: str | os.PathLike[str]) -> object:
    """Return what a command printed."""
    assert main(["calls", *map(str, words)]) == 0
    text = capsys.readouterr().out
    return json.loads(text) if text else None


def test_the_command_keeps_calls(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    window = ("--from", FAR, "--to", LATER)
    told(capsys, "add", "cbc-1", *window, "--import-limit-w", "4000", "--config", config)
    told(
        capsys, "add", "cbc-2", *window, "--export-limit-w", "0", "--group", "flat",
        "--reward", "0.25", "--config", config,
    )  # fmt: skip
    told(capsys, "drop", "cbc-1", "--config", config)

    listed = told(capsys, "list", "--config", config)

    assert isinstance(listed, list)
    first, second = listed
    assert first["dropped"] is not None
    assert {name: second[name] for name in second if name != "entered"} == {
        "id": "cbc-2",
        "from": FAR,
        "to": LATER,
        "import_limit_w": None,
        "export_limit_w": 0,
        "group": "flat",
        "reward_eur_per_kwh": 0.25,
        "in_time": True,
        "dropped": None,
    }
    proof = told(capsys, "proof", "cbc-2", "--config", config)
    assert isinstance(proof, dict)
    assert (proof["quarters"], proof["kept"], proof["broken"], proof["not_known"]) == ([], 0, 0, 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--import-limit-w", "1", "--group", "nowhere"], "--group 'nowhere' is not in the neigh"),
        ([], "give --import-limit-w, --export-limit-w, or both"),
    ],
)
def test_the_command_says_what_is_wrong(
    words: list[str], message: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(
        ["calls", "add", "c", "--from", FAR, "--to", LATER, *words, "--config", str(config)]
    )

    assert code == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("key", ["--from", "--to"])
def test_an_instant_that_is_none_is_refused_with_its_key(key: str, tmp_path: Path) -> None:
    (tmp_path / "street.toml").write_text(
        'coop = "straat"\nname = "Straat"\n'
        '[[connection]]\nid = "huis-1"\nmember = "lid-1"\ngateway = "gw-1"\n'
    )
    settings = tmp_path / "serve.toml"
    settings.write_text('community = "street.toml"\nstore = "record.db"\nstate = "state"\n')
    window = {"--from": "2026-12-01T10:00:00Z", "--to": "2026-12-01T12:00:00Z", key: "gisteren"}
    words = [word for pair in window.items() for word in pair]

    said = kwartier_here(
        "calls", "add", "cbc-1", "--import-limit-w", "5", *words, "--config", settings
    )

    assert said.returncode == 1
    assert said.stderr.startswith(f"kwartier calls: {key} 'gisteren' is not an instant: use ISO")
    assert said.stderr.count("\n") == 1
