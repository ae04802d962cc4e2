"""The values of the page of one statement, for a resident and for the board that looks along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from http import HTTPStatus

from api.cooperative.database import Desk
from api.cooperative.papers import letter
from api.cooperative.papers.legal import EARNED
from api.cooperative.papers.wording import wording
from api.cooperative.runs.states import Run
from api.cooperative.statement import Statement, StatementLine, StatementState, VatLine
from api.house import House
from api.office import Office
from api.pages.language import Language
from api.problems import RefusedError

FRONT = "/afrekening"
"""Where a member finds the own statements."""


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line as it stands on the page.

    Attributes:
        number: Its place on the statement, from 1.
        line: What it says.
        name: What it is about, in words.
        formula: How its amount comes about, energy or days, and a price.
        span: From when or until when its tariff holds within the month; empty for all of it.
        quality: How many of its quarters were estimated, in words; empty for the fee.
        estimated: Whether any of them was.
    """

    number: int
    line: StatementLine
    name: str
    formula: str
    span: str
    quality: str
    estimated: bool


@dataclass(frozen=True, slots=True)
class ShownSide:
    """What the member pays, or what the member earned.

    Attributes:
        earned: Which of the two.
        title: The same in words.
        lines: Its lines; their cents add up to ``net_cents``.
        net_cents: Without VAT.
        vat: VAT by code.
        gross_cents: With VAT.
    """

    earned: bool
    title: str
    lines: tuple[ShownLine, ...]
    net_cents: int
    vat: tuple[VatLine, ...]
    gross_cents: int


def statement_values(
    house: House, party: str, month: str, version: int, lang: Language
) -> dict[str, object]:
    """Return everything that ``statement.html`` and ``statement_body.html`` ask for.

    Whether the reader may see it was decided before. For a reader who is not the member, set
    ``base`` (below which lines are found) and ``front`` (below which runs are found) to other
    addresses, or to nothing for no links.

    Args:
        house: The house.
        party: Whose statement, by id in the books.
        month: The month, such as ``2026-10``.
        version: The run's version, from 1.
        lang: The reader's language.

    Raises:
        RefusedError: There are no books, or there is no such statement.
    """
    office = office_of(house)
    with office.reading() as desk:
        run = house.shelf.any_run(desk, month, version, party)
        if run is None:
            raise no_statement(month, version)
        return values_of(house, desk, office, run, party, lang)


def values_of(
    house: House, desk: Desk, office: Office, run: Run, party: str, lang: Language
) -> dict[str, object]:
    """Return the values of a statement that was found."""
    said = house.shelf.statement(desk, office.settings, run, party)
    words = wording(lang.tag)
    newer = [told for told in house.shelf.list(desk, party) if told.name.month == run.name.month]
    return {
        "statement": said,
        "run": run.id,
        "month": str(run.name.month),
        "edition": run.name.version,
        "front": FRONT,
        "base": f"{FRONT}/{run.id}",
        "period": lang.month_name(said.first),
        "verdict": verdict(said.state, said.to_pay_cents, lang),
        "difference": difference(said, lang),
        "payment": letter.payment_sentences(words, said),
        "warnings": letter.warning_sentences(words, said),
        "sides": sides_of(said, lang),
        "total_cents": abs(said.to_pay_cents),
        "total_word": total_word(said.to_pay_cents, lang),
        "estimated": sum(day.estimated for part in said.connections for day in part.days),
        "missing": sum(day.missing for part in said.connections for day in part.days),
        "replaced_by": next((t.name for t in newer if t.name > run.name and t.stands), None),
        "later": next((t.name for t in newer if t.name > run.name), None),
        "price": lambda text: lang.exact_euro(Fraction(text)),
        "percent": words.percent,
        "phone": office.settings.phone,
    }


def office_of(house: House) -> Office:
    """Return the cooperative's office, or refuse where no books are kept."""
    if house.office is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, "no books are kept here, so there are no papers")
    return house.office


