"""What the board sees of a run's delivery: for each member how far their statement came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from api.cooperative.database import Desk
from api.cooperative.registry import Party, parties_of
from api.cooperative.runs import runs
from api.cooperative.runs.states import Run
from api.house import House
from api.office import Office
from api.people.book import PeopleDesk
from api.people.tables import MessageRow
from api.people.wishes import STATEMENTS, Channel, Kind, ways_wished
from api.post.delivery import OF_RECORD, concerned, may_go_out
from api.post.outbox import ENDED, State
from kwartier.units import EpochS


class Shown(StrEnum):
    """How far a statement came, in the board's words."""

    WAITING = "waiting"
    SENT = "sent"
    BOUNCED = "bounced"
    FAILED = "failed"
    PRINT = "print"
    """A letter that somebody must still print and post."""
    PRINTED = "printed"
    CANCELLED = "cancelled"


REASONS = frozenset(
    {
        "refused",
        "bounced",
        "busy",
        "unreachable",
        "certificate",
        "no_tls",
        "login",
        "sender",
        "given_up",
        "no_account",
        "not_wanted",
        "no_address",
    }
)
"""Why something did not arrive; there are words for each."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A member's statement on its way.

    Attributes:
        number: The newest message about it.
        party: Whose.
        way: By which way it went last.
        shown: How far it came.
        at_s: When that was [s].
        reason: Why it is not there, a word of ``REASONS`` or ``other``; empty without one.
        code: The other machine's code, such as ``550 5.1.1``; empty without one.
        count: How many messages there are about it.
        by_email: Whether it may go by e-mail (again).
    """

    number: int
    party: str
    way: Channel
    shown: Shown
    at_s: EpochS
    reason: str
    code: str
    count: int
    by_email: bool

    @property
    def ended(self) -> bool:
        """Whether it may be sent again."""
        return self.shown not in (Shown.WAITING, Shown.PRINT)


@dataclass(frozen=True, slots=True)
class RunDelivery:
    """How the statements of a run are being delivered.

    Attributes:
        run: The run.
        deliveries: The newest message of each member, by member.
        unsent: Members who got no message yet.
        parties: Who they all are, opened. Personal.
    """

    run: Run
    deliveries: tuple[Delivery, ...]
    unsent: tuple[str, ...]
    parties: Mapping[str, Party]

    @property
    def counts(self) -> dict[Shown, int]:
        """How many statements came how far; what there is none of is left out."""
        every = [each.shown for each in self.deliveries]
        return {shown: every.count(shown) for shown in Shown if shown in every}


def deliverable(books: Desk) -> list[Run]:
    """Return the runs whose statements may go out, the newest first; none older than a year."""
    found = [run for run in runs(books) if may_go_out(run, books.at_s)]
    return sorted(found, key=lambda run: run.name, reverse=True)


def run_delivery(house: House, office: Office, run: Run) -> RunDelivery:
    """Return how a run's statements are being delivered."""
    with house.people.reading() as desk:
        found = deliveries_of(desk, run.id)
    with office.reading() as books:
        members = concerned(house, books, run)
        known = {each.party for each in found}
        unsent = tuple(party for party in sorted(members) if party not in known)
        parties = parties_of(books, sorted({*known, *unsent}))
    return RunDelivery(run, tuple(found), unsent, parties)


def deliveries_of(desk: PeopleDesk, run: str) -> list[Delivery]:
    """Return the newest message of each member about their statement of a run, by member."""
    rows = desk.session.scalars(
        select(MessageRow)
        .where(
            MessageRow.subject == run,
            MessageRow.kind.in_(STATEMENTS),
            MessageRow.channel.in_(OF_RECORD),
        )
        .order_by(MessageRow.party, MessageRow.id)
    )
    newest: dict[str, MessageRow] = {}
    counts: dict[str, int] = {}
    for row in rows:
        newest[row.party] = row
        counts[row.party] = counts.get(row.party, 0) + 1
    wished = {
        (kind, account)
        for kind in STATEMENTS
        for account, ways in ways_wished(desk, kind).items()
        if Channel.EMAIL in ways
    }
    return [
        _delivery(row, counts[party], wished=(Kind(row.kind), row.account) in wished)
        for party, row in newest.items()
    ]


def _delivery(row: MessageRow, count: int, *, wished: bool) -> Delivery:
    way, state = Channel(row.channel), State(row.state)
    reason, _, code = row.remark.partition(" ")
    told = reason if reason in REASONS or not reason else "other"
    happened_s = row.done_at_s or row.tried_at_s or row.made_at_s
    by_email = state in ENDED and wished
    if state is State.SENT:
        told, code = "", ""  # it arrived after all
    return Delivery(
        row.id, row.party, way, _shown(way, state), happened_s, told, code, count, by_email
    )


def _shown(way: Channel, state: State) -> Shown:
    if state not in ENDED:
        return Shown.PRINT if way is Channel.PAPER else Shown.WAITING
    return Shown(state.value)
