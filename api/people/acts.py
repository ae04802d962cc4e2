"""The log of acts: every write in the book of people, each linked to the one before it."""

from __future__ import annotations

from sqlalchemy import select

from api.cooperative.canonical import canonical
from api.people.book import PeopleDesk
from api.people.tables import ActRow
from kwartier.wire import Json

CHAIN = "people"
"""Which chain the acts are linked in."""


def record(desk: PeopleDesk, account: str, act: str, subject: str, facts: Json = None) -> None:
    """Add an act at the end of the chain; it names ids, never a person.

    Args:
        desk: The open book.
        account: Who did it; ``system`` for the house itself.
        act: What, such as ``card.give``.
        subject: To what, an id.
        facts: The rest.
    """
    last = desk.session.scalars(select(ActRow).order_by(ActRow.id.desc()).limit(1)).first()
    told = canonical({} if facts is None else facts)
    number = 1 if last is None else last.id + 1
    body = _body(number, desk.at_s, account, act, subject, told)
    link = desk.keys.link(CHAIN, "" if last is None else last.link, body)
    desk.session.add(
        ActRow(
            id=number,
            at_s=desk.at_s,
            account=account,
            act=act,
            subject=subject,
            facts=told,
            link=link,
        )
    )
    desk.session.flush()


def first_broken(desk: PeopleDesk) -> int | None:
    """Return the number of the first act that was changed, or that misses one before it."""
    link = desk.keys.linker(CHAIN)
    previous, expected = "", 1
    for row in desk.session.scalars(select(ActRow).order_by(ActRow.id)):
        body = _body(row.id, row.at_s, row.account, row.act, row.subject, row.facts)
        if row.id != expected or row.link != link(previous, body):
            return expected
        previous, expected = row.link, expected + 1
    return None


def begins_with_these_keys(desk: PeopleDesk) -> bool:
    """Return whether the first act was linked with the keys of this desk; also without any act."""
    row = desk.session.scalars(select(ActRow).order_by(ActRow.id).limit(1)).first()
    if row is None:
        return True
    body = _body(row.id, row.at_s, row.account, row.act, row.subject, row.facts)
    return row.link == desk.keys.link(CHAIN, "", body)


def _body(number: int, at_s: int, account: str, act: str, subject: str, facts: str) -> str:
    return canonical([number, at_s, account, act, subject, facts])
