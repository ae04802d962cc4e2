"""'Klopt dit niet?': a resident asks about a place on a statement, and the board answers.

Question and answer are sealed. Working days are Monday to Friday; holidays are not left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from api.people.acts import record
from api.people.book import PeopleDesk
from api.people.errors import PeopleError, UnknownError
from api.people.tables import QuestionRow
from kwartier.interval import day_of
from kwartier.units import EpochS

MOST_LETTERS = 2_000
"""The longest question or answer."""
MOST_OPEN = 20
"""The most questions of one account that may wait for an answer."""
WORKING_DAYS = 10
"""Within how many working days a question is answered."""
_PLACE = re.compile(
    r"20[0-9]{2}-[0-9]{2}/[0-9]{1,4}(/[0-9]{1,3}(/[0-9]{4}-[0-9]{2}-[0-9]{2}(/[0-9]{2}:[0-9]{2}(-2)?)?)?)?",
    re.ASCII,
)
"""A statement, a line of it, a day of that, a quarter of that."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its answer, opened.

    Attributes:
        number: Its number, which the person was told.
        account: Who asked.
        party: Whose statement it is about.
        place: What it is about: a statement, line, day or quarter, such as ``2026-10/1/2``.
        text: What was asked.
        asked_at_s: When [s].
        answer_by: The day by which it is answered.
        answer: The answer; empty as long as there is none.
        answered_at_s: When it was answered [s]; None as long as it was not.
    """

    number: int
    account: str
    party: str
    place: str
    text: str
    asked_at_s: EpochS
    answer_by: date
    answer: str
    answered_at_s: EpochS | None


def ask(desk: PeopleDesk, account: str, party: str, place: str, text: str) -> Question:
    """Keep a question and return it with its number and the day of its answer.

    Raises:
        PeopleError: The text is empty or too long, or too many questions wait already.
    """
    assert _PLACE.fullmatch(place), place
    said = _checked(text, "the question")
    waiting = desk.session.scalar(
        select(func.count())
        .select_from(QuestionRow)
        .where(QuestionRow.account == account, QuestionRow.answered_at_s.is_(None))
    )
    if (waiting or 0) >= MOST_OPEN:
        raise PeopleError(f"{waiting} questions wait for an answer: call us, or wait for one")
    row = QuestionRow(
        account=account,
        party=party,
        place=place,
        text=desk.keys.seal(said),
        asked_at_s=desk.at_s,
        answer_by=working_days_later(day_of(desk.at_s), WORKING_DAYS),
        answer=desk.keys.seal(""),
        answered_at_s=None,
        answered_by="",
    )
    desk.session.add(row)
    desk.session.flush()
    record(desk, account, "question.ask", str(row.id), {"place": place})
    return _opened(desk, row)


def answer(desk: PeopleDesk, by: str, number: int, text: str) -> Question:
    """Keep the answer to a question; an answer that is there is not changed any more.

    Raises:
        UnknownError: There is no such question.
        PeopleError: The text is empty or too long, or the question was answered.
    """
    row = desk.session.get(QuestionRow, number)
    if row is None:
        raise UnknownError(f"question {number}: there is none")
    if row.answered_at_s is not None:
        raise PeopleError(f"question {number} was answered already: call the resident instead")
    row.answer = desk.keys.seal(_checked(text, "the answer"))
    row.answered_at_s = desk.at_s
    row.answered_by = by
    desk.session.flush()
    record(desk, by, "question.answer", str(number), {"place": row.place})
    return _opened(desk, row)


def questions_of(desk: PeopleDesk, account: str) -> list[Question]:
    """Return what somebody asked, the newest first."""
    rows = desk.session.scalars(
        select(QuestionRow).where(QuestionRow.account == account).order_by(QuestionRow.id.desc())
    )
    return _all(desk, rows)


def waiting_questions(desk: PeopleDesk) -> list[Question]:
    """Return every question without an answer, the oldest first."""
    rows = desk.session.scalars(
        select(QuestionRow)
        .where(QuestionRow.answered_at_s.is_(None))
        .order_by(QuestionRow.asked_at_s, QuestionRow.id)
    )
    return _all(desk, rows)


def answered_questions(desk: PeopleDesk, limit: int = 50) -> list[Question]:
    """Return the questions that were answered, the newest answer first."""
    rows = desk.session.scalars(
        select(QuestionRow)
        .where(QuestionRow.answered_at_s.is_not(None))
        .order_by(QuestionRow.answered_at_s.desc(), QuestionRow.id.desc())
        .limit(limit)
    )
    return _all(desk, rows)


def is_place(text: str) -> bool:
    """Return whether a text has the form of a place on a statement."""
    return _PLACE.fullmatch(text) is not None


def working_days_later(day: date, count: int) -> date:
    """Return the day some working days later, Monday to Friday."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def _checked(text: str, what: str) -> str:
    said = text.replace("\r\n", "\n").strip()
    if not said:
        raise PeopleError(f"{what} is empty: write a sentence")
    if len(said) > MOST_LETTERS:
        raise PeopleError(f"{what} has {len(said)} letters: use at most {MOST_LETTERS}")
    return said


def _all(desk: PeopleDesk, rows: Iterable[QuestionRow]) -> list[Question]:
    return [_opened(desk, row) for row in rows]


def _opened(desk: PeopleDesk, row: QuestionRow) -> Question:
    return Question(
        row.id,
        row.account,
        row.party,
        row.place,
        desk.keys.open(row.text),
        row.asked_at_s,
        row.answer_by,
        desk.keys.open(row.answer),
        row.answered_at_s,
    )
