"""Officers: accounts of persons with roles, each made by one officer and confirmed by another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from api.cooperative.chain import record
from api.cooperative.database import Books, Desk
from api.cooperative.errors import BooksError, ConflictError, NotAllowedError, StateError
from api.cooperative.four_eyes import Matter, Proposal, approve, open_proposals, propose
from api.cooperative.officers import DECIDERS, SELF, SYSTEM, Officer, Role
from api.cooperative.registry.party_book import known_party
from api.cooperative.registry.secret_book import check_secret, drawn_secret, keep_secret
from api.cooperative.stamp import stamp
from api.cooperative.tables.registry import OfficerRow, OfficerTermRow
from kwartier.identity import checked_name
from kwartier.interval import day_of
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part

_RESERVED = frozenset({SYSTEM.id, SELF})


@dataclass(frozen=True, slots=True)
class OfficerTerm:
    """What an account may do, and until when.

    Attributes:
        officer: The account's name.
        person: The party whose account it is.
        roles: What it may do.
        until_day: The first local day on which it may no longer; None without an end.
    """

    officer: str
    person: str
    roles: frozenset[Role]
    until_day: date | None = None

    def __post_init__(self) -> None:
        checked_name(self.officer, "officer")
        if self.officer in _RESERVED:
            raise BooksError(f"officer {self.officer} is the house itself: use another name")
        if not self.roles:
            raise BooksError(f"officer {self.officer} has no role: use {', '.join(Role)}")


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret that is shown once; nobody can read it back."""

    officer: str
    secret: str

    def __repr__(self) -> str:
        return f"NewSecret({self.officer!r}, …)"


def first_officers(desk: Desk, treasurer: OfficerTerm, board: OfficerTerm) -> tuple[NewSecret, ...]:
    """Make the first two accounts at once, and return their one-time secrets.

    Raises:
        StateError: There are officers already.
        BooksError: They are not a treasurer and a member of the board, or are one person.
    """
    if desk.session.scalars(select(OfficerRow.id)).first() is not None:
        raise StateError("there are officers already: a new one is proposed and confirmed by two")
    if treasurer.person == board.person or treasurer.officer == board.officer:
        raise BooksError("the first two officers are two accounts of two different persons")
    if Role.TREASURER not in treasurer.roles or Role.BOARD not in board.roles:
        raise BooksError("the first two officers are a treasurer and a member of the board")
    return tuple(_install(desk, term) for term in (treasurer, board))


def propose_officer(desk: Desk, term: OfficerTerm) -> Proposal:
    """Propose a new account, or other roles or another end for one that is there.

    Raises:
        ConflictError: That account is another person's.
    """
    desk.officer.need(*DECIDERS)
    known_party(desk, term.person)
    _refuse_another_person(desk, term)
    return propose(desk, Matter.OFFICER, term.officer, _body(term))


def propose_new_secret(desk: Desk, officer: str) -> Proposal:
    """Propose a new one-time secret for an account whose own was lost."""
    desk.officer.need(*DECIDERS)
    term = term_of(desk, officer)
    return propose(desk, Matter.OFFICER, officer, _body(term))


def confirm(desk: Desk, proposal: int, body_hash: str) -> NewSecret:
    """Approve a proposed account as the second officer, and return its one-time secret."""
    desk.officer.need(*DECIDERS)
    found = [one for one in open_proposals(desk) if one.id == proposal]
    if not found or found[0].matter is not Matter.OFFICER:
        raise StateError(
            f"proposal {proposal} is no open one of an officer: see `kwartier coop proposal list`"
        )
    term = _term_of_body(found[0].body)
    _refuse_another_person(desk, term)
    approve(desk, proposal, body_hash)
    return _install(desk, term)


def end_officer(desk: Desk, officer: str, reason: str) -> None:
    """End an account at once; a board that is one person afterwards could decide nothing.

    Raises:
        StateError: Fewer than two persons, or nobody of the board, could decide without it.
    """
    desk.officer.need(*DECIDERS)
    term = term_of(desk, officer)
    left = [
        other
        for other in officers(desk)
        if other.id != officer and other.roles.intersection(DECIDERS)
    ]
    approvers = [other for other in left if Role.BOARD in other.roles]
    few = len({other.person for other in left}) < 2 or not approvers
    if term.roles.intersection(DECIDERS) and few:
        raise StateError(
            f"without {officer} fewer than two persons can decide, or none of the board: "
            "confirm another officer first"
        )
    row = _newest_term(desk, officer)
    assert row is not None, officer
    row.ended_at_s = desk.at_s
    desk.session.flush()
    record(desk, "officer.end", officer, {"person": term.person, "reason": reason})


