"""Numbered papers: no gap, no double, and a credit note that mirrors its paper to the cent."""

from __future__ import annotations

from datetime import date

import pytest

from api.cooperative.books import post, reverse
from api.cooperative.database import Books
from api.cooperative.documents import Series, credit, document, documents, issue
from api.cooperative.errors import BooksError, NotAllowedError, StateError
from api.cooperative.officers import Officer
from api.cooperative.verify import verify
from kwartier.wire import Json
from tests.api.cooperative.journals import AUGUST_1, JULY_31, bill

BODY: Json = {"amount_cents": 1210, "lines": [{"net_cents": 1000, "wh": 5000}], "word": "x_cents"}


def test_papers_are_numbered_by_series_and_year(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        for series, day in (
            (Series.INVOICE, JULY_31),
            (Series.PURCHASE, JULY_31),
            (Series.INVOICE, AUGUST_1),
            (Series.INVOICE, date(2027, 1, 1)),
        ):
            issue(desk, series, "anna", day, BODY, None, "2026-07/1")

        named = [paper.number for paper in documents(desk, run="2026-07/1")]

    assert named == ["F2026-00001", "F2026-00002", "F2027-00001", "I2026-00001"]


def test_a_number_is_not_lost_when_something_fails_after_it(
    books: Books, treasurer: Officer
) -> None:
    def fail_after_numbering() -> None:
        with books.desk(treasurer) as desk:
            issue(desk, Series.INVOICE, "anna", JULY_31, BODY, None)
            issue(desk, Series.INVOICE, "anna", JULY_31, {"lines": []}, None)

    with pytest.raises(BooksError, match="amount_cents"):
        fail_after_numbering()

    with books.desk(treasurer) as desk:
        assert issue(desk, Series.INVOICE, "anna", JULY_31, BODY, None).number == "F2026-00001"


def test_a_credit_note_mirrors_its_paper_to_the_cent(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        posted = post(desk, bill("anna", "1"))
        paper = issue(desk, Series.INVOICE, "anna", JULY_31, BODY, posted.id, "2026-07/1")
        taken_back = reverse(desk, posted.id, AUGUST_1, "wrong reading")

        note = credit(desk, paper.number, AUGUST_1, "wrong reading", taken_back.id)

        assert (note.number, note.amount_cents, note.replaces) == (
            "C2026-00001",
            -1210,
            "F2026-00001",
        )
        assert note.body == {
            "amount_cents": -1210,
            "lines": [{"net_cents": -1000, "wh": 5000}],
            "word": "x_cents",
            "credits": "F2026-00001",
            "reason": "wrong reading",
        }
        assert document(desk, "C2026-00001") == note
        assert verify(desk) == []


def test_a_paper_is_credited_once_and_a_credit_note_never(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        paper = issue(desk, Series.INVOICE, "anna", JULY_31, BODY, None)
        note = credit(desk, paper.number, AUGUST_1, "wrong")

        with pytest.raises(StateError, match="credited before, by C2026-00001"):
            credit(desk, paper.number, AUGUST_1, "wrong")
        with pytest.raises(StateError, match="is a credit note"):
            credit(desk, note.number, AUGUST_1, "wrong")
        with pytest.raises(BooksError, match="there is none"):
            credit(desk, "F2026-00009", AUGUST_1, "wrong")


@pytest.mark.parametrize(
    ("party", "cents", "replaces", "message"),
    [
        ("anna", -1209, "F2026-00001", "to the cent"),
        ("anna", 1210, "F2026-00001", "to the cent"),
        ("bram", -1210, "F2026-00001", "to the cent"),
        ("anna", -1210, "F2026-00009", "to the cent"),
    ],
)
def test_the_database_refuses_a_credit_note_that_mirrors_nothing(
    books: Books, treasurer: Officer, party: str, cents: int, replaces: str, message: str
) -> None:
    with books.desk(treasurer) as desk:
        issue(desk, Series.INVOICE, "anna", JULY_31, BODY, None)

    body: Json = {"amount_cents": cents}
    with pytest.raises(BooksError, match=message), books.desk(treasurer) as desk:
        issue(desk, Series.CREDIT, party, AUGUST_1, body, None, replaces=replaces)


def test_a_paper_that_says_something_else_than_its_entry_is_found(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        posted = post(desk, bill("anna", "1"))
        issue(desk, Series.INVOICE, "anna", JULY_31, {"amount_cents": 1211}, posted.id)

        assert [str(fault) for fault in verify(desk)] == [
            "paper F2026-00001: 1211 cents, its entry 1210"
        ]


def test_an_auditor_numbers_nothing(books: Books, auditor: Officer) -> None:
    with pytest.raises(NotAllowedError), books.desk(auditor) as desk:
        issue(desk, Series.INVOICE, "anna", JULY_31, BODY, None)
