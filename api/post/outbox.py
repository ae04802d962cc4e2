"""The outbox: every message once per key, and how far it came.

A message is written in the transaction of what causes it. One sender at a time takes it, writes
down that it is being sent, sends, and writes down what came of it. When the sender dies in
between, the message is taken again after ``LEASE_S`` under the same Message-ID: it is never lost,
and told twice at most once for each time a sender dies.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import and_, func, or_, select

from api.cooperative.canonical import canonical
from api.people.book import PeopleDesk
from api.people.tables import MessageRow
from api.people.wishes import Channel, Kind
from api.post.hours import ASKED_FOR, due_at, is_day, is_over, pause_s
from kwartier.errors import ContractError
from kwartier.units import EpochS
from kwartier.wire import Json

LEASE_S = 600
"""After this a message that is 'being sent' is taken again: its sender died [s]."""
PER_MINUTE = 60
"""The most messages in a minute."""
BY_WIRE = (Channel.EMAIL, Channel.WEBHOOK)


class State(StrEnum):
    """How far a message came."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    BOUNCED = "bounced"
    """Refused for good, at once or by a report that came later."""
    FAILED = "failed"
    """Given up."""
    PRINTED = "printed"
    """Printed and posted, somebody says."""
    CANCELLED = "cancelled"
    """Nobody wants it any more."""


