"""Journals to test with: a member's bill of twelve euro ten, and amounts by hand."""

from __future__ import annotations

from datetime import date

from api.cooperative.books import MANUAL, Journal
from kwartier.ledger import Account, CostCentre, Entry, Line

JULY_31 = date(2026, 7, 31)
AUGUST_1 = date(2026, 8, 1)


def bill(member: str, key: str, day: date = JULY_31) -> Journal:
    """Return a bill: 9.50 of energy, 0.50 for the fund, 2.10 VAT."""
    entry = Entry(
        f"invoice {member}",
        (
            Line(Account(f"receivable:{member}"), 1210),
            Line(Account("coop:energy_sales"), -950),
            Line(Account("fund:levy"), -50),
            Line(Account("tax:vat_due"), -210),
        ),
    )
    return Journal("run", key, day, entry, "settlement of July", "2026-07", "2026-03")


def moved(
    key: str,
    cents: int,
    day: date = JULY_31,
    debit: str = "bank:main",
    credit: str = "coop:gifts",
    source: str = MANUAL,
) -> Journal:
    """Return an amount that goes from one account to another."""
    centre = CostCentre.GREEN
    lines = (Line(Account(debit), cents, centre), Line(Account(credit), -cents, centre))
    return Journal(source, key, day, Entry(f"gift {key}", lines), "for the trees")
