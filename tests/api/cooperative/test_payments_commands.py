"""``kwartier coop pay`` and ``kwartier coop auditfile``, from a paper to the bank and back."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
import pyxaf

from api.cooperative.database import Books
from api.cooperative.errors import ConflictError
from api.cooperative.keys import read_keys
from api.cooperative.officers import Officer, Role
from api.cooperative.payments.camt import BankLine
from api.cooperative.payments.file_out import write_whole
from api.cooperative.payments.sepa_reading import read_order
from api.cooperative.registry import renew_secret
from api.cooperative.registry.founding import FirstOfficer, found
from api.cooperative.settings import KEYS, read_settings
from kwartier.cli import main
from kwartier.clock import SystemClock
from kwartier.interval import day_of
from tests.api.cooperative.paying import BANK_DAY, EARNS, OWES, Company, camt, settings

TREASURER = Officer("treasurer", "person-1", frozenset({Role.TREASURER}))
BOARD = Officer("board", "person-2", frozenset({Role.BOARD}))
TODAY = day_of(SystemClock().now_s())
PAY_DAY = TODAY + timedelta(days=5)


class Say(Protocol):
    """Says a word of ``kwartier coop`` as an officer; exit code, answer and messages."""

    def __call__(self, officer: str, *words: str) -> tuple[int, str, str]: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A books' folder with a member who owes 24.12 and earned 8.12, and one who owes 9.99."""
    at = tmp_path / "books"
    clock = SystemClock()
    secrets = found(
        settings(at),
        {"url": "sqlite:///books.db"},
        FirstOfficer("treasurer", "person-1", "A"),
        FirstOfficer("board", "person-2", "B"),
        clock,
    )
    read = read_settings(at)
    books = Books(read.database, read_keys(at / KEYS), clock)
    for name, one_time in zip(("treasurer", "board"), secrets, strict=True):
        own = renew_secret(books, name, one_time.secret)
        (tmp_path / f"{name}.secret").write_text(own.secret, encoding="utf-8")
    company = Company(books, read, TREASURER, BOARD)
    company.members(1, 3, without_mandate=(3,), signed=TODAY)
    company.papers((OWES, 1, 2412), (EARNS, 1, 812), (OWES, 3, 999))
    books.close()
    return at


@pytest.fixture
def say(folder: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Says a word; nothing is asked on a terminal."""

    def said(officer: str, *words: str) -> tuple[int, str, str]:
        secret = str(folder.parent / f"{officer}.secret")
        common = ["--books", str(folder), "--as", officer, "--secret-file", secret]
        code = main(["coop", *words, *common])
        told = capsys.readouterr()
        return code, told.out, told.err

    return said


def test_a_run_is_collected_cleared_and_audited(say: Say, folder: Path) -> None:
    drafted = json.loads(say("treasurer", "pay", "draft", "2026-07/1", "--day", str(PAY_DAY))[1])
    assert [each["party"] for each in drafted["by_hand"]] == ["huis-3"]
    waiting = json.loads(say("board", "proposal", "list")[1])
    hash_begin = waiting[0]["body_hash"][:8]

    assert say("treasurer", "pay", "export", "1", "--to", str(folder / "x.xml"))[0] == 1
    assert say("board", "pay", "release", "1", "--hash", "00000000")[0] == 1
    assert say("board", "pay", "release", "1", "--hash", hash_begin)[0] == 0
    to = folder / "collect.xml"
    assert say("treasurer", "pay", "export", "1", "--to", str(to))[0] == 0
    assert say("treasurer", "pay", "export", "1", "--to", str(to))[0] == 0
    (line,) = read_order(to.read_bytes()).lines
    assert (line.cents, line.day) == (1600, PAY_DAY)
    assert to.stat().st_mode & 0o777 == 0o600

    lines = [
        BankLine(BANK_DAY, 1600, line.end_to_end, reference="A"),
        BankLine(BANK_DAY, 999, reference="B"),
    ]
    statement = folder / "statement.xml"
    statement.write_bytes(camt(lines))
    booked = json.loads(say("treasurer", "pay", "import-bank", str(statement))[1])
    assert (booked["lines"], booked["matched"]) == (2, 1)
    (left,) = json.loads(say("treasurer", "pay", "match")[1])
    assert left["suggestions"] == ["huis-3"]
    assert say("treasurer", "pay", "match", str(left["line"]), "--party", "huis-3")[0] == 0
    code, out, _ = say("treasurer", "pay", "open-items")
    assert (code, json.loads(out)) == (0, {"items": [], "ages": {}, "faults": []})

    # The collection is booked on its own day, which may lie in another year.
    for each in {2026, PAY_DAY.year}:
        year = folder / f"{each}.xaf"
        assert say("treasurer", "auditfile", "--year", str(each), "--to", str(year))[0] == 0
        assert pyxaf.validate(year, xsd=True).ok


def test_a_file_is_withdrawn_and_a_debt_written_off_by_two_officers(say: Say) -> None:
    say("treasurer", "pay", "draft", "2026-07/1", "--day", str(PAY_DAY))
    say("treasurer", "pay", "withdraw", "1", "--reason", "wrong day")
    (shown,) = json.loads(say("treasurer", "pay", "show")[1])
    assert shown["state"] == "withdrawn"

    words = ("pay", "write-off", "F2026-00002", "--reason", "moved abroad")
    proposed = json.loads(say("treasurer", *words)[1])
    approve = ("pay", "write-off", "--approve", str(proposed["proposal"]))
    code, _, told = say("treasurer", *approve, "--hash", proposed["hash"])
    assert code == 1
    assert "second person" in told
    assert say("board", *approve, "--hash", proposed["hash"][:8])[0] == 0

    assert say("treasurer", "pay", "match", "1")[0] == 2
    assert say("treasurer", "pay", "write-off")[0] == 2


def test_a_file_is_never_written_over_another(tmp_path: Path) -> None:
    to = tmp_path / "collect.xml"
    write_whole(to, b"one")
    write_whole(to, b"one")

    with pytest.raises(ConflictError, match="another file"):
        write_whole(to, b"two")

    assert to.read_bytes() == b"one"
    assert [file.name for file in tmp_path.iterdir()] == ["collect.xml"]
