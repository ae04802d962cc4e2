"""Laws of the ledger: whatever is posted, replayed, reversed or refused, it adds up."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from api.cooperative.books import (
    Journal,
    cost_centres,
    entries,
    member_account,
    open_items,
    post,
    reverse,
    trial_balance,
)
from api.cooperative.database import Books, Desk
from api.cooperative.documents import Series, credit, documents, issue, mirrored
from api.cooperative.errors import BooksError
from api.cooperative.officers import Officer
from api.cooperative.verify import verify
from kwartier.ledger import Account, CostCentre, Entry, Line, Unit, balances
from kwartier.wire import Json
from tests.api.cooperative.conftest import FreshBooks
from tests.api.cooperative.journals import AUGUST_1, JULY_31, bill

_EUROS = (
    "receivable:a",
    "receivable:b",
    "payable:a",
    "bank:main",
    "coop:fees",
    "fund:levy",
    "fund:learning",
)
_VOUCHERS = ("wijk:a", "wijk:b", "wijk:issued")
many = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""Each example is a transaction of its own that is thrown away, so books may be shared."""
each_database = pytest.mark.parametrize(
    "books_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.nightly)],
    indirect=True,
)


@st.composite
def some_entries(draw: st.DrawFn) -> Entry:
    """An entry of two to four lines in one unit."""
    unit, names = draw(st.sampled_from([(Unit.EUR_CENT, _EUROS), (Unit.WIJK_CENT, _VOUCHERS)]))
    amounts = draw(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=3))
    amounts.append(-sum(amounts))
    lines = tuple(
        Line(
            Account(draw(st.sampled_from(names)), unit),
            amount,
            draw(st.sampled_from(CostCentre)),
        )
        for amount in amounts
    )
    return Entry(draw(st.sampled_from(["x", "invoice ë €", "'; --"])), lines)


@st.composite
def some_journals(draw: st.DrawFn) -> list[Journal]:
    """Up to four journals on days of two years, each with a key of its own."""
    found = draw(st.lists(some_entries(), min_size=1, max_size=4))
    return [
        Journal(
            "law",
            str(number),
            date(2026, 12, 1) + timedelta(days=draw(st.integers(0, 60))),
            entry,
            draw(st.sampled_from(["monthly", "late"])),
            draw(st.sampled_from(["", "2026-07"])),
            item=draw(st.sampled_from(["", "F2026-00001"])),
        )
        for number, entry in enumerate(found)
    ]


class ThrownAwayError(Exception):
    """Ends a transaction without keeping it, so that each example begins with empty books."""


@contextmanager
def thrown_away(books: Books, officer: Officer) -> Iterator[Desk]:
    """Give a transaction in which everything is checked that a commit would, and kept nothing."""
    try:
        with books.desk(officer) as desk:
            yield desk
            if books.engine.dialect.name == "postgresql":
                desk.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            _throw_away()
    except ThrownAwayError:
        return


def _throw_away() -> None:
    raise ThrownAwayError


@each_database
@many
@given(journals=some_journals())
def test_balances_are_the_sum_of_the_entries_and_posting_again_changes_nothing(
    books: Books, treasurer: Officer, journals: list[Journal]
) -> None:
    with thrown_away(books, treasurer) as desk:
        first = [post(desk, journal) for journal in journals]
        again = [post(desk, journal) for journal in journals]
        found = trial_balance(desk)

        assert [replace(each, replayed=False) for each in again] == first

        assert found == balances(journal.entry for journal in journals)
        for unit in Unit:
            assert sum(held for account, held in found.items() if account.unit is unit) == 0
        by_centre = Counter[Account]()
        for each in cost_centres(desk):
            by_centre[each.account] += each.balance
        assert by_centre == found
        assert [booked.journal for booked in entries(desk)] == journals
        for party in ("a", "b"):
            left = Counter[Account]()
            for item in open_items(desk, party):
                left[item.account] += item.open
            last = {line.account: line.balance for line in member_account(desk, party)}
            assert all(found[account] == left[account] == last[account] for account in last)
        assert verify(desk) == []