def no_statement(month: str, version: int) -> RefusedError:
    """Return the refusal of a statement that is not there, or not for this reader."""
    return RefusedError(
        HTTPStatus.NOT_FOUND, f"there is no statement {month[:10]}/{version} for you here"
    )


def verdict(state: StatementState, to_pay_cents: int, lang: Language) -> str:
    """Return state and total, such as "final, you get € 6.14"."""
    return lang.say(
        f"statement.verdict.{_way(to_pay_cents)}",
        state=lang.say(f"statement.state.{state}"),
        amount=lang.cents(abs(to_pay_cents)),
    )


def total_word(to_pay_cents: int, lang: Language) -> str:
    """Return what stands before the total."""
    return lang.say(f"statement.total.{_way(to_pay_cents)}")


def difference(said: Statement, lang: Language) -> str:
    """Return what a correction changed, in one sentence; nothing for any other statement."""
    if said.correction is None:
        return ""
    cents = said.correction.delta_cents
    if cents == 0:
        return lang.say("statement.difference.none")
    gets = said.to_pay_cents < 0
    more = (cents < 0) if gets else (cents > 0)
    key = f"statement.difference.{'get' if gets else 'pay'}.{'more' if more else 'less'}"
    return lang.say(key, amount=lang.cents(abs(cents)))


def sides_of(said: Statement, lang: Language) -> list[ShownSide]:
    """Return both sides, each with its lines, its VAT and its sums; an empty one is left out."""
    shown = [shown_line(said, number, lang) for number in range(1, len(said.lines) + 1)]
    sides = [
        _side(
            said, shown, lang, earned=False, cents=(said.net_cents, said.net_cents + said.vat_cents)
        ),
        _side(
            said,
            shown,
            lang,
            earned=True,
            cents=(said.earned_cents, said.earned_cents + said.earned_vat_cents),
        ),
    ]
    return [side for side in sides if side.lines]


def shown_line(said: Statement, number: int, lang: Language) -> ShownLine:
    """Return a line as it stands on the page."""
    line = said.lines[number - 1]
    return ShownLine(
        number,
        line,
        lang.say(f"statement.charge.{line.charge}"),
        formula_of(line, lang),
        _span(said, line, lang),
        _quality(line, lang),
        line.estimated > 0,
    )


def formula_of(line: StatementLine, lang: Language) -> str:
    """Return how much times which price."""
    price = lang.exact_euro(Fraction(line.price_eur))
    if line.energy_wh is None:
        days = lang.count("statement.days", line.days or 0)
        return lang.say("statement.formula.fee", days=days, price=price)
    return lang.say("statement.formula.energy", kwh=lang.kwh(line.energy_wh, 3), price=price)


def _span(said: Statement, line: StatementLine, lang: Language) -> str:
    """Return from when or until when a line's tariff holds, where the month has several."""
    later = [
        each.tariff_from
        for each in said.lines
        if (each.charge, each.connection) == (line.charge, line.connection)
        and each.tariff_from > line.tariff_from
    ]
    told = []
    if line.tariff_from > said.first:
        told.append(lang.say("statement.from", day=lang.short_date(line.tariff_from)))
    if later:
        told.append(lang.say("statement.until", day=lang.short_date(min(later))))
    return " ".join(told)


def _side(
    said: Statement,
    shown: Sequence[ShownLine],
    lang: Language,
    *,
    earned: bool,
    cents: tuple[int, int],
) -> ShownSide:
    return ShownSide(
        earned,
        lang.say("statement.side.earned" if earned else "statement.side.owed"),
        tuple(each for each in shown if (each.line.charge in EARNED) == earned),
        cents[0],
        tuple(each for each in said.vat if each.earned == earned),
        cents[1],
    )


def _quality(line: StatementLine, lang: Language) -> str:
    if not line.quarters:
        return ""
    if not line.estimated:
        return lang.say("statement.quality.measured")
    return lang.count("statement.estimated", line.estimated)


def _way(to_pay_cents: int) -> str:
    """Return whether somebody pays, gets, or neither."""
    return "none" if to_pay_cents == 0 else "get" if to_pay_cents < 0 else "pay"
