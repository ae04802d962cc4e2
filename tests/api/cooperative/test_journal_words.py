"""What is booked by hand: at once when it is small, by two people when it is large."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from api.cooperative.books import post
from api.cooperative.canonical import canonical
from api.cooperative.database import Books
from api.cooperative.keys import read_keys
from api.cooperative.officers import Officer, Role
from kwartier.cli import main
from kwartier.clock import VirtualClock
from kwartier.wire import Json
from tests.api.cooperative.conftest import AUGUST_S
from tests.api.cooperative.journals import bill
from tests.api.cooperative.test_books_commands import FOUNDING

CLOCK = VirtualClock(AUGUST_S)

RENT = (
    "--reference", "rent of the hall",
    "--reason", "invoice 881",
    "--day", "2026-07-15",
    "--centre", "care",
)  # fmt: skip


class Hall:
    """Books with two officers, as they are used from the command line."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.books = folder / "books"
        self.capsys = capsys
        code = main(
            [
                "coop",
                "init",
                str(self.books),
                *(f"--{key}={told}" for key, told in FOUNDING.items()),
            ]
        )
        founded = json.loads(capsys.readouterr().out)
        assert code == 0
        for each in founded["officers"]:
            once, own = folder / f"{each['officer']}.once", self.secret(each["officer"])
            once.write_text(each["one_time_secret"])
            words = [
                "--books",
                str(self.books),
                "--as",
                each["officer"],
                "--secret-file",
                str(once),
            ]
            assert main(["coop", "officer", "new-secret", *words, "--to", str(own)]) == 0
        capsys.readouterr()

    def secret(self, officer: str) -> Path:
        """Where an officer's secret is."""
        return self.books.parent / f"{officer}.secret"

    def does(self, officer: str, *words: str) -> tuple[int, Json, str]:
        """Type a command as an officer; return the code, the answer and what was told."""
        code = main(
            ["coop", *words, "--books", str(self.books), "--as", officer,
             "--secret-file", str(self.secret(officer))]
        )  # fmt: skip
        told = self.capsys.readouterr()
        return code, json.loads(told.out) if told.out else None, told.err


@pytest.fixture
def hall(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Hall:
    """New books."""
    return Hall(tmp_path, capsys)


def fields(answer: Json) -> Mapping[str, Json]:
    """Return an answer that is an object."""
    assert isinstance(answer, dict)
    return answer


def test_a_small_amount_is_booked_once_on_its_cost_centre(hall: Hall) -> None:
    rent = ("journal", "post", "hall-07", "--debit", "coop:expenses", "250.00",
            "--credit", "bank:main", "250", *RENT)  # fmt: skip

    first = fields(hall.does("treasurer", *rent)[1])
    again = fields(hall.does("treasurer", *rent)[1])
    _, centres, _ = hall.does("treasurer", "books", "cost-centres")

    assert (first["posted"], first["replayed"], again["replayed"]) == (True, False, True)
    assert first["id"] == again["id"]
    held = [each for each in centres if isinstance(each, dict)] if isinstance(centres, list) else []
    assert [(each["account"], each["cost_centre"], each["balance"]) for each in held] == [
        ("bank:main", "care", -25_000),
        ("coop:expenses", "care", 25_000),
    ]


def test_a_large_amount_waits_for_a_second_person(hall: Hall) -> None:
    rent = ("journal", "post", "hall-08", "--debit", "coop:expenses", "250.01",
            "--credit", "bank:main", "250.01", *RENT)  # fmt: skip

    waiting = fields(hall.does("treasurer", *rent)[1])
    number, body_hash = str(waiting["proposal"]), str(waiting["hash"])
    own = hall.does("treasurer", "proposal", "approve", number, "--hash", body_hash)
    still = fields(hall.does("treasurer", *rent)[1])
    hall.does("board", "proposal", "approve", number, "--hash", body_hash)
    booked = fields(hall.does("treasurer", *rent)[1])
    back = ("journal", "reverse", str(booked["id"]), "--reason", "wrong hall",
            "--day", "2026-07-16")  # fmt: skip
    asked = fields(hall.does("treasurer", *back)[1])
    hall.does("board", "proposal", "approve", str(asked["proposal"]), "--hash", str(asked["hash"]))
    undone = fields(hall.does("treasurer", *back)[1])

    assert (waiting["posted"], still["posted"], booked["posted"]) == (False, False, True)
    assert own[0] == 1
    assert "ask a second person" in own[2]
    # Taking it back moves as much money as booking it, so it needs a second person too.
    assert (asked["posted"], undone["posted"]) == (False, True)


def test_another_amount_than_the_approved_one_is_a_new_proposal(hall: Hall) -> None:
    def rent(amount: str) -> tuple[str, ...]:
        return ("journal", "post", "hall-09", "--debit", "coop:expenses", amount,
                "--credit", "bank:main", amount, *RENT)  # fmt: skip

    waiting = fields(hall.does("treasurer", *rent("300"))[1])
    approve = ("proposal", "approve", str(waiting["proposal"]), "--hash", str(waiting["hash"]))
    hall.does("board", *approve)

    more = fields(hall.does("treasurer", *rent("900"))[1])

    assert more["posted"] is False
    assert more["proposal"] != waiting["proposal"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--debit", "coop:expenses", "10", "--credit", "bank:main", "9.99"), "come to the same"),
        (("--debit", "coop:expenses", "10"), "fewer than two lines"),
        (("--debit", "coop:expenses", "ten", "--credit", "bank:main", "10"), "no number of euros"),
        (("--debit", "coop:expenses", "0.005", "--credit", "bank:main", "1"), "parts of a cent"),
        (("--debit", "coop:nothing", "10", "--credit", "bank:main", "10"), "the chart has none"),
        (("--debit", "energy:shared", "10", "--credit", "bank:main", "10"), "counts Wh"),
    ],
)
def test_what_cannot_be_booked_is_told_in_a_line(
    hall: Hall, words: tuple[str, ...], told: str
) -> None:
    code, answer, reason = hall.does("treasurer", "journal", "post", "x", *words, *RENT)

    assert (code, answer) == (1, None)
    assert told in reason
    assert reason.count("\n") == 1


