"""A process that is killed while it posts, numbers and locks leaves all of it or nothing."""

from __future__ import annotations

import itertools

from api.cooperative.books import entries, post
from api.cooperative.database import Books
from api.cooperative.documents import Series, documents, issue
from api.cooperative.officers import Officer, Role
from api.cooperative.periods import lock, locked_periods
from api.cooperative.verify import verify
from tests.api.cooperative.conftest import AUGUST_S, FreshBooks
from tests.api.cooperative.journals import JULY_31, bill
from tests.api.cooperative.killing import address, killed

TREASURER = Officer("treasurer", "anna", frozenset({Role.TREASURER}))


def post_number_and_lock(books: Books) -> None:
    """Post a bill with its paper, and lock its month; again it finds what is there."""
    with books.desk(TREASURER) as desk:
        posted = post(desk, bill("anna", "1"))
        if not documents(desk, party="anna"):
            issue(desk, Series.INVOICE, "anna", JULY_31, {"amount_cents": 1210}, posted.id)
    with books.desk(TREASURER) as desk:
        lock(desk, "2026-07")


def test_wherever_it_is_killed_there_is_one_posting_in_the_end(fresh_books: FreshBooks) -> None:
    points = 0
    books = fresh_books()
    # Every point on SQLite, where nobody but us keeps order; some on PostgreSQL.
    step = 1 if books.engine.dialect.name == "sqlite" else 7
    for at in itertools.count(1, step):
        books = fresh_books()
        if not killed(post_number_and_lock, address(books), books.keys, at, AUGUST_S):
            break
        points = at
        with books.reading(TREASURER) as desk:
            there = len(entries(desk))
            assert len(documents(desk)) == there
            assert verify(desk) == []

        post_number_and_lock(books)

        with books.reading(TREASURER) as desk:
            assert len(entries(desk)) == len(documents(desk)) == 1
            assert locked_periods(desk) == ["2026-07"]
            assert verify(desk) == []
    assert points >= 20, points
