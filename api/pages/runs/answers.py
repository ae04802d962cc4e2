"""What programs read of the board's settlements: cents and Wh as whole numbers, and hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date

from api.cooperative.database import Desk
from api.cooperative.runs import Run
from api.cooperative.runs.waiving import found_of
from api.cooperative.statement import Statement
from api.pages.language import Language
from api.pages.runs.compare import Comparison, DayChange, LineChange
from api.pages.runs.findings import FindingTold, in_order, told_of
from api.pages.runs.member import MemberSight
from api.pages.runs.members import Chosen, MemberLine, member_lines, member_page
from api.pages.runs.open import OpenMonth, OpenMonths
from api.pages.runs.seen import RunLine, StepTold, listed, seen_of, told
from api.pages.runs.shelf import Shelf
from api.people.visitor import Visitor
from kwartier.units import Wh


@dataclass(frozen=True, slots=True)
class RunsAnswer:
    """Settlements, the newest first, and months that can be computed now.

    ``following`` names the month before which to ask on; null at the end.
    """

    runs: tuple[RunLine, ...]
    open_months: tuple[OpenMonth, ...]
    following: str | None


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """A settlement: where it stands, its totals, hashes, steps and a page of its members."""

    run: RunLine
    reason: str
    decision: str
    status: str | None
    computation: int | None
    input_hash: str | None
    result_hash: str | None
    code_version: str | None
    adds_up: bool
    totals: Mapping[str, int]
    steps: tuple[StepTold, ...]
    members: tuple[MemberLine, ...]
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class FindingsAnswer:
    """What the checks found: what stops the run first, each with its effect in cents."""

    run: str
    found: int
    findings: tuple[FindingTold, ...]


@dataclass(frozen=True, slots=True)
class MemberDiffAnswer:
    """A member in two settlements."""

    member: str
    before_cents: int | None
    after_cents: int | None
    delta_cents: int
    lines: tuple[LineChange, ...]


@dataclass(frozen=True, slots=True)
class TotalAnswer:
    """A total in two settlements, cents or Wh as its name says."""

    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class ComparisonAnswer:
    """Two settlements beside each other."""

    run: str
    other: str
    why: tuple[str, ...]
    totals: tuple[TotalAnswer, ...]
    changed: int
    members: tuple[MemberDiffAnswer, ...]
    days: tuple[DayChange, ...]


@dataclass(frozen=True, slots=True)
class StatementLineAnswer:
    """A line of a member's statement."""

    number: int
    charge: str
    connection: str
    energy_wh: Wh | None
    days: int | None
    price_eur: str
    amount_cents: int
    tariff: str
    tariff_from: date
    key: str
    quarters: int
    estimated: int


@dataclass(frozen=True, slots=True)
class MemberAnswer:
    """A member's statement in a settlement, as the member reads it."""

    run: str
    run_hash: str
    member: str
    state: str
    first: date
    last: date
    homes: tuple[str, ...]
    lines: tuple[StatementLineAnswer, ...]
    net_cents: int
    vat_cents: int
    earned_cents: int
    earned_vat_cents: int
    to_pay_cents: int
    invoice_number: str
    purchase_number: str
    waivers: tuple[str, ...]


def runs_answer(
    desk: Desk, shelf: Shelf, months: OpenMonths, visitor: Visitor, limit: int, before: str
) -> RunsAnswer:
    """Return the list of settlements."""
    lines = listed(desk, shelf, visitor, limit, before)
    first = min((line.month for line in lines), default="")
    more = bool(first) and bool(listed(desk, shelf, visitor, 1, first))
    return RunsAnswer(
        tuple(lines),
        () if before else tuple(months.months(desk)),
        first if more else None,
    )


def run_answer(
    desk: Desk, shelf: Shelf, run: Run, visitor: Visitor, chosen: Chosen, limit: int
) -> RunAnswer:
    """Return a settlement."""
    seen = seen_of(desk, shelf, run, visitor)
    known = seen.reckoned
    lines = [] if known is None else member_lines(desk, shelf, run, known, seen.found)
    page = member_page(lines, chosen, limit)
    return RunAnswer(
        seen.line,
        run.reason,
        run.decision,
        None if known is None else known.status,
        None if known is None else known.number,
        None if known is None else known.input_hash,
        None if known is None else known.result_hash,
        None if known is None else known.code_version,
        seen.adds_up,
        {} if known is None else known.totals,
        tuple(map(told, run.steps)),
        page.lines,
        page.page,
        page.pages,
    )


def findings_answer(desk: Desk, run: Run, lang: Language, skip: int, limit: int) -> FindingsAnswer:
    """Return what the checks found."""
    computed = any(step.computation is not None for step in run.steps)
    found = in_order(found_of(desk, run)) if computed else []
    page = tuple(told_of(each, lang) for each in found[skip : skip + limit])
    return FindingsAnswer(run.id, len(found), page)


def comparison_answer(both: Comparison) -> ComparisonAnswer:
    """Return two settlements beside each other."""
    return ComparisonAnswer(
        both.run,
        both.other,
        both.why,
        tuple(TotalAnswer(name, *pair) for name, pair in both.totals.items()),
        both.changed,
        tuple(
            MemberDiffAnswer(
                each.member, each.before_cents, each.after_cents, each.delta_cents, each.lines
            )
            for each in both.members
        ),
        both.days,
    )


def member_answer(sight: MemberSight) -> MemberAnswer:
    """Return a member's statement."""
    said = sight.shown["statement"]
    assert isinstance(said, Statement)
    lines = []
    for number, line in enumerate(said.lines, 1):
        known = {name: value for name, value in asdict(line).items() if name in _LINE}
        lines.append(StatementLineAnswer(number, **known))
    return MemberAnswer(
        said.run,
        said.run_hash,
        said.party.id,
        said.state.value,
        said.first,
        said.last,
        tuple(home for home, _, _ in sight.homes),
        tuple(lines),
        said.net_cents,
        said.vat_cents,
        said.earned_cents,
        said.earned_vat_cents,
        said.to_pay_cents,
        said.invoice_number,
        said.purchase_number,
        said.waivers,
    )


_LINE = frozenset(StatementLineAnswer.__dataclass_fields__) - {"number"}
