"""Cents out of watt-hours: invoices that add up, and the entries they make in the books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from kwartier.ledger import Account, Entry, Line
from kwartier.units import Wh
from optimizer.settling.filling import Exact
from optimizer.settling.rounding import half_away_from_zero, whole_amounts
from optimizer.tariff import CentRounding, Terms

ENERGY_SALES = Account("coop:energy_sales")
ENERGY_PURCHASE = Account("coop:energy_purchase")
FEES = Account("coop:fees")
LEVY = Account("fund:levy")
VAT_DUE = Account("tax:vat_due")
VAT_INPUT = Account("tax:vat_input")


@dataclass(frozen=True, slots=True)
class Volume:
    """What one member bought and sold, at the tariff's price or at one of its own.

    Attributes:
        member: Whose.
        bought_wh: From neighbours and the battery [Wh].
        sold_wh: To neighbours and the battery [Wh].
        buy_eur_per_kwh: Its own price; None for the tariff's.
        sell_eur_per_kwh: Its own price; None for the tariff's.
    """

    member: str
    bought_wh: Wh
    sold_wh: Wh
    buy_eur_per_kwh: Fraction | None = None
    sell_eur_per_kwh: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """One member's bill in cents: what is owed, less what was sold."""

    buy: int
    levy: int
    fee: int
    vat: int
    sell: int
    sell_vat: int

    @property
    def net(self) -> int:
        """What is bought, without VAT."""
        return self.buy + self.levy + self.fee

    @property
    def gross(self) -> int:
        """What is bought, with VAT."""
        return self.net + self.vat

    @property
    def sell_gross(self) -> int:
        """What is sold, with VAT."""
        return self.sell + self.sell_vat

    @property
    def to_pay(self) -> int:
        """What the member pays; below zero is paid out."""
        return self.gross - self.sell_gross


@dataclass(frozen=True, slots=True)
class Correction:
    """A bill that takes the place of another: nothing is edited.

    Attributes:
        reversals: The old entries with every sign turned.
        journal: All entries in order: the old ones, their reversals, the new ones.
        delta_to_pay: What each member pays more than before, in cents.
    """

    reversals: tuple[Entry, ...]
    journal: tuple[Entry, ...]
    delta_to_pay: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Bill:
    """The bills of one period.

    Attributes:
        invoices: By member.
        entries: What they make in the books; each sums to zero.
    """

    invoices: Mapping[str, Invoice]
    entries: tuple[Entry, ...]

    @property
    def margin(self) -> int:
        """What the cooperative keeps between buying and selling, in cents."""
        return sum(invoice.buy - invoice.sell for invoice in self.invoices.values())


def receivable(member: str) -> Account:
    """Return the account of what a member owes."""
    return Account(f"receivable:{member}")


def payable(member: str) -> Account:
    """Return the account of what a member is owed."""
    return Account(f"payable:{member}")


def bill(volumes: Sequence[Volume], terms: Terms) -> Bill:
    """Return every member's invoice and the journal entries.

    Source:
        Conventions C12, C13 and C14 of docs/settlement.md.
    """
    buy = _no_charge(volumes)
    sell, levy, fee = dict(buy), dict(buy), dict(buy)
    for volume in volumes:
        member = volume.member
        bought_kwh, sold_kwh = Fraction(volume.bought_wh, 1000), Fraction(volume.sold_wh, 1000)
        buy[member] += bought_kwh * _first(volume.buy_eur_per_kwh, terms.buy_eur_per_kwh)
        sell[member] += sold_kwh * _first(volume.sell_eur_per_kwh, terms.sell_eur_per_kwh)
        levy[member] += bought_kwh * terms.levy_eur_per_kwh
        fee[member] = terms.fee_eur
    buy_cents, sell_cents, levy_cents, fee_cents = (
        _cents(exact_eur, terms.rounding) for exact_eur in (buy, sell, levy, fee)
    )
    invoices = {
        member: _invoice(
            (buy_cents[member], levy_cents[member], fee_cents[member]), sell_cents[member], terms
        )
        for member in buy
    }
    entries = [entry for name, each in invoices.items() for entry in _entries(name, each)]
    return Bill(invoices, tuple(entries))


def correct(old: Bill, new: Bill) -> Correction:
    """Return what takes an old bill back and puts a new one in its place.

    Source:
        Convention C15 of docs/settlement.md.
    """
    reversals = tuple(entry.reversed(f"reversal of {entry.reference}") for entry in old.entries)
    members = sorted({*old.invoices, *new.invoices})
    return Correction(
        reversals,
        old.entries + reversals + new.entries,
        {name: _to_pay(new, name) - _to_pay(old, name) for name in members},
    )


def _to_pay(billed: Bill, member: str) -> int:
    return billed.invoices[member].to_pay if member in billed.invoices else 0


def _no_charge(volumes: Sequence[Volume]) -> dict[str, Fraction]:
    return dict.fromkeys(sorted({volume.member for volume in volumes}), Fraction())


def _first(own: Fraction | None, agreed: Fraction) -> Fraction:
    return agreed if own is None else own


def _cents(exact_eur: Mapping[str, Fraction], rounding: CentRounding) -> dict[str, int]:
    """Return one charge type's cents by member (C12)."""
    exact: dict[str, Exact] = {member: 100 * amount for member, amount in exact_eur.items()}
    if rounding is CentRounding.PER_LINE_HALF_UP:
        return {member: half_away_from_zero(amount) for member, amount in exact.items()}
    total = half_away_from_zero(sum(exact.values()))
    return whole_amounts(exact, sorted(exact), total=total)


def _invoice(bought: tuple[int, int, int], sell: int, terms: Terms) -> Invoice:
    """Return an invoice with its VAT, on the net cents (C13)."""
    buy, levy, fee = bought
    vat = half_away_from_zero(sum(bought) * terms.vat)
    return Invoice(buy, levy, fee, vat, sell, half_away_from_zero(sell * terms.vat_sell))


def _entries(member: str, invoice: Invoice) -> list[Entry]:
    """Return what an invoice moves: one entry for what is bought, one for what is sold."""
    bought = [
        (receivable(member), invoice.gross),
        (ENERGY_SALES, -invoice.buy),
        (LEVY, -invoice.levy),
        (FEES, -invoice.fee),
        (VAT_DUE, -invoice.vat),
    ]
    sold = [
        (ENERGY_PURCHASE, invoice.sell),
        (VAT_INPUT, invoice.sell_vat),
        (payable(member), -invoice.sell_gross),
    ]
    entries = []
    for reference, amounts in ((f"invoice {member}", bought), (f"payment {member}", sold)):
        lines = tuple(Line(account, amount) for account, amount in amounts if amount)
        if lines:
            entries.append(Entry(reference, lines))
    return entries
