"""Statements for programs: money in cents and exactly as text, energy in Wh, times with offset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from api.cooperative.statement import Statement, StatementLine, StatementState
from api.pages.statement.day import LineQuarter
from api.pages.statement.line import FoundDay, FoundLine
from api.papers.shelf import Told
from api.people.questions import Question
from api.schemas import moment_time
from kwartier.units import Wh


@dataclass(frozen=True, slots=True)
class ToldAnswer:
    """One statement in the list; ``stands`` is false where a later one took its place."""

    month: str
    version: int
    state: StatementState
    to_pay_cents: int
    stands: bool


@dataclass(frozen=True, slots=True)
class StatementsAnswer:
    """A page of one's own statements, the newest first; ``next`` is where to go on, or null."""

    statements: tuple[ToldAnswer, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """A line; the price is exact text, amounts are without VAT."""

    number: int
    charge: str
    connection: str
    energy_wh: Wh | None
    days: int | None
    price_eur: str
    amount_cents: int
    tariff: str
    tariff_from: date
    tariff_decision: str
    key: str
    key_decision: str
    quarters: int
    estimated: int


@dataclass(frozen=True, slots=True)
class VatAnswer:
    """VAT of one code; the rate is an exact fraction such as ``21/100``."""

    code: str
    rate: str
    base_cents: int
    vat_cents: int
    earned: bool


@dataclass(frozen=True, slots=True)
class StatementAnswer:
    """A statement; ``to_pay_cents`` is below zero where the member is paid."""

    run: str
    run_hash: str
    state: StatementState
    first: date
    last: date
    to_pay_cents: int
    net_cents: int
    vat_cents: int
    earned_cents: int
    earned_vat_cents: int
    previous_cents: int | None
    delta_cents: int | None
    reason: str
    invoice_number: str
    purchase_number: str
    lines: tuple[LineAnswer, ...]
    vat: tuple[VatAnswer, ...]
    waivers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineDayAnswer:
    """A day of a line: the sum of its quarters."""

    day: date
    energy_wh: Wh
    exact_eur: str
    quarters: int


@dataclass(frozen=True, slots=True)
class LineWayAnswer:
    """How a line adds up.

    The community's sums are null where too few homes have such a line, and in a correction.
    """

    line: LineAnswer
    exact_eur: str
    rounding: str
    community_exact_eur: str | None
    community_cents: int | None
    days: tuple[LineDayAnswer, ...]


@dataclass(frozen=True, slots=True)
class LineQuarterAnswer:
    """A quarter of a line.

    The street's sums are null where too few homes took part, or an earlier version told others.
    """

    start: datetime
    energy_wh: Wh
    exact_eur: str
    own_wh: Wh | None
    quality: str
    community_supply_wh: Wh | None
    community_use_wh: Wh | None
    community_shared_wh: Wh | None


@dataclass(frozen=True, slots=True)
class LineQuartersAnswer:
    """A day of a line, quarter by quarter."""

    day: date
    energy_wh: Wh
    exact_eur: str
    price_eur: str
    quarters: tuple[LineQuarterAnswer, ...]


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """A question about a statement, and what was answered."""

    number: int
    place: str
    text: str
    asked: datetime
    answer_by: date
    answer: str | None
    answered: datetime | None


def told_answer(told: Told) -> ToldAnswer:
    """Return the answer for a statement in the list."""
    name = told.name
    return ToldAnswer(str(name.month), name.version, told.state, told.to_pay_cents, told.stands)


def statement_answer(said: Statement) -> StatementAnswer:
    """Return the answer for a statement."""
    correction = said.correction
    return StatementAnswer(
        said.run,
        said.run_hash,
        said.state,
        said.first,
        said.last,
        said.to_pay_cents,
        said.net_cents,
        said.vat_cents,
        said.earned_cents,
        said.earned_vat_cents,
        None if correction is None else correction.previous_cents,
        None if correction is None else correction.delta_cents,
        "" if correction is None else correction.reason,
        said.invoice_number,
        said.purchase_number,
        tuple(line_answer(number, line) for number, line in enumerate(said.lines, 1)),
        tuple(
            VatAnswer(
                part.code,
                f"{part.rate.numerator}/{part.rate.denominator}",
                part.base_cents,
                part.vat_cents,
                part.earned,
            )
            for part in said.vat
        ),
        said.waivers,
    )


def line_answer(number: int, line: StatementLine) -> LineAnswer:
    """Return the answer for a line."""
    return LineAnswer(
        number,
        line.charge.value,
        line.connection,
        line.energy_wh,
        line.days,
        line.price_eur,
        line.amount_cents,
        line.tariff,
        line.tariff_from,
        line.tariff_decision,
        line.key,
        line.key_decision,
        line.quarters,
        line.estimated,
    )


def way_answer(found: FoundLine) -> LineWayAnswer:
    """Return the answer for how a line adds up."""
    told = found.told
    return LineWayAnswer(
        line_answer(found.number, found.line),
        exact_text(told.exact_eur),
        found.rounding,
        exact_text(told.community_exact_eur) if found.together else None,
        told.community_cents if found.together else None,
        tuple(
            LineDayAnswer(day.day, day.energy_wh, exact_text(day.exact_eur), len(day.quarters))
            for day in told.days
        ),
    )


def day_answer(of: FoundDay) -> LineQuartersAnswer:
    """Return the answer for a day of a line."""
    return LineQuartersAnswer(
        of.summed.day,
        of.summed.energy_wh,
        exact_text(of.summed.exact_eur),
        of.found.line.price_eur,
        tuple(_quarter(each) for each in of.quarters),
    )


def question_answer(question: Question) -> QuestionAnswer:
    """Return the answer for a question."""
    answered_at_s = question.answered_at_s
    return QuestionAnswer(
        question.number,
        question.place,
        question.text,
        moment_time(question.asked_at_s),
        question.answer_by,
        question.answer or None,
        None if answered_at_s is None else moment_time(answered_at_s),
    )


def exact_text(amount: Fraction) -> str:
    """Return an amount as decimal text such as ``0.0315``, or as a fraction if that never ends."""
    decimals = next((n for n in range(13) if (amount * 10**n).denominator == 1), None)
    if decimals is None:
        return f"{amount.numerator}/{amount.denominator}"
    digits = f"{abs(amount * 10**decimals).numerator:0{decimals + 1}}"
    whole, rest = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return f"{'-' if amount < 0 else ''}{whole}{'.' if rest else ''}{rest}"


def _quarter(quarter: LineQuarter) -> LineQuarterAnswer:
    row = quarter.row if quarter.together else None
    return LineQuarterAnswer(
        moment_time(quarter.start_s),
        quarter.energy_wh,
        exact_text(quarter.exact_eur),
        quarter.own_wh,
        quarter.quality,
        None if row is None else row.community_supply_wh,
        None if row is None else row.community_use_wh,
        None if row is None else row.community_shared_wh,
    )
