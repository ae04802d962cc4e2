"""The ledger: posted once, in balance, in an open month, never changed, taken back whole."""

from __future__ import annotations

from datetime import date

from api.cooperative.books import (
    Journal,
    entries,
    fund_statement,
    member_account,
    open_items,
    post,
    reverse,
    trial_balance,
)
from api.cooperative.chain import verify_chains
from api.cooperative.database import Books
from api.cooperative.officers import Officer
from kwartier.ledger import Account, Entry, Line

JULY_31 = date(2026, 7, 31)
BILL = Entry(
    "invoice anna",
    (
        Line(Account("receivable:anna"), 1210),
        Line(Account("coop:energy_sales"), -950),
        Line(Account("fund:levy"), -50),
        Line(Account("tax:vat_due"), -210),
    ),
)
JOURNAL = Journal("run", "2026-07-1-anna", JULY_31, BILL, "settlement of July")


def test_a_posted_entry_can_be_read_back(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        posted = post(desk, JOURNAL)

    with books.reading(treasurer) as desk:
        (booked,) = entries(desk, source="run")
    assert booked.journal == JOURNAL
    assert (booked.id, booked.number, booked.hash) == (1, 1, posted.hash)
    assert (booked.period, booked.officer) == ("2026-07", "treasurer")


def test_the_same_journal_twice_is_one_entry(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        first = post(desk, JOURNAL)
    with books.desk(treasurer) as desk:
        again = post(desk, JOURNAL)

    assert (again.id, again.hash, again.replayed) == (first.id, first.hash, True)
    with books.reading(treasurer) as desk:
        assert len(entries(desk)) == 1


def test_a_reversal_restores_every_balance(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        post(desk, JOURNAL)
        reverse(desk, 1, date(2026, 8, 1), "wrong reading")

    with books.reading(treasurer) as desk:
        assert set(trial_balance(desk).values()) == {0}
        assert open_items(desk, "anna") == []
        assert [line.balance for line in member_account(desk, "anna")] == [1210, 0]
        assert fund_statement(desk, "levy").inflow == 0
        assert verify_chains(desk) == []