def test_an_account_is_opened_once_and_used(hall: Hall) -> None:
    meals = ("chart", "open", "care:meals", "--kind", "expense", "--dutch", "Maaltijden",
             "--english", "Meals")  # fmt: skip

    opened = hall.does("treasurer", *meals)
    again = hall.does("treasurer", *meals)
    wrong = hall.does("treasurer", "chart", "open", "Care Meals", *meals[3:])
    booked = hall.does("treasurer", "journal", "post", "soup", "--debit", "care:meals", "12.50",
                       "--credit", "bank:main", "12.50", *RENT)  # fmt: skip
    _, accounts, _ = hall.does("board", "chart", "list")

    assert (opened[0], again[0], wrong[0], booked[0]) == (0, 1, 1, 0)
    assert "has it already" in again[2]
    assert '"name":"care:meals"' in canonical(accounts)


def test_what_a_bank_or_a_run_booked_is_not_taken_back_by_hand(hall: Hall) -> None:
    books = Books(f"sqlite:///{hall.books / 'books.db'}", read_keys(hall.books / "keys"), CLOCK)
    with books.desk(Officer("treasurer", "person-1", frozenset({Role.TREASURER}))) as desk:
        posted = post(desk, bill("anna", "1"))
    books.close()

    code, _, reason = hall.does("treasurer", "journal", "reverse", str(posted.id), "--reason", "x")

    assert code == 1
    assert "correct it there" in reason


def test_a_secret_that_was_drawn_is_shown_where_its_file_cannot_be_written(hall: Hall) -> None:
    there = hall.books.parent / "there"
    there.write_text("taken")

    code, answer, reason = hall.does("board", "officer", "new-secret", "--to", str(there))
    hall.secret("board").write_text(str(fields(answer)["secret"]))

    assert code == 1
    assert "cannot be written" in reason
    assert there.read_text() == "taken"
    assert hall.does("board", "chart", "list")[0] == 0


def test_a_day_that_nobody_lives_in_is_no_day(hall: Hall) -> None:
    for day in ("9999-12-31", "0001-01-01", "31-07-2026"):
        with pytest.raises(SystemExit) as left:
            hall.does("treasurer", "books", "trial-balance", "--until", day)
        assert left.value.code == 2
