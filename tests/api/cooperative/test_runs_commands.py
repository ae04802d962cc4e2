"""``kwartier coop run``: two people take a month from compute to close on the command line."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from api.commands.coop.run_views import print_table
from api.cooperative.database import Books
from api.cooperative.keys import read_keys
from api.cooperative.officers import Officer, Role
from api.cooperative.registry import renew_secret
from api.cooperative.registry.founding import FirstOfficer, found
from api.cooperative.settings import KEYS, read_settings
from kwartier.cli import main
from kwartier.clock import SystemClock
from kwartier.wire import Json
from tests.api.cooperative.stages import RUN, SMALL
from tests.api.cooperative.street import PERIOD, SETTINGS, set_up

TREASURER = Officer("treasurer", "person-1", frozenset({Role.TREASURER}))
BOARD = Officer("board", "person-2", frozenset({Role.BOARD}))


class Say(Protocol):
    """Says a word of ``kwartier coop run`` as an officer; exit code, answer and messages."""

    def __call__(self, officer: str, *words: str) -> tuple[int, str, str]: ...


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with books of a small street, and the secrets of two officers beside them."""
    folder = tmp_path_factory.mktemp("founded")
    at, clock = folder / "books", SystemClock()
    secrets = found(
        replace(SETTINGS, folder=at),
        {"url": "sqlite:///books.db"},
        FirstOfficer("treasurer", "person-1", "A"),
        FirstOfficer("board", "person-2", "B"),
        clock,
    )
    books = Books(read_settings(at).database, read_keys(at / KEYS), clock)
    for name, one_time in zip(("treasurer", "board"), secrets, strict=True):
        own = renew_secret(books, name, one_time.secret)
        (folder / f"{name}.secret").write_text(own.secret, encoding="utf-8")
    set_up(books, TREASURER, BOARD, homes=SMALL)
    books.close()
    return folder


@pytest.fixture
def say(founded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Says a word in a copy of those books; nothing is asked on a terminal."""
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    at = tmp_path / "books"

    def said(officer: str, *words: str) -> tuple[int, str, str]:
        secret = str(tmp_path / f"{officer}.secret")
        common = ["--books", str(at), "--as", officer, "--secret-file", secret]
        code = main(["coop", "run", *words, *common])
        told = capsys.readouterr()
        return code, told.out, told.err

    return said


def _answer(told: tuple[int, str, str]) -> dict[str, Json]:
    code, out, err = told
    assert code == 0, err
    answer: dict[str, Json] = json.loads(out)
    return answer


def test_a_month_goes_from_compute_to_close_by_two_people(say: Say) -> None:
    assert _answer(say("treasurer", "compute", PERIOD))["state"] == "computed"
    proposed = _answer(say("treasurer", "propose", RUN))
    seen = str(proposed["proposal_hash"])[:12]
    alone = say("treasurer", "approve", RUN, "--hash", seen)
    assert alone[0] == 1
    assert "ask a second person" in alone[2]
    early = say("treasurer", "post", RUN)
    assert (early[0], early[2].strip()) == (
        1,
        f"kwartier coop: run {RUN} is proposed: this needs a run that is approved",
    )
    assert _answer(say("board", "approve", RUN, "--hash", seen))["state"] == "approved"
    for word, state in (("post", "posted"), ("invoice", "invoiced"), ("close", "closed")):
        assert _answer(say("treasurer", word, RUN))["state"] == state

    code, out, _ = say("board", "list")
    assert (code, [(each["run"], each["state"]) for each in json.loads(out)]) == (
        0,
        [(RUN, "closed")],
    )
    statement = _answer(say("board", "statement", RUN, "lid-1"))
    assert statement["invoice_number"] == "F2026-00001"
    told = _answer(say("board", "explain", RUN, "lid-1", "1"))
    lines = statement["lines"]
    assert isinstance(lines, list)
    assert isinstance(lines[0], dict)
    assert told["cents"] == lines[0]["amount_cents"]
    assert len(json.loads(say("board", "quarters", RUN, "home-1", "2026-10-25")[1])) == 100


def test_findings_speak_and_a_waiver_needs_a_reason(say: Say) -> None:
    say("treasurer", "compute", PERIOD)
    found = json.loads(say("board", "findings", RUN, "--language", "nl")[1])
    moved = next(each for each in found if each["code"] == "A9")
    assert moved["text"].endswith("Klopt de datum?")

    short = say("treasurer", "waive", RUN, moved["key"], "--reason", "ok")
    assert short[0] == 1
    assert "the reason has 2 letters" in short[2]
    waived = _answer(
        say("treasurer", "waive", RUN, moved["key"], "--reason", "the new tenant signed the form")
    )
    body = waived["body"]
    assert isinstance(body, dict)
    assert body["waivers"] == [
        {"finding": moved["key"], "reason": "the new tenant signed the form", "by": "treasurer"}
    ]


def test_a_table_has_its_names_above_and_numbers_to_the_right(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table([{"run": "2026-07/1", "cents": 5}, {"run": "2026-07/10", "cents": 1234}])

    assert capsys.readouterr().out.splitlines() == [
        "run         cents",
        "----------  -----",
        "2026-07/1       5",
        "2026-07/10   1234",
    ]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("show", "2026-13/1"), "write it as 2026-07/1"),
        (("show", "2026-09/1"), "there is none: compute 2026-09 first"),
        (("compute", "2026"), "write it as 2026-07"),
        (("correct", PERIOD, "--reason", "a meter was read"), "nothing to correct"),
        (("reject", RUN, "--reason", "a meter"), "there is none"),
    ],
)
def test_nonsense_is_refused_in_one_line(say: Say, words: tuple[str, ...], why: str) -> None:
    code, out, err = say("treasurer", *words)

    assert (code, out) == (1, "")
    assert why in err
    assert len(err.strip().splitlines()) == 1
