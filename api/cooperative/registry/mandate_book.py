"""SEPA mandates: leave to collect from an account, first once and then again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import func, select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, ConflictError, StateError
from api.cooperative.law.parameter import parameter, steps_of
from api.cooperative.officers import CLERKS
from api.cooperative.registry.calendar import months_later
from api.cooperative.registry.numbers import checked_iban, checked_reference
from api.cooperative.registry.party_book import known_party
from api.cooperative.registry.payout_book import opened_iban
from api.cooperative.stamp import stamp
from api.cooperative.tables.registry import MandateRow, MandateUseRow
from kwartier.interval import day_of, local_day

_UNUSED = "mandate_unused_months"


class Sequence(StrEnum):
    """How a collection stands in a mandate's row of collections."""

    FIRST = "FRST"
    RECURRENT = "RCUR"


@dataclass(frozen=True, slots=True)
class Mandate:
    """Leave to collect from an account.

    Attributes:
        reference: Its reference, up to 35 of the SEPA set.
        party: Whose it is.
        iban: The account. Personal.
        signed_on: The day on which it was signed.
        sequence: What the next collection is.
        ended_on: The first day on which it no longer holds; None while it holds.
    """

    reference: str
    party: str
    iban: str
    signed_on: date
    sequence: Sequence = Sequence.FIRST
    ended_on: date | None = None


def sign_mandate(desk: Desk, party: str, reference: str, iban: str, signed_on: date) -> Mandate:
    """Write down a mandate that was signed; the same again changes nothing.

    Raises:
        ConflictError: That reference is there for something else, or another mandate holds.
    """
    desk.officer.need(*CLERKS)
    known_party(desk, party)
    checked_reference(reference)
    account = checked_iban(iban)
    if signed_on > day_of(desk.at_s):
        raise BooksError(f"mandate {reference}: signed on {signed_on}, which is still to come")
    row = desk.session.get(MandateRow, reference)
    if row is not None:
        same = party, desk.keys.fingerprint(account), signed_on
        if (row.party, row.iban_fingerprint, row.signed_on) != same:
            raise ConflictError(
                f"mandate {reference} is there already for another party, account or day: "
                "use another reference"
            )
        return _mandate(desk, row)
    other = mandate_of(desk, party, day_of(desk.at_s))
    if other is not None:
        raise ConflictError(
            f"party {party} has mandate {other.reference} already: end it first with "
            f"`kwartier coop mandate end {other.reference}`"
        )
    row = MandateRow(
        reference=reference,
        party=party,
        iban=desk.keys.seal(account),
        iban_fingerprint=desk.keys.fingerprint(account),
        signed_on=signed_on,
        ended_on=None,
        **stamp(desk),
    )
    desk.session.add(row)
    desk.session.flush()
    record(desk, "mandate.sign", reference, {"party": party, "signed_on": signed_on.isoformat()})
    return _mandate(desk, row)


def end_mandate(desk: Desk, reference: str, on: date) -> None:
    """End a mandate: from that day on nothing is collected with it."""
    desk.officer.need(*CLERKS)
    row = desk.session.get(MandateRow, reference)
    if row is None or row.ended_on is not None:
        raise StateError(
            f"mandate {reference[:40]!r} does not hold: see `kwartier coop party show`"
        )
    if on < row.signed_on:
        raise BooksError(f"mandate {reference} was signed on {row.signed_on}: end it later")
    row.ended_on = on
    desk.session.flush()
    record(desk, "mandate.end", reference, {"party": row.party, "ended_on": on.isoformat()})


def use_mandate(desk: Desk, reference: str, day: date) -> None:
    """Write down that was collected with a mandate: its next collection is recurrent."""
    row = desk.session.get(MandateRow, reference)
    if row is None:
        raise BooksError(f"mandate {reference[:40]!r} is not known")
    desk.session.add(MandateUseRow(mandate=reference, used_on=day, **stamp(desk)))
    desk.session.flush()
    record(desk, "mandate.use", reference, {"party": row.party, "used_on": day.isoformat()})


def mandate_of(desk: Desk, party: str, day: date) -> Mandate | None:
    """Return the mandate with which may be collected from a party on a day; None without one.

    One that was not used for too long has lapsed.
    """
    return mandates_on(desk, [party], day).get(party)


def mandates_on(desk: Desk, parties: Collection[str], day: date) -> dict[str, Mandate]:
    """Return the mandates with which may be collected on a day, by party; see ``mandate_of``."""
    rows = desk.session.scalars(
        select(MandateRow)
        .where(MandateRow.party.in_(parties), MandateRow.signed_on <= day)
        .order_by(MandateRow.signed_on.desc(), MandateRow.reference)
    ).all()
    used, unused_months = _last_uses(desk, rows), _UnusedMonths(desk)
    found: dict[str, Mandate] = {}
    for row in rows:
        if row.party in found or (row.ended_on is not None and day >= row.ended_on):
            continue
        last = used.get(row.reference)
        if day < unused_months.later(last or row.signed_on):
            found[row.party] = _opened(desk, row, last)
    return found


def mandates(desk: Desk, party: str) -> list[Mandate]:
    """Return all mandates a party ever signed, the first one first."""
    rows = desk.session.scalars(
        select(MandateRow)
        .where(MandateRow.party == party)
        .order_by(MandateRow.signed_on, MandateRow.reference)
    )
    return [_mandate(desk, row) for row in rows]


def last_use(desk: Desk, reference: str) -> date:
    """Return the day of a mandate's last collection; of its signature when there was none."""
    row = desk.session.get(MandateRow, reference)
    assert row is not None, reference
    return _last_uses(desk, [row]).get(reference, row.signed_on)


class _UnusedMonths:
    """How long a mandate holds without a collection: a rule, read once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._steps = steps_of(desk, _UNUSED)

    def later(self, last: date) -> date:
        """Return the first day on which a mandate has lapsed that was last used on a day."""
        at_s = local_day(last)[0]
        begun = [value for start_s, value in self._steps if start_s <= at_s]
        return months_later(
            last, int(begun[-1] if begun else parameter(self._desk, _UNUSED, at_s).value)
        )


def _last_uses(desk: Desk, rows: Collection[MandateRow]) -> dict[str, date]:
    """Return the day of the last collection with each mandate that was used."""
    found = desk.session.execute(
        select(MandateUseRow.mandate, func.max(MandateUseRow.used_on))
        .where(MandateUseRow.mandate.in_([row.reference for row in rows]))
        .group_by(MandateUseRow.mandate)
    )
    return dict(found.all())


def _mandate(desk: Desk, row: MandateRow) -> Mandate:
    return _opened(desk, row, _last_uses(desk, [row]).get(row.reference))


def _opened(desk: Desk, row: MandateRow, used: date | None) -> Mandate:
    return Mandate(
        row.reference,
        row.party,
        opened_iban(desk, row),
        row.signed_on,
        Sequence.FIRST if used is None else Sequence.RECURRENT,
        row.ended_on,
    )
