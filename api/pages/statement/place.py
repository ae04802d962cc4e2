"""A place on a statement that a question is about: checked, and in words."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus

from api.cooperative.runs.month import Month
from api.house import House
from api.pages.language import Language
from api.pages.statement.day import chosen_quarter, quarter_word
from api.pages.statement.front import office_of
from api.pages.statement.line import find_day, find_line
from api.pages.statement.list import own_statement
from api.people.questions import is_place
from api.people.visitor import Visitor
from api.problems import RefusedError
from kwartier.interval import quarters_of_day


def place_of(house: House, visitor: Visitor, asked: str) -> str:
    """Return a place on one of the visitor's own statements.

    Raises:
        RefusedError: There is none, or it is somebody else's.
    """
    nowhere = RefusedError(HTTPStatus.NOT_FOUND, "there is no such place on a statement of yours")
    if not is_place(asked):
        raise nowhere
    month, version, *inner = asked.split("/")
    office = office_of(house)
    with office.reading() as desk:
        run, said = own_statement(house, desk, office, visitor, month, int(version))
        if not inner:
            return asked
        found = find_line(house, desk, run, said, int(inner[0]))
        if len(inner) == 1:
            return asked
        try:
            day = date.fromisoformat(inner[1])
        except ValueError:
            raise nowhere from None
        of_day = find_day(house, desk, found, day)
        if len(inner) == 3 and chosen_quarter(of_day.quarters, inner[2]) is None:
            raise nowhere
    return asked


def place_words(place: str, lang: Language) -> str:
    """Return a place in words, such as "october 2026, line 2, monday 5 october, 12:15"."""
    month, version, *inner = place.split("/")
    told = [
        lang.say(
            "statement.place", period=lang.month_name(Month.parse(month).first), version=version
        )
    ]
    if inner:
        told.append(lang.say("statement.place.line", number=inner[0]))
    if len(inner) > 1:
        told.append(lang.day_name(date.fromisoformat(inner[1])))
    if len(inner) > 2:
        starts = [quarter.start_s for quarter in quarters_of_day(date.fromisoformat(inner[1]))]
        told += [lang.quarter_name(at_s) for at_s in starts if quarter_word(at_s) == inner[2]]
    return ", ".join(told)
