"""Open items: what each document leaves to be paid or paid out, and what a payment takes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.cooperative.errors import BooksError
from kwartier.ledger import Account, Line

AGES_DAYS = (30, 60, 90)
"""Where the columns of an ageing list end [days]."""


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One document on one account of one party.

    Attributes:
        party: Whose.
        document: The document's number.
        account: ``receivable:PARTY`` or ``payable:PARTY``.
        run: The run it belongs to; empty for other documents.
        day: The document's day.
        cents: What it came to; above zero the party owes it.
        settled: What was taken off so far, with the same sign.
    """

    party: str
    document: str
    account: str
    run: str
    day: date
    cents: int
    settled: int = 0

    @property
    def rest(self) -> int:
        """What is still open; above zero the party owes it [cents]."""
        return self.cents - self.settled


@dataclass(frozen=True, slots=True)
class Part:
    """What a payment takes of one open item; it has the item's sign [cents]."""

    item: OpenItem
    cents: int


def net(items: Iterable[OpenItem]) -> int:
    """Return what some items leave open together; above zero the party owes it [cents]."""
    return sum(item.rest for item in items)


def take(items: Sequence[OpenItem], cents: int) -> tuple[Part, ...]:
    """Return how an amount is spread over a party's open items, the oldest first.

    Items of the other sign are set off in whole first, so that what was earned pays what is owed;
    the rest of the amount goes to the oldest items of its own sign.

    Args:
        items: Open items of one party.
        cents: What is paid; above zero by the party, below zero to it. It has the sign of what
            the items leave open and is not more.

    Raises:
        BooksError: It is more than is open, or goes the other way.
    """
    open_cents = net(items)
    if cents == 0 or (cents > 0) != (open_cents > 0) or abs(cents) > abs(open_cents):
        raise BooksError(f"{cents} cents do not fit in {open_cents} cents that are open")
    against = [Part(item, item.rest) for item in items if item.rest * cents < 0]
    left = cents - sum(part.cents for part in against)
    parts = []
    for item in sorted(items, key=lambda each: (each.day, each.document, each.account)):
        if item.rest * cents > 0 and left:
            taken = min(abs(item.rest), abs(left)) * (1 if left > 0 else -1)
            parts.append(Part(item, taken))
            left -= taken
    assert left == 0
    return (*against, *parts)


def account_lines(parts: Iterable[Part]) -> tuple[Line, ...]:
    """Return what some parts move on the parties' accounts; it is what was paid, turned round."""
    by_account: dict[str, int] = {}
    for part in parts:
        by_account[part.item.account] = by_account.get(part.item.account, 0) - part.cents
    return tuple(Line(Account(name), cents) for name, cents in sorted(by_account.items()) if cents)


def ageing(items: Iterable[OpenItem], on: date) -> Mapping[str, tuple[int, ...]]:
    """Return by party what is open, by age of its documents.

    Returns:
        Per party one amount per age: up to 30, 60 and 90 days, and older [cents], shape ``(4,)``.
    """
    table: dict[str, list[int]] = {}
    for item in items:
        column = sum((on - item.day).days > age for age in AGES_DAYS)
        table.setdefault(item.party, [0] * (len(AGES_DAYS) + 1))[column] += item.rest
    return {party: tuple(amounts) for party, amounts in sorted(table.items()) if any(amounts)}
