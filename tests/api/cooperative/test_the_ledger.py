"""The ledger: posted once, in balance, in an open month, never changed, taken back whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from api.cooperative.books import (
    CentreBalance,
    Journal,
    cost_centres,
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
from api.cooperative.errors import BooksError, ConflictError, NotAllowedError, StateError
from api.cooperative.officers import Officer
from api.cooperative.periods import is_locked, lock, open_day
from api.cooperative.verify import verify
from kwartier.ledger import Account, CostCentre, Entry, Line, Unit
from tests.api.cooperative.journals import AUGUST_1, JULY_31, bill, moved


def test_a_posted_entry_can_be_read_back(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        posted = post(desk, bill("anna", "1"))

    with books.reading(treasurer) as desk:
        (booked,) = entries(desk, source="run")
    assert booked.journal == bill("anna", "1")
    assert (booked.id, booked.number, booked.hash) == (1, 1, posted.hash)
    assert (booked.period, booked.officer) == ("2026-07", "treasurer")


def test_the_same_journal_twice_is_one_entry(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        first = post(desk, bill("anna", "1"))
    with books.desk(treasurer) as desk:
        again = post(desk, bill("anna", "1"))

    assert again == replace(first, replayed=True)
    with books.reading(treasurer) as desk:
        assert len(entries(desk)) == 1


def test_the_same_key_with_another_amount_is_refused(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        post(desk, moved("1", 100))

    with pytest.raises(ConflictError, match="manual 1 is entry 1"), books.desk(treasurer) as desk:
        post(desk, moved("1", 101))


def test_a_reversal_restores_every_balance(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        post(desk, bill("anna", "1"))
        reverse(desk, 1, AUGUST_1, "wrong reading")

    with books.reading(treasurer) as desk:
        assert set(trial_balance(desk).values()) == {0}
        assert open_items(desk, "anna") == []
        assert [line.balance for line in member_account(desk, "anna")] == [1210, 0]
        assert fund_statement(desk, "levy").inflow == 0
        assert verify(desk) == []


def test_an_entry_is_reversed_once(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        post(desk, bill("anna", "1"))
        first = reverse(desk, 1, AUGUST_1, "wrong reading")
        again = reverse(desk, 1, AUGUST_1, "wrong reading")

    assert again == replace(first, replayed=True)
    with pytest.raises(ConflictError), books.desk(treasurer) as desk:
        reverse(desk, 1, AUGUST_1, "another reason")


def test_a_reversal_of_a_reversal_is_the_entry_again(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        post(desk, bill("anna", "1"))
        taken_back = reverse(desk, 1, AUGUST_1, "wrong reading")
        restored = reverse(desk, taken_back.id, AUGUST_1, "it was right")

    with books.reading(treasurer) as desk:
        booked = {each.id: each for each in entries(desk)}
        assert booked[restored.id].journal.entry.lines == booked[1].journal.entry.lines
        assert trial_balance(desk)[Account("receivable:anna")] == 1210


def test_nothing_is_booked_in_a_locked_month(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        lock(desk, "2026-07")
        lock(desk, "2026-07")

    with pytest.raises(StateError, match="2026-07 is locked"), books.desk(treasurer) as desk:
        post(desk, bill("anna", "1"))
    with books.reading(treasurer) as desk:
        assert is_locked(desk, "2026-07")
        assert open_day(desk, JULY_31) == AUGUST_1
        assert open_day(desk, date(2026, 6, 30)) == date(2026, 6, 30)


def test_the_first_open_day_may_be_in_the_next_year(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        for period in ("2026-11", "2026-12"):
            lock(desk, period)

        assert open_day(desk, date(2026, 11, 5)) == date(2027, 1, 1)


def test_numbers_begin_anew_each_year(books: Books, treasurer: Officer) -> None:
    days = (date(2026, 12, 31), date(2027, 1, 1), date(2026, 12, 30), date(2027, 1, 2))

    with books.desk(treasurer) as desk:
        posted = [post(desk, moved(str(day), 100, day)) for day in days]

    assert [(each.id, each.number) for each in posted] == [(1, 1), (2, 1), (3, 2), (4, 2)]


def test_an_account_that_the_chart_does_not_have_is_refused(
    books: Books, treasurer: Officer
) -> None:
    for name in ("coop:pocket", "receivable", "receivable:", "bank:main:anna"):
        with pytest.raises(BooksError, match="chart"), books.desk(treasurer) as desk:
            post(desk, moved("1", 100, debit=name))


def test_euros_and_vouchers_never_meet(books: Books, treasurer: Officer) -> None:
    vouchers = Unit.WIJK_CENT
    lines = (Line(Account("wijk:anna", vouchers), -500), Line(Account("bank:main", vouchers), 500))

    with pytest.raises(BooksError, match="counts EUR_cent"), books.desk(treasurer) as desk:
        post(desk, Journal("voucher", "1", JULY_31, Entry("voucher", lines), "bought"))


def test_vouchers_in_circulation_are_what_was_issued(books: Books, treasurer: Officer) -> None:
    vouchers = Unit.WIJK_CENT
    lines = (
        Line(Account("wijk:issued", vouchers), 500),
        Line(Account("wijk:anna", vouchers), -500),
    )

    with books.desk(treasurer) as desk:
        post(desk, Journal("voucher", "1", JULY_31, Entry("voucher", lines), "bought"))
        assert [line.balance for line in member_account(desk, "anna")] == [-500]
        assert verify(desk) == []


def test_an_auditor_posts_nothing(books: Books, auditor: Officer) -> None:
    with pytest.raises(NotAllowedError), books.desk(auditor) as desk:
        post(desk, bill("anna", "1"))


def test_an_error_keeps_nothing_of_a_transaction(books: Books, treasurer: Officer) -> None:
    def post_two_with_one_key() -> None:
        with books.desk(treasurer) as desk:
            post(desk, moved("1", 100))
            post(desk, moved("1", 101))

    with pytest.raises(ConflictError):
        post_two_with_one_key()

    with books.desk(treasurer) as desk:
        assert entries(desk) == []
        assert post(desk, moved("2", 100)).number == 1
        assert verify_chains(desk) == []


def test_a_payment_settles_the_item_it_names_and_then_the_oldest(
    books: Books, treasurer: Officer
) -> None:
    first = replace(bill("anna", "1"), item="F2026-00001")
    second = replace(bill("anna", "2"), item="F2026-00002")
    paid = moved("p", 1210, AUGUST_1, "bank:main", "receivable:anna", "bank")
    part = moved("q", 210, AUGUST_1, "bank:main", "receivable:anna", "bank")

    with books.desk(treasurer) as desk:
        for journal in (first, second, replace(paid, item="F2026-00002")):
            post(desk, journal)
        named = open_items(desk, "anna")
        post(desk, part)
        oldest = open_items(desk, "anna")

    assert [(item.item, item.amount, item.open) for item in named] == [("F2026-00001", 1210, 1210)]
    assert [(item.item, item.amount, item.open) for item in oldest] == [("F2026-00001", 1210, 1000)]


def test_a_fund_tells_what_came_in_and_what_went_out(books: Books, treasurer: Officer) -> None:
    spent = moved("lamp", 30, AUGUST_1, "fund:levy", "bank:main")

    with books.desk(treasurer) as desk:
        for number in ("1", "2"):
            post(desk, bill("anna", number))
        post(desk, spent)
        fund = fund_statement(desk, "levy")

    assert (fund.inflow, fund.outflow, fund.holds) == (100, 30, 70)
    assert [line.balance for line in fund.lines] == [-50, -100, -70]


def test_a_fund_for_a_new_purpose_needs_no_new_account(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        post(desk, moved("1", 5000, credit="fund:learning"))

        assert fund_statement(desk, "learning").holds == 5000


def test_cost_centres_tell_the_neighbourhood_apart(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        post(desk, moved("1", 100))
        post(desk, replace(bill("anna", "1"), item=""))
        found = cost_centres(desk)

    assert found[0] == CentreBalance(CostCentre.ENERGY, Account("coop:energy_sales"), -950)
    assert found[-1] == CentreBalance(CostCentre.GREEN, Account("coop:gifts"), -100)


def test_a_trial_balance_can_stop_at_a_day(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        post(desk, moved("1", 100, JULY_31))
        before = trial_balance(desk)
        post(desk, moved("2", 100, AUGUST_1))

        assert trial_balance(desk, JULY_31) == before
        assert trial_balance(desk)[Account("bank:main")] == 200
