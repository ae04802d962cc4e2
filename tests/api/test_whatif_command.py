"""``kwartier coop whatif``: the same JSON on the command line, and nothing kept of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from api.cooperative.canonical import digest
from api.cooperative.database import Books
from api.cooperative.keys import read_keys
from api.cooperative.officers import Officer, Role
from api.cooperative.registry import renew_secret
from api.cooperative.registry.founding import FirstOfficer, found
from api.cooperative.settings import KEYS, read_settings
from api.cooperative.whatif import last_months
from kwartier.cli import main
from kwartier.clock import SystemClock
from tests.api.cooperative.stages import SMALL
from tests.api.cooperative.street import SETTINGS, set_up


class Say(Protocol):
    """Says a word of ``kwartier coop whatif``; exit code, answer and messages."""

    def __call__(self, *words: str) -> tuple[int, str, str]: ...


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books of a small street with readings of the last whole month, and the board's secret."""
    made = tmp_path_factory.mktemp("whatif")
    at, clock = made / "books", SystemClock()
    first, second = (FirstOfficer(name, f"p-{name}", name) for name in ("treasurer", "board"))
    settings = replace(SETTINGS, folder=at)
    one_time = found(settings, {"url": "sqlite:///books.db"}, first, second, clock)
    books = Books(read_settings(at).database, read_keys(at / KEYS), clock)
    own = renew_secret(books, "board", one_time[1].secret)
    (made / "board.secret").write_text(own.secret, encoding="utf-8")
    treasurer = Officer("treasurer", "p-treasurer", frozenset({Role.TREASURER}))
    board = Officer("board", "p-board", frozenset({Role.BOARD}))
    month = last_months(int(clock.now_s()))[-1]
    set_up(books, treasurer, board, homes=SMALL, month=month)
    books.close()
    return made


@pytest.fixture
def say(folder: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Says a word of ``kwartier coop whatif``; exit code, answer and messages."""

    def said(*words: str) -> tuple[int, str, str]:
        secret = str(folder / "board.secret")
        common = ["--books", str(folder / "books"), "--as", "board", "--secret-file", secret]
        code = main(["coop", "whatif", *words, *common])
        told = capsys.readouterr()
        return code, told.out, told.err

    return said


def test_a_tariff_is_tried_and_the_answer_bears_its_hash(say: Say) -> None:
    code, out, err = say("tariff", "--buy", "0.17", "--sell", "0.12", "--against", "now")
    told = json.loads(out)
    bare = {name: value for name, value in told.items() if name != "hash"}

    assert (code, err) == (0, "")  # no bar in a pipe
    assert told["hash"] == digest(bare)
    assert [each["source"] for each in told["months"]] == ["readings"]
    assert len(told["missing"]) == 11
    assert told["distribution"]["total"] == sum(
        each["difference_cents"] for each in told["members"].values()
    )


def test_a_key_is_tried_with_the_battery_as_it_is(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text('{"type": "static", "shares": {"home-3": "1/2", "home-4": "1/2"}}')

    code, out, _ = say("key", "--definition", str(file))

    assert code == 0
    terms = json.loads(out)["candidate"]["terms"]
    assert terms["battery"] == {"model": "coop_buys", "efficiency": "0.9"}
    assert terms["key"]["shares"] == {"home-3": "1/2", "home-4": "1/2"}


def test_a_price_that_is_none_is_refused_in_one_line(say: Say) -> None:
    code, out, err = say("tariff", "--buy", "cheap", "--sell", "0.12")

    assert (code, out) == (1, "")
    assert "buy" in err
    assert err.count("\n") == 1
