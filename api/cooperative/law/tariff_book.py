"""Tariffs by decision: what a shared kWh costs and earns, from when on, and the sheet behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from sqlalchemy import select

from api.cooperative.canonical import canonical
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError
from api.cooperative.four_eyes import Matter, Proposal, propose
from api.cooperative.law.decision import adopted_decision
from api.cooperative.law.vat_book import vat_code, vat_codes
from api.cooperative.law.versions import (
    check_replay,
    in_force_between,
    is_approved,
    replayed,
)
from api.cooperative.officers import DECIDERS
from api.cooperative.stamp import stamp
from api.cooperative.tables.law import TariffVersionRow
from kwartier.errors import ContractError
from kwartier.identity import checked_name
from kwartier.interval import Quarter, instant_text
from kwartier.units import EpochS
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part
from optimizer.tariff import TariffVersion, Terms

MOST_EUR = 1000
"""No price or fee is further from nothing than this [EUR]."""


@dataclass(frozen=True, slots=True)
class TariffTerms:
    """What a version of the tariff says; every amount is exact text, excluding VAT.

    Attributes:
        buy: What a kWh from a neighbour costs [EUR/kWh].
        sell: What a kWh to a neighbour earns [EUR/kWh].
        levy: What each kWh bought brings to the fund [EUR/kWh].
        grid_sell: What a kWh out of the battery earns its owner when no neighbour used it
            [EUR/kWh].
        fee_per_month: What each member pays a whole month [EUR].
        vat_code: Under which VAT code what is owed falls.
        reference: A supplier's bare price, without energy tax and VAT [EUR/kWh].
        cost_sheet: What the prices are made of, as JSON.
        replay: The hash of what these terms would have done to everybody's last months; empty
            where nobody looked.

    Raises:
        ContractError: An amount is none; the message names it.
    """

    buy: str
    sell: str
    levy: str = "0"
    grid_sell: str = "0"
    fee_per_month: str = "0"
    vat_code: str = "high"
    reference: str = "0"
    cost_sheet: Mapping[str, Json] = field(default_factory=dict)
    replay: str = ""

    def __post_init__(self) -> None:
        for name in ("buy", "sell", "levy", "grid_sell", "fee_per_month", "reference"):
            if abs(exact_eur(getattr(self, name), name)) > MOST_EUR:
                raise ContractError(f"{name}: {getattr(self, name)} is more than {MOST_EUR} euro")
        for name in ("levy", "fee_per_month", "reference"):
            if exact_eur(getattr(self, name), name) < 0:
                raise ContractError(f"{name}: {getattr(self, name)} is below zero: use 0 or more")
        canonical(dict(self.cost_sheet))
        check_replay(self.replay)


@dataclass(frozen=True, slots=True)
class TariffRecord:
    """A version of the tariff that was decided.

    Attributes:
        id: Its name in the books.
        decision: The decision that made it.
        from_s: From when it holds [s].
        terms: As the engine takes them, with the VAT rate that holds from ``from_s`` on.
        fee_per_month: What each member pays a whole month, as exact text [EUR].
        vat_code: Under which VAT code what is owed falls.
        reference_eur_per_kwh: A supplier's bare price, without energy tax and VAT.
        cost_sheet: What the prices are made of.
        body: All of it as JSON, as it was approved.
    """

    id: str
    decision: str
    from_s: EpochS
    terms: Terms
    fee_per_month: str
    vat_code: str
    reference_eur_per_kwh: Fraction
    cost_sheet: Json
    body: Json

    @property
    def version(self) -> TariffVersion:
        """The tariff as the engine takes it."""
        return TariffVersion(self.id, self.from_s, self.terms)


def add_tariff(
    desk: Desk, tariff: str, decision: str, from_s: EpochS, terms: TariffTerms
) -> Proposal:
    """Write down a version of the tariff, and propose it; it holds once another officer approved.

    Raises:
        BooksError: There is no such decision or VAT code, or it does not hold by then.
        ConflictError: Another version has that name.
    """
    desk.officer.need(*DECIDERS)
    checked_name(tariff, "tariff")
    Quarter(from_s)
    adopted_decision(desk, decision, from_s, f"tariff {tariff}")
    vat_code(desk, terms.vat_code, from_s)
    body = _body(tariff, decision, from_s, terms)
    row = desk.session.get(TariffVersionRow, tariff)
    if row is None:
        row = TariffVersionRow(
            id=tariff, decision=decision, start_s=from_s, body=canonical(body), **stamp(desk)
        )
        desk.session.add(row)
        desk.session.flush()
        record(desk, "tariff.add", tariff, body)
    elif row.body != canonical(body):
        raise ConflictError(
            f"tariff {tariff} is there already and says something else: use another id"
        )
    return propose(desk, Matter.TARIFF, tariff, body)


def tariff_records(desk: Desk) -> list[TariffRecord]:
    """Return every version that was written down, approved or not, in order of writing."""
    rows = desk.session.scalars(
        select(TariffVersionRow).order_by(TariffVersionRow.recorded_at_s, TariffVersionRow.id)
    )
    return [_record(desk, row) for row in rows]


def tariff_is_approved(desk: Desk, tariff: TariffRecord) -> bool:
    """Return whether a second officer approved a version."""
    return is_approved(desk, Matter.TARIFF, tariff.id, tariff.body)


def tariff_versions(desk: Desk, start_s: EpochS, end_s: EpochS) -> tuple[TariffRecord, ...]:
    """Return the approved versions that hold in ``[start_s, end_s)``, in order of time.

    Where the rate of its VAT code changes in that time, a version stands there once for each
    rate, from the instant of the change.

    Raises:
        BooksError: None holds at the start; the message names those that wait.
    """
    known = tariff_records(desk)
    approved = [tariff for tariff in known if tariff_is_approved(desk, tariff)]
    found = in_force_between(approved, start_s, end_s)
    if not found or found[0].from_s > start_s:
        waiting = ", ".join(one.id for one in known if one not in approved and one.from_s < end_s)
        raise BooksError(
            f"no tariff holds at {instant_text(start_s)}: "
            + (f"let a second officer approve {waiting}" if waiting else "decide on one first")
        )
    ends = [*(tariff.from_s for tariff in found[1:]), end_s]
    return tuple(
        part
        for tariff, until_s in zip(found, ends, strict=True)
        for part in _by_rate(desk, tariff, start_s, until_s)
    )


def exact_eur(text: str, what: str) -> Fraction:
    """Return an exact amount of either sign [EUR], or refuse it."""
    return Part(text, what).signed_fraction("0.18")


def _by_rate(
    desk: Desk, tariff: TariffRecord, start_s: EpochS, until_s: EpochS
) -> list[TariffRecord]:
    """Return a version once for each VAT rate that its code has between two instants [s]."""
    first_s = max(tariff.from_s, start_s)
    changes = sorted(
        {
            code.from_s
            for code in vat_codes(desk)
            if code.code == tariff.vat_code and first_s < code.from_s < until_s
        }
    )
    parts = [_with_rate(desk, tariff, tariff.from_s, first_s)]
    for change_s in changes:
        part = _with_rate(desk, tariff, change_s, change_s)
        if part.terms.vat != parts[-1].terms.vat:
            parts.append(part)
    return parts


def _with_rate(desk: Desk, tariff: TariffRecord, from_s: EpochS, at_s: EpochS) -> TariffRecord:
    rate = vat_code(desk, tariff.vat_code, at_s).rate
    return replace(tariff, from_s=from_s, terms=replace(tariff.terms, vat=rate))


def _body(tariff: str, decision: str, from_s: EpochS, terms: TariffTerms) -> dict[str, Json]:
    return {
        "id": tariff,
        "decision": decision,
        "from": instant_text(from_s),
        "buy": terms.buy,
        "sell": terms.sell,
        "levy": terms.levy,
        "grid_sell": terms.grid_sell,
        "fee_per_month": terms.fee_per_month,
        "vat_code": terms.vat_code,
        "reference": terms.reference,
        "cost_sheet": dict(terms.cost_sheet),
        **replayed(terms.replay),
    }


def _record(desk: Desk, row: TariffVersionRow) -> TariffRecord:
    body: Json = json.loads(row.body)
    parts = Part(body).names()
    code = parts["vat_code"].name()

    def price(name: str) -> Fraction:
        return parts[name].signed_fraction("0.18")

    terms = Terms(
        price("buy"),
        price("sell"),
        price("levy"),
        price("fee_per_month"),
        vat_code(desk, code, row.start_s).rate,
        grid_sell_eur_per_kwh=price("grid_sell"),
    )
    return TariffRecord(
        row.id,
        row.decision,
        row.start_s,
        terms,
        parts["fee_per_month"].name(),
        code,
        price("reference"),
        parts["cost_sheet"].value,
        body,
    )