def recognise(books: Books, officer: str, secret: str) -> Officer:
    """Return the officer whose secret this is.

    Raises:
        NotAllowedError: The secret is wrong or a one-time one, tries ran out, or the account ended.
    """
    one_time = check_secret(books, officer, secret)
    with books.reading(SYSTEM) as desk:
        known = _in_force(desk, officer)
    if one_time:
        raise NotAllowedError(
            f"officer {officer}: a one-time secret opens nothing: draw your own first with "
            "`kwartier coop officer new-secret`"
        )
    return known


def renew_secret(books: Books, officer: str, secret: str) -> NewSecret:
    """Draw an officer's own next secret, in exchange for the one that was shown last."""
    check_secret(books, officer, secret)
    with books.reading(SYSTEM) as desk:
        known = _in_force(desk, officer)
    with books.desk(known) as desk:
        return _give_secret(desk, officer, one_time=False)


def officers(desk: Desk) -> list[Officer]:
    """Return the accounts that may act now, by name."""
    names = desk.session.scalars(select(OfficerRow.id).order_by(OfficerRow.id))
    return [known for name in names if (known := officer_or_none(desk, name)) is not None]


def terms(desk: Desk) -> list[OfficerTerm]:
    """Return what every account may do or might last, by name."""
    names = list(desk.session.scalars(select(OfficerRow.id).order_by(OfficerRow.id)))
    return [term_of(desk, name) for name in names]


def term_of(desk: Desk, officer: str) -> OfficerTerm:
    """Return what an account may do, whether it still holds or not.

    Raises:
        BooksError: There is no such account.
    """
    row = desk.session.get(OfficerRow, officer)
    newest = _newest_term(desk, officer)
    if row is None or newest is None:
        raise BooksError(f"officer {officer[:40]!r} is not known: see `kwartier coop officer list`")
    until = newest.until_day
    if newest.ended_at_s is not None:
        until = day_of(newest.ended_at_s)
    return OfficerTerm(officer, row.person, _roles(newest.roles.split()), until)


def _in_force(desk: Desk, officer: str) -> Officer:
    known = officer_or_none(desk, officer)
    if known is None:
        raise NotAllowedError(f"officer {officer}: the account has ended")
    return known


def officer_or_none(desk: Desk, officer: str) -> Officer | None:
    """Return an officer by name, or None when there is no such account or it has ended."""
    row = desk.session.get(OfficerRow, officer)
    newest = _newest_term(desk, officer)
    if row is None or newest is None or newest.ended_at_s is not None:
        return None
    if newest.until_day is not None and newest.until_day <= day_of(desk.at_s):
        return None
    return Officer(officer, row.person, _roles(newest.roles.split()))


def _newest_term(desk: Desk, officer: str) -> OfficerTermRow | None:
    return desk.session.scalars(
        select(OfficerTermRow)
        .where(OfficerTermRow.officer == officer)
        .order_by(OfficerTermRow.id.desc())
    ).first()


def _install(desk: Desk, term: OfficerTerm) -> NewSecret:
    known_party(desk, term.person)
    if desk.session.get(OfficerRow, term.officer) is None:
        desk.session.add(OfficerRow(id=term.officer, person=term.person, **stamp(desk)))
        desk.session.flush()
    desk.session.add(
        OfficerTermRow(
            officer=term.officer,
            roles=" ".join(sorted(term.roles)),
            until_day=term.until_day,
            ended_at_s=None,
            **stamp(desk),
        )
    )
    record(desk, "officer.install", term.officer, _body(term))
    return _give_secret(desk, term.officer, one_time=True)


def _give_secret(desk: Desk, officer: str, *, one_time: bool) -> NewSecret:
    given = NewSecret(officer, drawn_secret())
    keep_secret(desk, officer, given.secret, one_time=one_time)
    record(desk, "officer.secret", officer, {"one_time": one_time})
    return given


def _refuse_another_person(desk: Desk, term: OfficerTerm) -> None:
    row = desk.session.get(OfficerRow, term.officer)
    if row is not None and row.person != term.person:
        raise ConflictError(f"officer {term.officer} is another person's: use another name")


def _body(term: OfficerTerm) -> dict[str, Json]:
    return {
        "officer": term.officer,
        "person": term.person,
        "roles": [*sorted(term.roles)],
        "until": None if term.until_day is None else term.until_day.isoformat(),
    }


def _term_of_body(body: Json) -> OfficerTerm:
    parts = Part(body).names()
    return OfficerTerm(
        parts["officer"].name(),
        parts["person"].name(),
        _roles(part.name() for part in parts["roles"].list()),
        None if parts["until"].value is None else parts["until"].day(),
    )


def _roles(names: Iterable[str]) -> frozenset[Role]:
    return frozenset(Role(name) for name in names)
