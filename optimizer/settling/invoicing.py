"""Invoices out of priced energy: lines, charges and totals that agree to the last cent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from kwartier.ledger import Account, Entry, Line
from kwartier.units import EpochS, Wh
from optimizer.bill import (
    ENERGY_PURCHASE,
    ENERGY_SALES,
    FEES,
    LEVY,
    VAT_DUE,
    VAT_INPUT,
    payable,
    receivable,
)
from optimizer.settling.filling import Exact, exact_sum
from optimizer.settling.rounding import half_away_from_zero, whole_amounts

BATTERY_PURCHASE = Account("coop:battery_energy")
"""What the cooperative pays members for energy into or out of the battery."""
MOST_PLACES = 18
"""How many decimals a price may have before it is written as a fraction."""


class Charge(StrEnum):
    """What a line is about."""

    BUY = "buy"
    """Shared energy that was used; owed."""
    LEVY = "levy"
    """What each shared kWh brings to the fund; owed."""
    FEE = "fee"
    """The standing fee, by day; owed."""
    SELL = "sell"
    """Export that neighbours used; earned."""
    BATTERY = "battery"
    """Export that charged the battery, or what the battery gave of it; earned."""

    @property
    def owed(self) -> bool:
        """Whether the member pays it; if not, the member is paid."""
        return self in (Charge.BUY, Charge.LEVY, Charge.FEE)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """An amount before it becomes cents.

    Attributes:
        member: Whose.
        charge: What it is about.
        connection: Whose connection's energy; empty for the fee, and for what the battery gave.
        tariff: The tariff version's id.
        energy_wh: Energy [Wh]; None for the fee.
        days: Local days of the fee; None for energy.
        price_eur: Of a kWh, or the fee of a whole month; None where it differs by quarter.
        exact_eur: What it comes to, exactly, excluding VAT.
        vat: The rate on what is owed, as a part; 0 on what is earned.
        quarters: How many quarters it covers; 0 for the fee.
        estimated: How many of those were estimated or missing for the connection.
        start_s: Where what it covers begins [s].
        end_s: Where it ends [s].
        grid: Whether it is what the battery gave that left the neighbourhood.
    """

    member: str
    charge: Charge
    connection: str
    tariff: str
    energy_wh: Wh | None
    days: int | None
    price_eur: Fraction | None
    exact_eur: Fraction
    vat: Fraction
    quarters: int
    estimated: int
    start_s: EpochS
    end_s: EpochS
    grid: bool = False


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of a member's invoice.

    Attributes:
        priced: What it is about, and its exact amount.
        cents: What it comes to in cents, excluding VAT; below zero at a price below zero.
    """

    priced: PricedLine
    cents: int

    @property
    def price_text(self) -> str:
        """Return the price as exact text such as ``0.18``; empty where it differs by quarter."""
        return "" if self.priced.price_eur is None else price_text(self.priced.price_eur)


@dataclass(frozen=True, slots=True)
class VatAmount:
    """VAT at one rate on one side.

    Attributes:
        rate: As a part, such as 21/100.
        base_cents: The net cents it is taken on.
        vat_cents: The VAT.
        earned: False for what is owed, True for what the member earned.
    """

    rate: Fraction
    base_cents: int
    vat_cents: int
    earned: bool


@dataclass(frozen=True, slots=True)
class MemberInvoice:
    """What one member owes and earned in a period, in cents.

    Attributes:
        lines: Its lines, by charge, connection and time.
        vat: VAT by rate, what is owed first.
    """

    lines: tuple[InvoiceLine, ...]
    vat: tuple[VatAmount, ...]

    def cents_of(self, charge: Charge) -> int:
        """Return what the lines of one charge add up to."""
        return sum(line.cents for line in self.lines if line.priced.charge is charge)

    @property
    def net(self) -> int:
        """What is owed, without VAT."""
        return sum(line.cents for line in self.lines if line.priced.charge.owed)

    @property
    def vat_due(self) -> int:
        """VAT on what is owed."""
        return sum(each.vat_cents for each in self.vat if not each.earned)

    @property
    def gross(self) -> int:
        """What is owed, with VAT."""
        return self.net + self.vat_due

    @property
    def earned(self) -> int:
        """What was earned, without VAT."""
        return sum(line.cents for line in self.lines if not line.priced.charge.owed)

    @property
    def earned_vat(self) -> int:
        """VAT on what was earned."""
        return sum(each.vat_cents for each in self.vat if each.earned)

    @property
    def earned_gross(self) -> int:
        """What was earned, with VAT."""
        return self.earned + self.earned_vat

    @property
    def to_pay(self) -> int:
        """What the member pays; below zero is paid out."""
        return self.gross - self.earned_gross

    @property
    def exact_eur(self) -> Fraction:
        """What the member pays without VAT, before any rounding."""
        owed = exact_sum([each.priced.exact_eur for each in self.lines if each.priced.charge.owed])
        got = exact_sum(
            [each.priced.exact_eur for each in self.lines if not each.priced.charge.owed]
        )
        return Fraction(owed - got)