@each_database
@many
@given(journals=some_journals(), data=st.data())
def test_reversing_restores_every_balance(
    books: Books, treasurer: Officer, journals: list[Journal], data: st.DataObject
) -> None:
    with thrown_away(books, treasurer) as desk:
        for journal in journals:
            post(desk, journal)
        before = trial_balance(desk)
        entry = data.draw(st.integers(1, len(journals)))

        taken_back = reverse(desk, entry, date(2027, 2, 1), "law")
        without = [each.entry for number, each in enumerate(journals, 1) if number != entry]
        left = balances(without)
        assert {account: left.get(account, 0) for account in before} == trial_balance(desk)

        reverse(desk, taken_back.id, date(2027, 2, 1), "law")
        assert trial_balance(desk) == before


@each_database
@many
@given(journals=some_journals(), wrong=st.lists(st.integers(0, 5), max_size=4))
def test_refusals_and_errors_leave_no_gap_in_the_numbers(
    books: Books, treasurer: Officer, journals: list[Journal], wrong: list[int]
) -> None:
    with thrown_away(books, treasurer) as desk:
        for number, journal in enumerate(journals):
            if number in wrong:
                lines = (Line(Account("nobody:knows"), 1), Line(Account("bank:main"), -1))
                refused = replace(journal, key=f"wrong{number}", entry=Entry("wrong", lines))
                with pytest.raises(BooksError), desk.session.begin_nested():
                    post(desk, refused)
            post(desk, journal)

        numbers: dict[int, list[int]] = {}
        for booked in entries(desk):
            numbers.setdefault(booked.journal.day.year, []).append(booked.number)
        assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


@each_database
@many
@given(
    amounts=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=6),
    years=st.lists(st.sampled_from([2026, 2027]), min_size=6, max_size=6),
)
def test_papers_have_no_gaps_and_a_credit_note_mirrors_its_paper(
    books: Books, treasurer: Officer, amounts: list[int], years: list[int]
) -> None:
    with thrown_away(books, treasurer) as desk:
        for amount, year in zip(amounts, years, strict=False):
            body: Json = {"amount_cents": amount, "lines": [{"net_cents": amount, "wh": 5}]}
            issue(desk, Series.INVOICE, "a", date(year, 1, 2), body, None)
        first = documents(desk)[0]
        note = credit(desk, first.number, date(2027, 5, 1), "law")

        assert note.amount_cents == -first.amount_cents
        assert isinstance(note.body, dict)
        assert mirrored(note.body["lines"]) == [{"net_cents": first.amount_cents, "wh": 5}]
        for year in (2026, 2027):
            count = years[: len(amounts)].count(year)
            named = [each.number for each in documents(desk, series=Series.INVOICE)]
            wanted = [f"F{year}-{number:05d}" for number in range(1, count + 1)]
            assert [each for each in named if each.startswith(f"F{year}")] == wanted


def test_writers_at_once_never_make_a_gap_or_a_double(
    fresh_books: FreshBooks, treasurer: Officer
) -> None:
    books = fresh_books()

    def write(writer: int) -> None:
        for number in range(8):
            with books.desk(treasurer) as desk:
                post(desk, bill(f"m{writer}", f"{writer}-{number}"))
            with books.desk(treasurer) as desk:
                post(desk, bill("shared", f"shared-{number}", AUGUST_1))
                issue(desk, Series.INVOICE, "a", JULY_31, {"amount_cents": 1}, None)

    at_once(write, 6)

    with books.reading(treasurer) as desk:
        found = entries(desk)
        assert [booked.id for booked in found] == list(range(1, 6 * 8 + 8 + 1))
        assert len(documents(desk)) == 48
        assert verify(desk) == []


def at_once(act: Callable[[int], None], count: int) -> None:
    """Let threads do an act together; an error in one is an error of the test."""
    faults: list[BaseException] = []
    begin = threading.Barrier(count)

    def run(number: int) -> None:
        begin.wait()
        try:
            act(number)
        except BaseException as error:
            faults.append(error)
            raise

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
