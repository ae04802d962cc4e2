"""Members as the board sees them: a list, and everything about one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil

from sqlalchemy import func, select

from api.cooperative.database import Desk
from api.cooperative.four_eyes import Matter, Proposal, waiting_proposal
from api.cooperative.registry import (
    Consent,
    Mandate,
    Membership,
    OwnershipWindow,
    Party,
    consents,
    ibans_to_pay,
    mandates,
    mandates_on,
    memberships,
    parties,
    windows,
)
from api.cooperative.registry import party as party_of
from api.cooperative.registry.party_book import is_erased
from api.cooperative.tables.ledger import DocumentRow
from api.pages.members.shares import Share, shares_now
from api.people.book import PeopleDesk
from api.people.tables import QuestionRow
from api.schemas import moment_time, time_or_none
from kwartier.interval import day_of

PAGE = 50
"""How many members stand on a page."""
MOST_PAPERS = 60
"""How many papers of one member are shown, the newest first."""


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One party in the list.

    Attributes:
        party: Its id.
        name: Its name for people. Personal.
        kind: What sort of party it is.
        member_since: From when it is a member now; None when it is none.
        homes: The connections it owns now.
        collects: Whether may be collected from it now.
        paid: Whether there is an account to pay it on.
    """

    party: str
    name: str
    kind: str
    member_since: date | None
    homes: tuple[str, ...]
    collects: bool
    paid: bool


@dataclass(frozen=True, slots=True)
class Members:
    """A page of the list.

    Attributes:
        lines: The members on it.
        found: How many there are in all.
        page: Which page it is, from 1.
        pages: How many there are.
    """

    lines: list[MemberLine]
    found: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Paper:
    """A numbered paper of a member [cents]."""

    name: str
    series: str
    day: date
    cents: int
    run: str


@dataclass(frozen=True, slots=True)
class Member:
    """Everything the board sees of one party.

    Attributes:
        party: Who it is. Personal.
        erased: Whether its personal fields were erased.
        memberships: Its memberships.
        owned: Its connections by time.
        shares: Its parts under the key in force.
        mandates: Its mandates; accounts are to be masked.
        payout: The account to pay it on, masked; empty without one.
        waiting: A proposal for another account that waits; None without one.
        consents: For what its values may be used.
        papers: Its newest papers.
        questions: How many questions it asked.
        unanswered: How many of them wait for an answer.
    """

    party: Party
    erased: bool
    memberships: list[Membership]
    owned: list[OwnershipWindow]
    shares: list[Share]
    mandates: list[Mandate]
    payout: str
    waiting: Proposal | None
    consents: list[Consent]
    papers: list[Paper]
    questions: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class MembersAnswer:
    """A page of members for programs."""

    members: list[MemberLine]
    found: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class SpanAnswer:
    """Something that holds from a local day up to, not including, another."""

    what: str
    from_day: date
    to_day: date | None


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """For what the values of a connection may be used."""

    connection: str
    purpose: str
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class MandateAnswer:
    """A mandate; its account is masked."""

    reference: str
    account: str
    signed_on: date
    ended_on: date | None


@dataclass(frozen=True, slots=True)
class MemberAnswer:
    """One member for programs; accounts are masked."""

    party: str
    kind: str
    name: str
    email: str
    language: str
    vat_status: str
    erased: bool
    memberships: list[SpanAnswer]
    connections: list[SpanAnswer]
    mandates: list[MandateAnswer]
    payout_account: str
    payout_waits: bool
    consents: list[ConsentAnswer]
    papers: list[Paper]
    questions: int
    unanswered: int


def members(desk: Desk, text: str, page: int) -> Members:
    """Return a page of the parties whose id or name holds a text."""
    wanted = text.strip().casefold()
    found = [each for each in parties(desk) if wanted in each.id or wanted in each.name.casefold()]
    pages = max(1, ceil(len(found) / PAGE))
    here = min(page, pages)
    return Members(_lines(desk, found[(here - 1) * PAGE : here * PAGE]), len(found), here, pages)


def member(desk: Desk, people: PeopleDesk, name: str) -> Member:
    """Return everything about one party.

    Raises:
        BooksError: There is no such party.
        TamperedError: One of its accounts was changed in the database.
    """
    known = party_of(desk, name)
    owned = windows(desk, party=name)
    homes = {each.connection for each in owned if _holds(each, day_of(desk.at_s))}
    asked = people.session.execute(
        select(func.count(), func.count(QuestionRow.answered_at_s)).where(QuestionRow.party == name)
    ).one()
    return Member(
        known,
        is_erased(desk, name),
        memberships(desk, name),
        owned,
        [each for each in shares_now(desk).shares if each.connection in homes],
        mandates(desk, name),
        masked(ibans_to_pay(desk, [name]).get(name, "")),
        waiting_proposal(desk, Matter.IBAN, name),
        consents(desk, party=name),
        _papers(desk, name),
        asked[0],
        asked[0] - asked[1],
    )


def member_answer(found: Member) -> MemberAnswer:
    """Return one member for programs."""
    who = found.party
    return MemberAnswer(
        who.id,
        who.kind.value,
        who.name,
        who.email,
        who.language.value,
        who.vat_status.value,
        found.erased,
        [
            SpanAnswer(each.vote_class.value, each.from_day, each.to_day)
            for each in found.memberships
        ],
        [SpanAnswer(each.connection, each.from_day, each.to_day) for each in found.owned],
        [
            MandateAnswer(each.reference, masked(each.iban), each.signed_on, each.ended_on)
            for each in found.mandates
        ],
        found.payout,
        found.waiting is not None,
        [
            ConsentAnswer(
                each.connection,
                each.purpose.value,
                moment_time(each.start_s),
                time_or_none(each.end_s),
            )
            for each in found.consents
        ],
        found.papers,
        found.questions,
        found.unanswered,
    )


def masked(iban: str) -> str:
    """Return an account with all but its country and last four hidden; empty stays empty."""
    return f"{iban[:2]}… {iban[-4:]}" if iban else ""


def _lines(desk: Desk, found: Sequence[Party]) -> list[MemberLine]:
    today, names = day_of(desk.at_s), [each.id for each in found]
    since = {each.party: each.from_day for each in memberships(desk) if each.holds(today)}
    homes: dict[str, list[str]] = {}
    for window in windows(desk):
        if _holds(window, today):
            homes.setdefault(window.party, []).append(window.connection)
    collects = mandates_on(desk, names, today)
    paid = ibans_to_pay(desk, names)
    return [
        MemberLine(
            each.id,
            each.name,
            each.kind.value,
            since.get(each.id),
            tuple(homes.get(each.id, ())),
            each.id in collects,
            each.id in paid,
        )
        for each in found
    ]


def _papers(desk: Desk, name: str) -> list[Paper]:
    rows = desk.session.scalars(
        select(DocumentRow)
        .where(DocumentRow.party == name)
        .order_by(DocumentRow.day.desc(), DocumentRow.name.desc())
        .limit(MOST_PAPERS)
    )
    return [Paper(row.name, row.series, row.day, row.amount_cents, row.run) for row in rows]


def _holds(window: OwnershipWindow, day: date) -> bool:
    return window.from_day <= day and (window.to_day is None or day < window.to_day)
