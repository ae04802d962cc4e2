"""Both logs as one: the acts of officers in the books, and what people did on the pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import urlencode

from pydantic import JsonValue
from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.cooperative.tables.ledger import AuditRow
from api.pages.language import Language
from api.people.tables import ActRow
from kwartier.interval import local_day
from kwartier.units import EpochS
from kwartier.wire import Json

PAGE = 50
"""How many acts stand on a page."""


class Source(StrEnum):
    """Which log; of acts of one second those of people come first."""

    BOOKS = "books"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class LoggedAct:
    """One act.

    Attributes:
        source: In which log.
        number: Its place there, from 1.
        at_s: When [s].
        who: The officer, or the account; ``system`` for the house itself.
        act: What was done, such as ``run.approve``.
        subject: To what; an id.
        facts: What else there is to know; ids only.
        hash: Its link in the chain.
    """

    source: Source
    number: int
    at_s: EpochS
    who: str
    act: str
    subject: str
    facts: Json
    hash: str

    @property
    def cursor(self) -> str:
        """Where a list goes on after it."""
        return f"{self.at_s}-{self.source}-{self.number}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts somebody looks for; an empty field means all.

    Attributes:
        source: Of which log; None for both.
        act: How the act begins, such as ``run`` or ``run.approve``.
        subject: How the subject begins.
        who: Whose.
        first: From which local day.
        last: Up to and including which local day.
    """

    source: Source | None = None
    act: str = ""
    subject: str = ""
    who: str = ""
    first: date | None = None
    last: date | None = None

    def query(self) -> str:
        """Return the fields as they stand in an address."""
        fields = {
            "bron": self.source or "",
            "daad": self.act,
            "over": self.subject,
            "wie": self.who,
            "van": self.first or "",
            "tot": self.last or "",
        }
        return urlencode({name: str(value) for name, value in fields.items() if value})


@dataclass(frozen=True, slots=True)
class ActAnswer:
    """One act for programs."""

    source: str
    number: int
    at: str
    who: str
    act: str
    subject: str
    facts: JsonValue
    hash: str


@dataclass(frozen=True, slots=True)
class LogAnswer:
    """A page of the log, the newest first; ``next`` is where the following page begins."""

    acts: list[ActAnswer]
    next: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the list of both logs."""

    at_s: EpochS
    source: Source
    number: int

    @classmethod
    def of(cls, text: str) -> Cursor | None:
        """Return the place that a text names, or None."""
        at_s, _, rest = text.partition("-")
        source, _, number = rest.partition("-")
        fits = at_s.isdecimal() and number.isdecimal() and source in set(Source)
        if not fits or len(text) > 60 or int(at_s) > 2**40 or int(number) > 2**53:
            return None
        return cls(int(at_s), Source(source), int(number))


def acts_after(
    books: Session, people: Session, wanted: Wanted, cursor: Cursor | None, limit: int = PAGE
) -> list[LoggedAct]:
    """Return the next acts of both logs, the newest first.

    Args:
        books: A transaction in the books.
        people: A transaction in the book of people.
        wanted: Which acts.
        cursor: After which place; None from the newest on.
        limit: How many at the most.
    """
    found = [
        *_of_books(books, wanted, cursor, limit),
        *_of_people(people, wanted, cursor, limit),
    ]
    found.sort(key=lambda each: (each.at_s, each.source, each.number), reverse=True)
    return found[:limit]


def act_words(act: str, lang: Language) -> str:
    """Return an act in words, as far as there are words for it."""
    thing, _, verb = act.partition(".")
    keys = f"log.thing.{thing}", f"log.verb.{verb}"
    if all(lang.knows(key) for key in keys):
        return f"{lang.say(keys[0])}: {lang.say(keys[1])}"
    return act


def fact_lines(facts: Json) -> list[tuple[str, str]]:
    """Return what an act tells, name by name, for a list; names are those of the log."""
    if not isinstance(facts, dict):
        return []
    return [(name, _plain(value)) for name, value in facts.items() if value not in (None, "", {})]


def act_answer(act: LoggedAct, at: str) -> ActAnswer:
    """Return an act for programs."""
    return ActAnswer(
        act.source.value, act.number, at, act.who, act.act, act.subject, act.facts, act.hash
    )


def _of_books(
    session: Session, wanted: Wanted, cursor: Cursor | None, limit: int
) -> Iterator[LoggedAct]:
    if wanted.source is Source.PEOPLE:
        return
    rows = session.scalars(
        select(AuditRow)
        .where(
            *_conditions(wanted, AuditRow.at_s, AuditRow.officer, AuditRow.act, AuditRow.subject),
            _before(Source.BOOKS, cursor, AuditRow.at_s, AuditRow.id),
        )
        .order_by(AuditRow.at_s.desc(), AuditRow.id.desc())
        .limit(limit)
    )
    for row in rows:
        told = json.loads(row.body)
        facts = told["facts"] if isinstance(told["facts"], dict) else {}
        if told["before"]:
            facts = {**facts, "before": told["before"]}
        yield LoggedAct(
            Source.BOOKS, row.id, row.at_s, row.officer, row.act, row.subject, facts, row.hash
        )


def _of_people(
    session: Session, wanted: Wanted, cursor: Cursor | None, limit: int
) -> Iterator[LoggedAct]:
    if wanted.source is Source.BOOKS:
        return
    rows = session.scalars(
        select(ActRow)
        .where(
            *_conditions(wanted, ActRow.at_s, ActRow.account, ActRow.act, ActRow.subject),
            _before(Source.PEOPLE, cursor, ActRow.at_s, ActRow.id),
        )
        .order_by(ActRow.at_s.desc(), ActRow.id.desc())
        .limit(limit)
    )
    for row in rows:
        facts = json.loads(row.facts)
        yield LoggedAct(
            Source.PEOPLE, row.id, row.at_s, row.account, row.act, row.subject, facts, row.link
        )


def _conditions(
    wanted: Wanted,
    at_s: InstrumentedAttribute[int],
    who: InstrumentedAttribute[str],
    act: InstrumentedAttribute[str],
    subject: InstrumentedAttribute[str],
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.act:
        found.append(act.startswith(wanted.act, autoescape=True))
    if wanted.subject:
        found.append(subject.startswith(wanted.subject, autoescape=True))
    if wanted.who:
        found.append(who == wanted.who)
    if wanted.first is not None:
        found.append(at_s >= local_day(wanted.first)[0])
    if wanted.last is not None:
        found.append(at_s < local_day(wanted.last)[1])
    return found


def _before(
    source: Source,
    cursor: Cursor | None,
    at_s: InstrumentedAttribute[int],
    number: InstrumentedAttribute[int],
) -> ColumnElement[bool]:
    """Return what stands after a place in the list, in one of the logs."""
    if cursor is None:
        return true()
    if source == cursor.source:
        same: ColumnElement[bool] = number < cursor.number
    else:
        same = true() if source < cursor.source else false()
    return or_(at_s < cursor.at_s, and_(at_s == cursor.at_s, same))


def _plain(value: Json) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    return str(value)
