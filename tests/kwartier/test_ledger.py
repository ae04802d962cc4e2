"""The books: an entry that does not sum to zero does not exist."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kwartier.ledger import Account, Entry, LedgerError, Line, Unit, balances

CASH = Account("bank")
SALES = Account("coop:energy_sales")
VOUCHERS = Account("wijk:in_circulation", Unit.WIJK_CENT)


def test_an_entry_that_is_a_cent_off_is_refused() -> None:
    with pytest.raises(LedgerError, match="'sale' is off by 1 EUR_cent"):
        Entry("sale", (Line(CASH, 100), Line(SALES, -99)))


def test_an_entry_needs_two_lines() -> None:
    with pytest.raises(LedgerError, match="fewer than two lines"):
        Entry("nothing", (Line(CASH, 0),))


def test_euros_and_vouchers_never_share_an_entry() -> None:
    with pytest.raises(LedgerError, match="mixes EUR_cent and WIJK_cent"):
        Entry("exchange", (Line(CASH, 100), Line(VOUCHERS, -100)))


@pytest.mark.parametrize("amount", [1.0, True, "1"])
def test_a_line_holds_whole_units_only(amount: int) -> None:
    with pytest.raises(LedgerError, match="whole units only"):
        Line(CASH, amount)


def test_an_entry_cannot_be_changed() -> None:
    entry = Entry("sale", (Line(CASH, 100), Line(SALES, -100)))
    with pytest.raises(FrozenInstanceError):
        entry.lines = ()  # type: ignore[misc]  # the refusal is what is tested


def test_balances_are_kept_by_account_in_order_of_name() -> None:
    entries = [
        Entry("sale", (Line(SALES, -100), Line(CASH, 100))),
        Entry("back", (Line(CASH, -30), Line(SALES, 30))),
    ]

    held = balances(entries)

    assert list(held.items()) == [(CASH, 70), (SALES, -70)]


@given(amounts=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8))
def test_the_reversal_of_a_reversal_is_the_original(amounts: list[int]) -> None:
    lines = [Line(Account(f"a{place}"), amount) for place, amount in enumerate(amounts)]
    entry = Entry("sale", (*lines, Line(SALES, -sum(amounts))))

    undone = entry.reversed("undo")

    assert undone.reversed("sale") == entry
    assert set(balances([entry, undone]).values()) <= {0}
