"""Wishes: what somebody wants told, by which way; without a wish nothing is sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from sqlalchemy import delete, select

from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.tables import WishRow
from api.people.visitor import Role


class Kind(StrEnum):
    """What a message is about."""

    STATEMENT = "statement"
    """A statement is ready."""
    CORRECTED = "corrected"
    """A statement was corrected."""
    METER = "meter"
    """A meter has been silent for a day."""
    SUN = "sun"
    """Tomorrow has a good moment."""
    ANSWER = "answer"
    """A question was answered."""
    BLOCKED = "blocked"
    """A run cannot go on before the board has looked."""
    ALERT = "alert"
    """Something is broken that the operator can mend."""
    TEST = "test"
    """A try, which the person just asked for."""


class Channel(StrEnum):
    """By which way."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    """The cooperative's own service for text messages and the like."""
    PAPER = "paper"
    """A letter that somebody prints and posts."""


STATEMENTS = frozenset({Kind.STATEMENT, Kind.CORRECTED})
"""What a member must get: without a wish for e-mail it goes by post."""
FOR_RESIDENTS = (Kind.STATEMENT, Kind.CORRECTED, Kind.METER, Kind.SUN, Kind.ANSWER)
FOR_ROLES: Mapping[Role, tuple[Kind, ...]] = {
    Role.RESIDENT: FOR_RESIDENTS,
    Role.BOARD: (Kind.BLOCKED,),
    Role.TREASURER: (Kind.BLOCKED,),
    Role.OPERATOR: (Kind.ALERT,),
}
"""What who may wish for."""
WAYS = (Channel.EMAIL, Channel.WEBHOOK)
"""The ways somebody may wish for."""


def kinds_for(roles: Collection[Role]) -> tuple[Kind, ...]:
    """Return what somebody with these roles may wish for, in a fixed order."""
    allowed = {kind for role in roles for kind in FOR_ROLES.get(role, ())}
    return tuple(kind for kind in Kind if kind in allowed)


def wishes_of(desk: PeopleDesk, account: str) -> frozenset[tuple[Kind, Channel]]:
    """Return what an account wants told, by which ways."""
    rows = desk.session.scalars(select(WishRow).where(WishRow.account == account))
    return frozenset((Kind(row.kind), Channel(row.channel)) for row in rows)


def ways_wished(desk: PeopleDesk, kind: Kind) -> dict[str, list[Channel]]:
    """Return the accounts that want a kind told, and by which ways, e-mail first."""
    rows = desk.session.scalars(
        select(WishRow).where(WishRow.kind == kind).order_by(WishRow.account, WishRow.channel)
    )
    found: dict[str, list[Channel]] = {}
    for row in rows:
        found.setdefault(row.account, []).append(Channel(row.channel))
    return found


def wants(desk: PeopleDesk, account: str, kind: Kind, channel: Channel) -> bool:
    """Return whether somebody wants a kind told by a way."""
    return desk.session.get(WishRow, (account, kind, channel)) is not None


def set_wishes(
    desk: PeopleDesk,
    by: str,
    account: str,
    wanted: Collection[tuple[Kind, Channel]],
    among: Collection[Kind],
) -> None:
    """Let an account's wishes for some kinds be these; wishes for other kinds stay.

    Args:
        desk: The open book.
        by: Who decides; the account itself, mostly.
        account: Whose wishes.
        wanted: What is wanted, by which ways.
        among: The kinds that were asked about.
    """
    before = {each for each in wishes_of(desk, account) if each[0] in among}
    after = {each for each in wanted if each[0] in among and each[1] in WAYS}
    for kind, channel in sorted(before - after):
        end_wish(desk, by, account, kind, channel)
    for kind, channel in sorted(after - before):
        desk.session.add(WishRow(account=account, kind=kind, channel=channel, since_s=desk.at_s))
        desk.session.flush()
        record(desk, by, "wish.add", account, {"kind": kind, "channel": channel})


def end_wish(desk: PeopleDesk, by: str, account: str, kind: Kind, channel: Channel) -> bool:
    """Take a wish back, and return whether there was one."""
    if not wants(desk, account, kind, channel):
        return False
    desk.session.execute(
        delete(WishRow).where(
            WishRow.account == account, WishRow.kind == kind, WishRow.channel == channel
        )
    )
    record(desk, by, "wish.end", account, {"kind": kind, "channel": channel})
    return True
