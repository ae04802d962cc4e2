"""A person's own data: all of it on request, and gone from the registry once nothing needs it.

Papers and the ledger stay as long as the law asks. They refer to a party by its id; the papers'
bodies hold name and address, and no chain is broken when the registry forgets both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select

from api.cooperative.books import open_items
from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.documents import documents
from api.cooperative.errors import StateError
from api.cooperative.four_eyes import open_proposals
from api.cooperative.law.parameter import parameter
from api.cooperative.officers import CLERKS, DECIDERS, self_of
from api.cooperative.registry.calendar import months_later
from api.cooperative.registry.connection_book import connection_of
from api.cooperative.registry.consent_book import consents
from api.cooperative.registry.mandate_book import last_use, mandate_of, mandates
from api.cooperative.registry.member_book import memberships
from api.cooperative.registry.officer_book import officers
from api.cooperative.registry.ownership_book import windows
from api.cooperative.registry.party_book import ERASED, Party, is_erased, party_of, write_details
from api.cooperative.registry.payout_book import ibans_of
from api.cooperative.tables.registry import ConsentRow, MandateRow, PayoutAccountRow
from kwartier.interval import day_of, instant_text
from kwartier.wire import Json

ERASED_NAME = "(erased)"
"""What stands where a name was."""


class KeptKind(StrEnum):
    """What sort of thing an erasure leaves."""

    PAPER = "paper"
    MANDATE = "mandate"


class Hindrance(StrEnum):
    """What comes before an erasure."""

    MEMBER = "member"
    OWNER = "owner"
    MANDATE = "mandate"
    OFFICER = "officer"
    ACCOUNT = "account"
    PROPOSAL = "proposal"


@dataclass(frozen=True, slots=True)
class Kept:
    """What an erasure left, until when, and why."""

    what: str
    until: date
    because: str
    kind: KeptKind = KeptKind.PAPER


def hindrances(desk: Desk, party: str) -> tuple[Hindrance, ...]:
    """Return what still needs a party's personal fields, each kind once."""
    return tuple(dict.fromkeys(kind for kind, _ in _needed_by(desk, party)))


def would_keep(desk: Desk, party: str) -> tuple[Kept, ...]:
    """Return what would stay after an erasure of today."""
    return (*_kept_papers(desk, party), *_kept_mandates(desk, party))


def erase(desk: Desk, party: str) -> tuple[Kept, ...]:
    """Overwrite a party's personal fields, and return what had to stay.

    Raises:
        StateError: Something still needs them; the message names it and what ends it.
    """
    desk.officer.need(*DECIDERS)
    known = party_of(desk, party)
    needed = _needed_by(desk, party)
    if needed:
        raise StateError(
            f"party {party} cannot be erased yet: {'; '.join(what for _, what in needed)}"
        )
    kept = would_keep(desk, party)
    if not is_erased(desk, party):
        nobody = Party(party, known.kind, ERASED_NAME, ERASED, language=known.language)
        write_details(desk, nobody, erased=True)
        _overwrite_accounts(desk, party)
        record(desk, "party.erase", party, {"kept": [each.what for each in kept]})
    elif _overwrite_accounts(desk, party):
        record(desk, "party.erase", party, {"kept": [each.what for each in kept]})
    return kept


def export(desk: Desk, party: str) -> dict[str, Json]:
    """Return everything the books know of a party, for the party itself.

    A clerk may ask for it, or the party: the audit log learns who did.
    """
    if desk.officer != self_of(party):
        desk.officer.need(*CLERKS)
    known = party_of(desk, party)
    owned = windows(desk, party=party)
    told: dict[str, Json] = {
        "party": _plain(asdict(known)),
        "memberships": [_plain(asdict(each)) for each in memberships(desk, party)],
        "connections": [
            _plain(asdict(connection_of(desk, name)))
            for name in sorted({window.connection for window in owned})
        ],
        "ownership": [_plain(asdict(each)) for each in owned],
        "mandates": [_plain(asdict(each)) for each in mandates(desk, party)],
        "payout_accounts": [*ibans_of(desk, party)],
        "consents": [_plain(asdict(each)) for each in consents(desk, party=party)],
        "papers": [
            {"number": paper.number, "day": paper.day.isoformat(), "body": paper.body}
            for paper in documents(desk, party=party)
        ],
        "exported": instant_text(desk.at_s),
    }
    record(desk, "party.export", party, {"papers": len(documents(desk, party=party))})
    return told


