"""The ledger's words on the command line, on books that were founded there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import pytest

from api.cooperative.books import post
from api.cooperative.database import Books
from api.cooperative.documents import Series, issue
from api.cooperative.keys import read_keys
from api.cooperative.officers import Officer, Role
from kwartier.cli import main
from kwartier.clock import VirtualClock
from kwartier.wire import Json
from tests.api.cooperative.journals import JULY_31, bill

OFFICER = Officer("treasurer", "person-1", frozenset({Role.TREASURER}))
FOUNDING = {
    "id": "zonnewijk",
    "name": "Zonnewijk",
    "street": "Zonlaan",
    "number": "1",
    "postcode": "2611AA",
    "town": "Delft",
    "treasurer-name": "Anna",
    "board-name": "Bram",
}


class Ask(Protocol):
    """Asks the ledger something and returns the exit code and what was told."""

    def __call__(self, *words: str) -> tuple[int, Json]:
        """Run one of its words."""


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], tmp_path: Path, clock: VirtualClock) -> Ask:
    """Asks something of books with one bill, as their treasurer."""
    folder, secret = tmp_path / "books", tmp_path / "secret"

    def run(*words: str) -> tuple[int, Json]:
        code = main(words)
        told = capsys.readouterr().out
        return code, json.loads(told) if told else None

    _, founded = run(
        "coop", "init", str(folder), *(f"--{name}={told}" for name, told in FOUNDING.items())
    )
    secret.write_text(str(at(founded, "officers", 0, "one_time_secret")))
    whose = ("--books", str(folder), "--as", "treasurer", "--secret-file", str(secret))
    run("coop", "officer", "new-secret", *whose, "--to", str(tmp_path / "own"))
    secret.write_text((tmp_path / "own").read_text())
    books = Books(f"sqlite:///{folder / 'books.db'}", read_keys(folder / "keys"), clock)
    with books.desk(OFFICER) as desk:
        posted = post(desk, bill("anna", "1"))
        issue(desk, Series.INVOICE, "anna", JULY_31, {"amount_cents": 1210}, posted.id)
    books.close()
    return lambda *words: run("coop", "books", *words, *whose)


def test_the_trial_balance_adds_up_to_zero(ask: Ask) -> None:
    code, told = ask("trial-balance")

    assert code == 0
    assert at(told, "totals") == {"EUR_cent": 0}
    assert at(told, "accounts", 2) == {
        "account": "receivable:anna",
        "name": "Debiteuren leden",
        "kind": "asset",
        "rgs": "BVorDebHad",
        "rgs_sure": True,
        "unit": "EUR_cent",
        "balance": 1210,
    }
    assert at(ask("trial-balance", "--until", "2026-07-30")[1], "accounts") == []


def test_an_account_a_fund_and_entries_are_told(ask: Ask) -> None:
    _, account = ask("account", "anna")
    _, fund = ask("fund")
    _, found = ask("entries", "--period", "2026-07")
    _, centres = ask("cost-centres")

    assert at(account, "lines", 0, "balance") == 1210
    assert at(account, "open", 0, "open") == 1210
    assert [at(fund, name) for name in ("inflow", "outflow", "holds")] == [50, 0, 50]
    assert at(found, 0, "key") == "1"
    assert at(centres, 0, "cost_centre") == "energy"


def test_the_books_are_looked_over_and_a_head_is_kept_and_a_month_locked(
    ask: Ask, tmp_path: Path
) -> None:
    kept = tmp_path / "heads.txt"
    published = str(at(ask("head")[1], "head"))
    kept.write_text(f"{published}\n")

    assert ask("verify", "--kept", str(kept)) == (
        0,
        {"backup_s": None, "drill_s": None, "faults": []},
    )
    assert ask("lock", "2026-07") == (0, {"locked": ["2026-07"]})
    kept.write_text(" ".join(["99", *published.split()[1:]]))
    code, told = ask("verify", "--kept", str(kept))
    assert (code, at(told, "faults", 0, "where")) == (1, "audit 99")
    kept.write_text("no head")
    assert ask("verify", "--kept", str(kept))[0] == 1


def at(told: Json, *path: str | int) -> Json:
    """Return what stands at a place of an answer."""
    for step in path:
        if isinstance(told, list) and isinstance(step, int):
            told = told[step]
        else:
            assert isinstance(told, dict)
            told = told[str(step)]
    return told
