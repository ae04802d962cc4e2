"""What the checks found in a run, in words: what, where, how much, and what mends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from api.cooperative.checks import Code, Finding, Severity, sentence
from api.cooperative.checks.sentences import LANGUAGES
from api.cooperative.database import Desk
from api.cooperative.runs import FoundInRun, Run
from api.cooperative.tables.runs import RunDayRow
from api.pages.language import Language
from api.schemas import moment_time, time_or_none
from kwartier.interval import QUARTER_S, day_of, local_day
from kwartier.units import EpochS

MOST_STRETCHES = 24
"""How many stretches of missing quarters a page tells."""


@dataclass(frozen=True, slots=True)
class FindingTold:
    """Something a check found.

    Attributes:
        key: What a waiver names.
        code: Which check, ``A1`` to ``A10``.
        kind: What of it, such as ``gap``.
        title: The check in a few words.
        severity: Whether it blocks by itself.
        connection: Whose quarter-hours; empty when it is not about one connection.
        member: Whose statement; empty when it is not about one member.
        effect_cents: How much money it may move, estimated.
        text: What was found, as a sentence.
        first: From when on to look; null without such a place.
        last: The start of the last quarter to look at; null likewise.
        stops: Whether the run cannot be proposed because of it.
        waived: Why somebody answers for it; empty while nobody does.
        waived_by: Who does; empty likewise.
    """

    key: str
    code: Code
    kind: str
    title: str
    severity: Severity
    connection: str
    member: str
    effect_cents: int
    text: str
    first: datetime | None
    last: datetime | None
    stops: bool
    waived: str
    waived_by: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Quarters in a row that nobody read, or that were estimated.

    Attributes:
        start_s: The first of them [s].
        end_s: The end of the last one [s].
        quarters: How many.
    """

    start_s: EpochS
    end_s: EpochS
    quarters: int


@dataclass(frozen=True, slots=True)
class Fix:
    """What mends a finding: commands of the office, and a page where it can be looked at."""

    commands: tuple[str, ...] = ()
    page: str = ""


FIXES: Mapping[Code, Fix] = {
    Code.MISSING: Fix(
        (
            "kwartier coop readings import FILE --apply --as OFFICER",
            "kwartier coop readings estimate --period MONTH --apply --as OFFICER",
        ),
        "/ops",
    ),
    Code.REGISTER: Fix(("kwartier coop meter swap …", "kwartier coop meter read …")),
    Code.LIMIT: Fix(page="/bestuur/leden"),
    Code.SIGN: Fix(page="/ops"),
    Code.LIKENESS: Fix(page="/ops"),
    Code.IN_FORCE: Fix(page="/bestuur/regels"),
    Code.MOVE: Fix(page="/bestuur/leden"),
}
"""What mends a finding, by its check; the others are a question to somebody."""


def told_of(found: FoundInRun, lang: Language) -> FindingTold:
    """Return a finding in a reader's language."""
    finding = found.finding
    return FindingTold(
        finding.key,
        finding.code,
        finding.kind,
        title_of(finding, lang),
        finding.severity,
        finding.connection,
        finding.member,
        finding.effect_cents,
        sentence(finding, lang.tag if lang.tag in LANGUAGES else "nl"),
        time_or_none(None if finding.first is None else finding.first.start_s),
        None if finding.last is None else moment_time(finding.last.start_s),
        found.stops,
        found.waived,
        found.waived_by,
    )


def title_of(finding: Finding, lang: Language) -> str:
    """Return what a check is about, in a few words."""
    own = f"runs.code.{finding.code}.{finding.kind}"
    return lang.say(own if lang.knows(own) else f"runs.code.{finding.code}")


def in_order(found: Iterable[FoundInRun]) -> list[FoundInRun]:
    """Return what stops a run first, then what is open, then what was answered for.

    Within each the largest effect in euro stands first.
    """
    return sorted(
        found,
        key=lambda each: (not each.stops, bool(each.waived), -each.finding.effect_cents),
    )


def found_by_key(found: Sequence[FoundInRun], key: str) -> FoundInRun | None:
    """Return one finding, or None."""
    return next((each for each in found if each.finding.key == key), None)


def stretches(desk: Desk, run: Run, finding: Finding) -> list[Stretch]:
    """Return where quarters of a finding are missing or estimated, bounded; [] for other checks."""
    if finding.code is not Code.MISSING:
        return []
    letter = "e" if finding.kind == "estimated" else "-"
    rows = desk.session.execute(
        select(RunDayRow.day, RunDayRow.taken_quality, RunDayRow.given_quality)
        .where(RunDayRow.computation == run.computation, RunDayRow.connection == finding.connection)
        .order_by(RunDayRow.day)
    )
    found: list[Stretch] = []
    for day, taken, given in rows:
        for start_s in _flagged(day, taken, given, letter):
            if found and found[-1].end_s == start_s:
                whole = found.pop()
                start, quarters = whole.start_s, whole.quarters + 1
            else:
                start, quarters = start_s, 1
            found.append(Stretch(start, start_s + QUARTER_S, quarters))
        if len(found) > MOST_STRETCHES:
            break
    return found[:MOST_STRETCHES]


def first_day(run: Run, finding: Finding) -> date:
    """Return the first day to look at."""
    return run.name.month.first if finding.first is None else day_of(finding.first.start_s)


def _flagged(day: date, taken: str, given: str, letter: str) -> list[EpochS]:
    first_s = local_day(day)[0]
    return [
        first_s + place * QUARTER_S
        for place, pair in enumerate(zip(taken, given, strict=True))
        if letter in pair
    ]
