"""How one line of a statement came about: its price, its key, its cents, its days, its quarters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from http import HTTPStatus

from api.cooperative.database import Desk
from api.cooperative.runs.explaining import DaySum, Explanation
from api.cooperative.runs.states import Run
from api.cooperative.statement import Statement, StatementLine
from api.house import House
from api.pages.language import Language
from api.pages.statement.curve import curve_of_quarters
from api.pages.statement.day import (
    LineQuarter,
    chosen_quarter,
    line_quarters,
    meter_behind,
)
from api.pages.statement.front import FRONT, shown_line
from api.problems import RefusedError
from collectors.disclosure import MIN_HOMES
from kwartier.interval import QUARTER_S


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line that somebody may look at.

    Attributes:
        run: The run.
        statement: Whose statement.
        number: The line's place, from 1.
        line: What it says.
        told: How it adds up.
        homes: How many homes have a line of its charge.
    """

    run: Run
    statement: Statement
    number: int
    line: StatementLine
    told: Explanation
    homes: int

    @property
    def address(self) -> str:
        """Where the member finds it."""
        return f"{FRONT}/{self.run.id}/{self.number}"

    @property
    def together(self) -> bool:
        """Whether their sum may be told: enough homes have such a line, and it is the first one.

        Beside an earlier version's sum, a correction's would show what one home's was off.
        """
        return self.homes >= MIN_HOMES and self.run.corrects is None

    @property
    def rounding(self) -> str:
        """How its cents came about: ``exact``, ``nearest``, or ``shared`` with all members."""
        off = abs(self.told.cents - self.told.exact_eur * 100)
        return "exact" if off == 0 else "nearest" if off <= Fraction(1, 2) else "shared"


@dataclass(frozen=True, slots=True)
class FoundDay:
    """One day of a line: together its quarters are the day."""

    found: FoundLine
    summed: DaySum
    quarters: Sequence[LineQuarter]


def find_line(house: House, desk: Desk, run: Run, statement: Statement, number: int) -> FoundLine:
    """Return a line of a statement.

    Raises:
        RefusedError: There is no such line.
    """
    if not 0 < number <= len(statement.lines):
        raise RefusedError(HTTPStatus.NOT_FOUND, f"statement {run.id} has no line {number}")
    told = house.shelf.explanation(desk, run, statement.party.id, number)
    line = statement.lines[number - 1]
    homes = house.shelf.homes_with(desk, run, told.charge)
    return FoundLine(run, statement, number, line, told, homes)


def find_day(house: House, desk: Desk, found: FoundLine, day: date) -> FoundDay:
    """Return a day of a line, quarter by quarter.

    Raises:
        RefusedError: The line has no quarters on that day.
    """
    summed = next((each for each in found.told.days if each.day == day and each.quarters), None)
    if summed is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"line {found.number} has no quarters on {day}")
    quarters = line_quarters(house, desk, found.run, found.line, found.told, summed)
    return FoundDay(found, summed, quarters)


def line_values(house: House, desk: Desk, found: FoundLine, lang: Language) -> dict[str, object]:
    """Return everything that ``statement_line.html`` asks for."""
    return {
        **_frame(house, desk, found, lang),
        "days": found.told.days,
        "exact_eur": found.told.exact_eur,
        "energy_wh": found.told.energy_wh,
        "community_eur": found.told.community_exact_eur if found.together else None,
        "community_cents": found.told.community_cents,
        "rounding": found.rounding,
    }


def day_values(
    house: House, desk: Desk, of: FoundDay, asked: str, lang: Language
) -> dict[str, object]:
    """Return everything that ``statement_day.html`` asks for.

    Args:
        house: The house.
        desk: The open books.
        of: The day.
        asked: The quarter in the address, such as ``12:15``; empty for the largest.
        lang: The reader's language.

    Raises:
        RefusedError: There is no such quarter in the line on that day.
    """
    place = chosen_quarter(of.quarters, asked)
    if place is None:
        raise RefusedError(
            HTTPStatus.NOT_FOUND, f"{of.summed.day} has no quarter {asked[:10]!r} in this line"
        )
    found, quarter = of.found, of.quarters[place]
    days = [each.day for each in found.told.days if each.quarters]
    at = days.index(of.summed.day)
    return {
        **_frame(house, desk, found, lang),
        "day": of.summed,
        "quarters": of.quarters,
        "quarter": quarter,
        "quarter_end_s": quarter.start_s + QUARTER_S,
        "previous": of.quarters[place - 1] if place else None,
        "next": of.quarters[place + 1] if place + 1 < len(of.quarters) else None,
        "day_before": days[at - 1] if at else None,
        "day_after": days[at + 1] if at + 1 < len(days) else None,
        "meter": meter_behind(house, desk, found.line, found.told, quarter)
        if found.line.connection
        else None,
        "curve": curve_of_quarters(of.summed.day, of.quarters, place),
    }


def key_sentence(house: House, desk: Desk, run: Run, keys: str, lang: Language) -> str:
    """Return what the keys of a line say, one sentence each; nothing for the fee."""
    terms = house.shelf.terms(desk, run)
    kinds = dict.fromkeys(terms.kind(name) for name in keys.split("+") if name)
    return " ".join(lang.say(f"statement.key.{kind}") for kind in kinds)


def _frame(house: House, desk: Desk, found: FoundLine, lang: Language) -> dict[str, object]:
    return {
        "run": found.run.id,
        "base": f"{FRONT}/{found.run.id}",
        "address": found.address,
        "statement": found.statement,
        "shown": shown_line(found.statement, found.number, lang),
        "line": found.line,
        "charge": found.told.charge.value,
        "period": lang.month_name(found.statement.first),
        "price": Fraction(found.line.price_eur),
        "key": key_sentence(house, desk, found.run, found.line.key, lang),
        "key_of": lambda name: key_sentence(house, desk, found.run, name, lang),
    }
