"""Lines and VAT of a statement, out of an invoice and the versions it was reckoned with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from api.cooperative.statement import Charge, StatementLine, VatLine
from kwartier.interval import day_of
from kwartier.units import EpochS
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part
from optimizer.settling.filling import Exact
from optimizer.settling.invoicing import InvoiceLine, MemberInvoice
from optimizer.settling.rounding import whole_amounts


@dataclass(frozen=True, slots=True)
class Version:
    """A key or a tariff as it was frozen.

    Attributes:
        id: Its name on paper.
        decision: The decision that made it.
        start_s: From when it holds [s].
        vat_code: Under which code what is owed falls; empty for a key.
    """

    id: str
    decision: str
    start_s: EpochS
    vat_code: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a line refers to.

    Attributes:
        tariffs: The tariff's versions by the name they have in the run.
        keys: The key's versions, in order of time.
        sell_codes: Under which VAT code each member's sales fall.
        warnings: Keys of remarks that must stand on the paper.
    """

    tariffs: Mapping[str, Version]
    keys: tuple[Version, ...]
    sell_codes: Mapping[str, str]
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, inputs: Json) -> Terms:
        """Return the terms of what a run froze."""
        parts = Part(inputs, "inputs").names()
        tariffs, warnings = {}, []
        for part in parts["tariffs"].list():
            each = part.names()
            tariffs[each["id"].name()] = Version(
                each["version"].name(),
                each["decision"].name(),
                _instant(each["from_s"]),
                each["vat_code"].name(),
            )
            warnings += [warning.name() for warning in each["warnings"].list()]
        keys = [
            Version(each["id"].name(), each["decision"].name(), _instant(each["from_s"]))
            for each in (part.names() for part in parts["keys"].list())
        ]
        codes = {name: part.name() for name, part in parts["vat_codes"].names().items()}
        return cls(tariffs, tuple(keys), codes, tuple(dict.fromkeys(warnings)))

    def keys_between(self, start_s: EpochS, end_s: EpochS) -> tuple[Version, ...]:
        """Return the versions of the key that hold in ``[start_s, end_s)``."""
        ends = [*(key.start_s for key in self.keys[1:]), None]
        return tuple(
            key
            for key, until_s in zip(self.keys, ends, strict=True)
            if key.start_s < end_s and (until_s is None or until_s > start_s)
        )


def lines_of(terms: Terms, member: str, invoice: MemberInvoice) -> tuple[StatementLine, ...]:
    """Return a member's lines as they stand on the statement."""
    return tuple(_line(terms, member, each) for each in invoice.lines)


def vat_of(invoice: MemberInvoice, lines: Sequence[StatementLine]) -> tuple[VatLine, ...]:
    """Return VAT by code; codes of one rate share its VAT to the cent, by largest remainder."""
    rates: dict[tuple[bool, str], Fraction] = {}
    bases: dict[tuple[bool, str], int] = {}
    earned_rates = [each.rate for each in invoice.vat if each.earned]
    for line, said in zip(invoice.lines, lines, strict=True):
        earned = not line.priced.charge.owed
        place = earned, said.vat_code
        rates[place] = earned_rates[0] if earned else line.priced.vat
        bases[place] = bases.get(place, 0) + line.cents
    told = []
    for amount in invoice.vat:
        codes = sorted(
            code
            for (earned, code), rate in rates.items()
            if (earned, rate) == (amount.earned, amount.rate)
        )
        exact: dict[str, Exact] = {code: bases[amount.earned, code] * amount.rate for code in codes}
        shares = _shares(exact, amount.vat_cents)
        told += [
            VatLine(code, amount.rate, bases[amount.earned, code], shares[code], amount.earned)
            for code in codes
        ]
    return tuple(told)


def _shares(exact: Mapping[str, Exact], total: int) -> dict[str, int]:
    """Return the VAT of each code; the first takes what rounding the total added or took."""
    if len(exact) == 1:
        return dict.fromkeys(exact, total)
    order = sorted(exact)
    return whole_amounts(exact, order, total=total)


def _line(terms: Terms, member: str, line: InvoiceLine) -> StatementLine:
    priced, tariff = line.priced, terms.tariffs[line.priced.tariff]
    of_energy = priced.energy_wh is not None
    keys = terms.keys_between(priced.start_s, priced.end_s) if of_energy else ()
    return StatementLine(
        Charge(priced.charge.value),
        priced.connection,
        priced.energy_wh,
        priced.days,
        line.price_text,
        line.cents,
        tariff.id,
        _day(tariff.start_s),
        tariff.decision,
        "+".join(dict.fromkeys(key.id for key in keys)),
        "+".join(dict.fromkeys(key.decision for key in keys)),
        priced.quarters,
        priced.estimated,
        tariff.vat_code if priced.charge.owed else terms.sell_codes.get(member, "none"),
    )


def _instant(part: Part) -> EpochS:
    return part.whole(0, 10**11)


def _day(at_s: EpochS) -> date:
    return day_of(at_s)