def invoices_of(
    lines: Iterable[PricedLine], members: Iterable[str], sell_vat: Mapping[str, Fraction]
) -> dict[str, MemberInvoice]:
    """Return every member's invoice; lines add up to charges, and charges to the community's.

    Each charge's exact total is rounded to cents and divided over the members by largest
    remainder (C12); each member's cents of a charge are divided over its lines the same way.

    Args:
        lines: What was priced.
        members: Who takes part; a member without a line gets an invoice of nothing.
        sell_vat: Each member's rate on what it sells; a member that is not named charges none.

    Source:
        Conventions C12 and C13 of docs/settlement.md.
    """
    ordered = sorted(lines, key=_place_of)
    by_charge = {charge: [each for each in ordered if each.charge is charge] for charge in Charge}
    told: dict[str, list[InvoiceLine]] = {member: [] for member in sorted(members)}
    for of_charge in by_charge.values():
        for line in _in_cents(of_charge):
            told[line.priced.member].append(line)
    return {
        member: MemberInvoice(tuple(own), _vat(own, sell_vat.get(member, Fraction())))
        for member, own in told.items()
    }


def entries_of(member: str, invoice: MemberInvoice) -> tuple[Entry, ...]:
    """Return what an invoice moves: one entry for what is owed, one for what was earned.

    Source:
        Convention C14 of docs/settlement.md.
    """
    owed = [
        (receivable(member), invoice.gross),
        (ENERGY_SALES, -invoice.cents_of(Charge.BUY)),
        (LEVY, -invoice.cents_of(Charge.LEVY)),
        (FEES, -invoice.cents_of(Charge.FEE)),
        (VAT_DUE, -invoice.vat_due),
    ]
    earned = [
        (ENERGY_PURCHASE, invoice.cents_of(Charge.SELL)),
        (BATTERY_PURCHASE, invoice.cents_of(Charge.BATTERY)),
        (VAT_INPUT, invoice.earned_vat),
        (payable(member), -invoice.earned_gross),
    ]
    entries = []
    for reference, amounts in ((f"invoice {member}", owed), (f"payment {member}", earned)):
        moved = tuple(Line(account, amount) for account, amount in amounts if amount)
        if moved:
            entries.append(Entry(reference, moved))
    return tuple(entries)


def price_text(price_eur: Fraction) -> str:
    """Return a price as exact text: a decimal of 2 to 18 places, or else a fraction."""
    for places in range(2, MOST_PLACES + 1):
        if 10**places % price_eur.denominator == 0:
            shifted = price_eur.numerator * (10**places // price_eur.denominator)
            whole, decimals = divmod(abs(shifted), 10**places)
            return f"{'-' if shifted < 0 else ''}{whole}.{decimals:0{places}d}"
    return str(price_eur)


def _place_of(line: PricedLine) -> tuple[str, str, EpochS, str, bool]:
    """Return where a line stands among those of its charge, whatever order it came in."""
    return line.member, line.connection, line.start_s, line.tariff, line.grid


def _in_cents(of_charge: Sequence[PricedLine]) -> list[InvoiceLine]:
    """Return the lines of one charge in cents: the total's, the members', the lines' (C12)."""
    places: dict[str, list[int]] = {}
    for place, line in enumerate(of_charge):
        places.setdefault(line.member, []).append(place)
    exact: list[Exact] = [100 * line.exact_eur for line in of_charge]
    of_members = {
        member: exact_sum([exact[place] for place in own]) for member, own in places.items()
    }
    total = half_away_from_zero(exact_sum(list(of_members.values())))
    cents: dict[int, int] = {}
    for member, whole in whole_amounts(of_members, sorted(of_members), total=total).items():
        own = places[member]
        cents |= whole_amounts({place: exact[place] for place in own}, own, total=whole)
    return [InvoiceLine(line, cents[place]) for place, line in enumerate(of_charge)]


def _vat(lines: Sequence[InvoiceLine], sell_rate: Fraction) -> tuple[VatAmount, ...]:
    """Return VAT by rate and side, each on its net cents (C13)."""
    bases: dict[tuple[bool, Fraction], int] = {}
    for line in lines:
        earned = not line.priced.charge.owed
        group = earned, sell_rate if earned else line.priced.vat
        bases[group] = bases.get(group, 0) + line.cents
    return tuple(
        VatAmount(rate, base, half_away_from_zero(base * rate), earned)
        for (earned, rate), base in sorted(bases.items())
    )