ENDED = frozenset({State.SENT, State.BOUNCED, State.FAILED, State.PRINTED, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be told to one person.

    Attributes:
        key: What it is known by; there is one message of a key.
        kind: What it is about.
        channel: By which way.
        account: Whose; empty for a member without an account, who gets paper.
        party: Their id in the books; empty without one.
        subject: What it is about, an id such as a run's.
        facts: What the words are filled with.
    """

    key: str
    kind: Kind
    channel: Channel
    account: str
    party: str
    subject: str
    facts: Mapping[str, Json]


def queue(desk: PeopleDesk, message: Message) -> bool:
    """Write a message down in this transaction; one of a known key changes nothing.

    Returns:
        Whether it is new.
    """
    wanted = select(MessageRow.id).where(MessageRow.key == message.key)
    if desk.session.scalars(wanted).first() is not None:
        return False
    desk.session.add(
        MessageRow(
            key=message.key,
            kind=message.kind,
            channel=message.channel,
            account=message.account,
            party=message.party,
            subject=message.subject,
            facts=desk.keys.seal(canonical(dict(message.facts))),
            mail_id=f"m-{secrets.token_hex(12)}",
            state=State.QUEUED,
            tries=0,
            due_at_s=due_at(message.kind, desk.at_s),
            made_at_s=desk.at_s,
            tried_at_s=None,
            done_at_s=None,
            remark="",
        )
    )
    desk.session.flush()
    return True


def is_known(desk: PeopleDesk, key: str) -> bool:
    """Return whether there is a message of a key."""
    return (
        desk.session.scalars(select(MessageRow.id).where(MessageRow.key == key)).first() is not None
    )


def message_of(desk: PeopleDesk, number: int) -> MessageRow | None:
    """Return a message by its number, or None."""
    return desk.session.get(MessageRow, number)


def facts_of(desk: PeopleDesk, row: MessageRow) -> dict[str, Json]:
    """Return what a message's words are filled with."""
    facts = json.loads(desk.keys.open(row.facts))
    if not isinstance(facts, dict):
        raise ContractError(f"message {row.id}: its facts are no table")
    return facts


def take_next(desk: PeopleDesk, resting: frozenset[Channel] = frozenset()) -> MessageRow | None:
    """Take the next message that is due, as being sent from now on; None when there is none.

    At night only what somebody asked for just now is due, and never more than ``PER_MINUTE``.

    Args:
        desk: The open book.
        resting: Ways that are left alone for now.
    """
    ways = [way for way in BY_WIRE if way not in resting]
    recent = select(func.count()).where(MessageRow.tried_at_s > desk.at_s - 60)
    if not ways or (desk.session.scalar(recent) or 0) >= PER_MINUTE:
        return None
    waiting = and_(MessageRow.state == State.QUEUED, MessageRow.due_at_s <= desk.at_s)
    left = and_(MessageRow.state == State.SENDING, MessageRow.tried_at_s <= desk.at_s - LEASE_S)
    asked_for = MessageRow.kind.in_(ASKED_FOR)
    wanted = select(MessageRow).where(MessageRow.channel.in_(ways), or_(waiting, left))
    if not is_day(desk.at_s):
        wanted = wanted.where(asked_for)
    order = wanted.order_by(asked_for.desc(), MessageRow.due_at_s, MessageRow.id)
    row = desk.session.scalars(order.limit(1)).first()
    if row is not None:
        row.state, row.tries, row.tried_at_s = State.SENDING, row.tries + 1, desk.at_s
        desk.session.flush()
    return row


def end(desk: PeopleDesk, number: int, state: State, remark: str = "") -> None:
    """Write down what came of a message; of one that ended otherwise before, nothing changes.

    Args:
        desk: The open book.
        number: The message.
        state: What came of it.
        remark: Why, as a word and a code; no address and no words of another machine. Without
            one the reason of the last failure stays.
    """
    row = desk.session.get(MessageRow, number)
    if row is None or State(row.state) in ENDED - {State.SENT}:
        return
    row.state, row.done_at_s, row.remark = state, desk.at_s, remark or row.remark
    desk.session.flush()


def put_back(desk: PeopleDesk, number: int, remark: str) -> bool:
    """Let a message be tried again after a pause, or give it up; return whether it goes on.

    One that is gone, for its reader was forgotten meanwhile, or that ended, stays so.
    """
    row = desk.session.get(MessageRow, number)
    if row is None or row.state in ENDED:
        return False
    kind, next_s = Kind(row.kind), desk.at_s + pause_s(row.tries)
    if is_over(kind, due_at(kind, row.made_at_s), next_s, row.tries):
        end(desk, number, State.FAILED, remark)
        return False
    row.state, row.due_at_s, row.remark = State.QUEUED, next_s, remark
    desk.session.flush()
    return True


def waiting_for(desk: PeopleDesk, account: str, kind: Kind, channel: Channel) -> list[MessageRow]:
    """Return the messages of a kind that still wait for somebody."""
    return list(
        desk.session.scalars(
            select(MessageRow)
            .where(
                MessageRow.account == account,
                MessageRow.kind == kind,
                MessageRow.channel == channel,
                MessageRow.state == State.QUEUED,
            )
            .order_by(MessageRow.id)
        )
    )


@dataclass(frozen=True, slots=True)
class Health:
    """How a way does.

    Attributes:
        last_sent_s: When something last went out [s]; None if nothing ever did.
        last_error_s: When something last went wrong [s]; None if nothing did.
        last_error: Why, as a word and a code.
        waiting: How many messages wait.
    """

    last_sent_s: EpochS | None
    last_error_s: EpochS | None
    last_error: str
    waiting: int


def health_of(desk: PeopleDesk, channel: Channel) -> Health:
    """Return how a way does, from what was sent by it."""
    own = MessageRow.channel == channel
    sent = desk.session.scalar(
        select(func.max(MessageRow.done_at_s)).where(own, MessageRow.state == State.SENT)
    )
    failed = desk.session.scalars(
        select(MessageRow)
        .where(own, MessageRow.remark != "", MessageRow.tried_at_s.is_not(None))
        .order_by(MessageRow.tried_at_s.desc(), MessageRow.id.desc())
        .limit(1)
    ).first()
    waiting = desk.session.scalar(
        select(func.count()).where(own, MessageRow.state.in_((State.QUEUED, State.SENDING)))
    )
    return Health(
        sent,
        None if failed is None else failed.tried_at_s,
        "" if failed is None else failed.remark,
        waiting or 0,
    )
