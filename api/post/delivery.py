"""Delivering a run's statements: each member once, by e-mail or else on paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from api.cooperative.database import Desk
from api.cooperative.errors import StateError
from api.cooperative.registry import erased_parties
from api.cooperative.runs import run_of
from api.cooperative.runs.changes import delta_of
from api.cooperative.runs.states import Run, State
from api.cooperative.runs.storing import computation_of
from api.house import House
from api.office import Office
from api.people.accounts import account_of_party
from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import PeopleError, UnknownError
from api.people.tables import MessageRow
from api.people.wishes import STATEMENTS, Channel, Kind, wishes_of
from api.post import outbox
from api.post.counter import Counter, reader_of
from api.post.outbox import Message
from kwartier.units import EpochS
from kwartier.wire import Json

DELIVERED = (State.INVOICED, State.CLOSED)
"""Where a run stands when its statements may go out."""
DELIVERED_S = 365 * 86_400
"""How long after that [s]: to whom they went is itself forgotten some weeks later."""


@dataclass(frozen=True, slots=True)
class _Addressee:
    """A member, and the ways their statement goes."""

    party: str
    account: str
    ways: tuple[Channel, ...]


def deliver(house: House, office: Office, run: str, by: str) -> int:
    """Write down the statements of a run for everybody it concerns; return how many are new.

    Who wants it by e-mail and has an address gets a link; everybody else a letter on paper, for
    nobody has to take an invoice by e-mail. A correction goes to those whose amount changes. Doing
    it again changes nothing, also for who wants it by another way meanwhile.

    Args:
        house: The house.
        office: Its books.
        run: The run, such as ``2026-10/1``.
        by: Who does it; an account's id, or ``system``.

    Raises:
        BooksError: There is no such run.
        StateError: Its papers have no numbers yet, or have had them for more than a year.
    """
    with office.reading() as books:
        known = run_of(books, run)
        if known.state not in DELIVERED:
            raise StateError(f"run {known.id} is {known.state}: invoice it before it is sent")
        if not may_go_out(known, books.at_s):
            raise StateError(f"run {known.id} has its numbers for more than a year: write yourself")
        kind = Kind.STATEMENT if known.corrects is None else Kind.CORRECTED
        facts = concerned(house, books, known)
    addressees = _addressees(Counter.of(house), kind, list(facts))
    made = 0
    with house.people.writing() as desk:
        told = _told(desk, known.id, kind)
        for one in addressees:
            for way in () if one.party in told else one.ways:
                key = f"{kind}:{known.id}:{one.party}:{way}"
                message = Message(
                    key, kind, way, one.account, one.party, known.id, facts[one.party]
                )
                made += outbox.queue(desk, message)
        if made:
            record(desk, by, "post.deliver", known.id, {"messages": made})
    return made


def may_go_out(run: Run, now_s: EpochS) -> bool:
    """Return whether a run's papers were numbered, and no longer ago than a year."""
    if run.state not in DELIVERED:
        return False
    numbered_s = next(step.at_s for step in run.steps if step.state in DELIVERED)
    return now_s - numbered_s <= DELIVERED_S


def send_again(desk: PeopleDesk, by: str, number: int, way: Channel, count: int) -> None:
    """Send one statement once more, by a way; of two who ask at once only one sends it.

    Args:
        desk: The open book.
        by: Who asks for it.
        number: The message that is sent again.
        way: By which way.
        count: How many messages about it somebody saw when asking.

    Raises:
        UnknownError: There is no such message.
        PeopleError: It is still under way.
    """
    row = _known(desk, number)
    if _count(desk, row) != count:
        return  # somebody else was first, maybe by another way
    if outbox.State(row.state) not in outbox.ENDED:
        raise PeopleError("this statement is still on its way: wait until it has arrived or not")
    key = f"{row.kind}:{row.subject}:{row.party}:{way}:{count + 1}"
    facts = outbox.facts_of(desk, row)
    message = Message(key, Kind(row.kind), way, row.account, row.party, row.subject, facts)
    if outbox.queue(desk, message):
        record(desk, by, "post.again", row.subject, {"party": row.party, "channel": way})


def mark_posted(desk: PeopleDesk, by: str, run: str, number: int | None = None) -> int:
    """Write down that letters on paper were posted: one, or all of a run; return how many."""
    wanted = select(MessageRow).where(
        MessageRow.subject == run,
        MessageRow.channel == Channel.PAPER,
        MessageRow.state == outbox.State.QUEUED,
    )
    if number is not None:
        wanted = wanted.where(MessageRow.id == number)
    rows = list(desk.session.scalars(wanted))
    for row in rows:
        outbox.end(desk, row.id, outbox.State.PRINTED)
    if rows:
        posted: list[Json] = [row.id for row in rows]
        record(desk, by, "post.posted", run, {"messages": posted})
    return len(rows)


OF_RECORD = (Channel.EMAIL, Channel.PAPER)
"""The ways by which a statement is delivered; any other is only a tap on the shoulder."""


def _known(desk: PeopleDesk, number: int) -> MessageRow:
    row = outbox.message_of(desk, number)
    if row is None or row.channel not in OF_RECORD or row.kind not in STATEMENTS or not row.party:
        raise UnknownError(f"message {number}: there is none to send again")
    return row


def _told(desk: PeopleDesk, run: str, kind: Kind) -> frozenset[str]:
    """Return the members who have a message about their statement of a run."""
    wanted = select(MessageRow.party).where(
        MessageRow.subject == run, MessageRow.kind == kind, MessageRow.channel.in_(OF_RECORD)
    )
    return frozenset(desk.session.scalars(wanted))


def _count(desk: PeopleDesk, row: MessageRow) -> int:
    """Return how many messages there are about the statement that a message is about."""
    wanted = select(func.count()).where(
        MessageRow.subject == row.subject,
        MessageRow.party == row.party,
        MessageRow.kind == row.kind,
        MessageRow.channel.in_(OF_RECORD),
    )
    return desk.session.scalar(wanted) or 0


def concerned(house: House, books: Desk, run: Run) -> Mapping[str, Mapping[str, Json]]:
    """Return the members a run concerns, each with what their message says.

    Whom the books forgot is nobody to write to any more.
    """
    gone = erased_parties(books)
    about: dict[str, Json] = {"run": run.id, "month": run.name.month.first.isoformat()}
    if run.corrects is None:
        totals = house.shelf.totals(books, run)
        return {
            party: about | {"to_pay_cents": cents}
            for party, cents in totals.items()
            if party not in gone
        }
    cents_by_party = delta_of(books, run, computation_of(books, run)).cents
    return {
        party: about | {"delta_cents": cents, "reason": run.reason}
        for party, cents in cents_by_party.items()
        if cents and party not in gone
    }


def _addressees(counter: Counter, kind: Kind, parties: list[str]) -> list[_Addressee]:
    found = []
    with counter.people.reading() as desk:
        for party in parties:
            account = account_of_party(desk, party)
            reader = None if account is None else reader_of(desk, counter.office, account)
            wished = frozenset() if reader is None else wishes_of(desk, reader.account)
            ways = {way for wanted, way in wished if wanted is kind} & counter.ways
            if reader is None or not reader.email:
                ways -= {Channel.EMAIL}
            if Channel.EMAIL not in ways:
                ways |= {Channel.PAPER}
            known = "" if reader is None else reader.account
            found.append(_Addressee(party, known, tuple(sorted(ways))))
    return found
