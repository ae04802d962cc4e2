"""Invoices and entries of a stored result, read back as the engine made them."""

from __future__ import annotations

from fractions import Fraction

from kwartier.ledger import Account, CostCentre, Entry, Line, Unit
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part
from optimizer.settling.invoicing import Charge, InvoiceLine, MemberInvoice, PricedLine, VatAmount

_LAST_S = 4_102_444_800
"""2100-01-01T00:00Z: no instant of a run is later [s]."""
_MOST = 10**15
"""No energy or amount is further from nothing."""


def invoices_of(result: Json) -> dict[str, MemberInvoice]:
    """Return the invoices of a stored result, by member."""
    members = Part(result, "result").names()["invoices"].names()
    return {name: _invoice(name, part) for name, part in members.items()}


def entries_of(result: Json) -> tuple[Entry, ...]:
    """Return the journal entries of a stored result, in order."""
    return tuple(_entry(part) for part in Part(result, "result").names()["entries"].list())


def _invoice(member: str, part: Part) -> MemberInvoice:
    parts = part.names()
    return MemberInvoice(
        tuple(_line(member, each) for each in parts["lines"].list()),
        tuple(_vat(each) for each in parts["vat"].list()),
    )


def _line(member: str, part: Part) -> InvoiceLine:
    parts = part.names()
    price = parts["price_eur"]
    priced = PricedLine(
        member,
        parts["charge"].choice(Charge),
        str(parts["connection"].value),
        parts["tariff"].name(),
        _whole_or_none(parts["energy_wh"]),
        _whole_or_none(parts["days"]),
        None if price.value is None else _exact(price),
        _exact(parts["exact_eur"]),
        _exact(parts["vat"]),
        parts["quarters"].whole(0, _MOST),
        parts["estimated"].whole(0, _MOST),
        _instant(parts["start_s"]),
        _instant(parts["end_s"]),
        parts["grid"].value is True,
    )
    return InvoiceLine(priced, _cents(parts["cents"]))


def _vat(part: Part) -> VatAmount:
    parts = part.names()
    return VatAmount(
        _exact(parts["rate"]),
        _cents(parts["base_cents"]),
        _cents(parts["vat_cents"]),
        parts["earned"].value is True,
    )


def _entry(part: Part) -> Entry:
    parts = part.names()
    return Entry(
        parts["reference"].name(), tuple(_entry_line(row) for row in parts["lines"].list())
    )


def _entry_line(part: Part) -> Line:
    parts = part.names()
    account = Account(parts["account"].name(), parts["unit"].choice(Unit))
    return Line(account, _cents(parts["amount"]), parts["cost_centre"].choice(CostCentre))


def _exact(part: Part) -> Fraction:
    return part.signed_fraction("9/50")


def _cents(part: Part) -> int:
    return part.whole(-_MOST, _MOST)


def _instant(part: Part) -> int:
    return part.whole(0, _LAST_S)


def _whole_or_none(part: Part) -> int | None:
    return None if part.value is None else part.whole(0, _MOST)