def _needed_by(desk: Desk, party: str) -> list[tuple[Hindrance, str]]:
    """Return what still needs a party's personal fields, and what ends that."""
    today = day_of(desk.at_s)
    needed = []
    if any(each.to_day is None or each.to_day > today for each in memberships(desk, party)):
        needed.append(
            (Hindrance.MEMBER, "it is a member: end that with `kwartier coop member end`")
        )
    needed += [
        (
            Hindrance.OWNER,
            f"it owns {window.connection}: end that with `kwartier coop own end`",
        )
        for window in windows(desk, party=party)
        if window.to_day is None or window.to_day > today
    ]
    held = mandate_of(desk, party, today)
    if held is not None:
        ends = f"mandate {held.reference} holds: end it with `kwartier coop mandate end`"
        needed.append((Hindrance.MANDATE, ends))
    needed += [
        (
            Hindrance.OFFICER,
            f"it is officer {officer.id}: end that with `kwartier coop officer end`",
        )
        for officer in officers(desk)
        if officer.person == party
    ]
    if any(item.open for item in open_items(desk, party)):
        needed.append(
            (Hindrance.ACCOUNT, "its account is not settled: collect or pay what is open")
        )
    needed += [
        (Hindrance.PROPOSAL, f"proposal {each.id} waits: decide on it first")
        for each in open_proposals(desk)
        if each.subject == party
    ]
    return needed


def _kept_papers(desk: Desk, party: str) -> list[Kept]:
    """Return for how long the law keeps the party's papers, which bear its name and address."""
    years = int(parameter(desk, "retention_years", desk.at_s).value)
    return [
        Kept(
            f"paper {paper.number}",
            date(paper.day.year + years + 1, 1, 1),
            f"invoices are kept {years} years by law, with the name and address on them",
        )
        for paper in documents(desk, party=party)
        if day_of(desk.at_s) < date(paper.day.year + years + 1, 1, 1)
    ]


def _kept_mandates(desk: Desk, party: str) -> list[Kept]:
    """Return the mandates whose last collection may still be claimed back."""
    months = int(parameter(desk, "mandate_kept_months", desk.at_s).value)
    return [
        Kept(
            f"mandate {each.reference}",
            until,
            f"a mandate is kept {months} months after its last collection",
            KeptKind.MANDATE,
        )
        for each in mandates(desk, party)
        if day_of(desk.at_s) < (until := months_later(last_use(desk, each.reference), months))
    ]


def _overwrite_accounts(desk: Desk, party: str) -> bool:
    """Overwrite accounts and evidence, but for mandates that are kept; return whether any was."""
    kept = {each.what for each in _kept_mandates(desk, party)}
    nothing = desk.keys.seal("")
    rows = [
        *desk.session.scalars(select(PayoutAccountRow).where(PayoutAccountRow.party == party)),
        *(
            row
            for row in desk.session.scalars(select(MandateRow).where(MandateRow.party == party))
            if f"mandate {row.reference}" not in kept
        ),
    ]
    open_rows = [row for row in rows if row.iban_fingerprint]
    for row in open_rows:
        row.iban, row.iban_fingerprint = nothing, ""
    for consent in desk.session.scalars(select(ConsentRow).where(ConsentRow.party == party)):
        consent.evidence = nothing
    desk.session.flush()
    return bool(open_rows)


def _plain(value: object) -> Json:
    """Return a record as JSON: days and choices as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    assert isinstance(value, Sequence), value
    return [_plain(inner) for inner in value]
