"""Two runs beside each other: which member, which line, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from api.cooperative.database import Desk
from api.cooperative.runs import Run
from api.cooperative.runs.comparing import MemberChange, diff_of, pair_of
from api.cooperative.runs.frozen_days import BATTERY_ROW
from api.cooperative.runs.storing import Computation, computation_of
from api.cooperative.tables.runs import RunDayRow
from api.pages.language import Language
from kwartier.units import Wh
from kwartier.wire import Json
from optimizer.settling.invoicing import MemberInvoice

MOST_MEMBERS = 25
"""How many members a page compares line by line."""
MOST_DAYS = 60
"""How many changed days are told."""
_SIDE = tuple[int | None, Wh | None, str]
_WHY = (
    "readings",
    "keys",
    "tariffs",
    "ownership",
    "vat_status",
    "vat_codes",
    "sell_vat",
    "battery",
    "code_version",
)
"""What decides a month, as it is frozen; the period itself is another matter."""


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line of a member in two runs; null where it is not in one.

    Attributes:
        charge: What it is about.
        connection: Whose energy; empty for the fee.
        tariff: The tariff version's id; empty when two months are compared.
        before_cents: What it came to.
        after_cents: What it comes to.
        before_wh: Energy of it [Wh].
        after_wh: Energy of it [Wh].
        before_price: Its price as exact text; several with ``+`` between.
        after_price: Its price likewise.
    """

    charge: str
    connection: str
    tariff: str
    before_cents: int | None
    after_cents: int | None
    before_wh: Wh | None
    after_wh: Wh | None
    before_price: str
    after_price: str


@dataclass(frozen=True, slots=True)
class DayChange:
    """A day of a home that was read otherwise [Wh], or with other gaps or estimates."""

    connection: str
    day: date
    before_use_wh: Wh
    after_use_wh: Wh
    before_export_wh: Wh
    after_export_wh: Wh


@dataclass(frozen=True, slots=True)
class MemberDiff:
    """One member in two runs: the amount, and the lines that differ."""

    member: str
    before_cents: int | None
    after_cents: int | None
    delta_cents: int
    lines: tuple[LineChange, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs beside each other.

    Attributes:
        run: The one.
        other: What it is compared with.
        why: What differs of what decides a month, such as ``readings``.
        totals: By name, such as ``to_pay_cents``: before and after.
        members: Members whose lines differ, the largest change first; bounded.
        changed: How many members' amounts differ.
        days: Days that were read otherwise, when both runs are of one month; bounded.
    """

    run: str
    other: str
    why: tuple[str, ...]
    totals: Mapping[str, tuple[int, int]]
    members: tuple[MemberDiff, ...]
    changed: int
    days: tuple[DayChange, ...]


def compared(desk: Desk, run: str, other: str | None) -> Comparison:
    """Return what is different from another run: by default what it corrects, or the month before.

    Raises:
        BooksError: There is nothing to compare with.
    """
    after_run, before_run = pair_of(desk, run, other)
    after, before = computation_of(desk, after_run), computation_of(desk, before_run)
    diff = diff_of(after_run, before_run, after, before)
    one_month = after_run.name.month == before_run.name.month
    members = [
        _member(each, before.invoices, after.invoices, one_month=one_month)
        for each in diff.changes[: MOST_MEMBERS * 2]
    ]
    return Comparison(
        diff.run,
        diff.other,
        tuple(_why(before, after)) if one_month else (),
        diff.totals,
        tuple(each for each in members if each.lines)[:MOST_MEMBERS],
        sum(bool(each.delta_cents) for each in diff.changes),
        tuple(_days(desk, before_run, after_run)) if one_month else (),
    )


def comparable(known: Iterable[Run], run: Run) -> list[str]:
    """Return the names of runs that one can be compared with, the nearest first."""
    found = [
        each.name
        for each in known
        if each.id != run.id and any(step.computation is not None for step in each.steps)
    ]
    return [str(name) for name in sorted(found, reverse=True)]


def prices_in(lang: Language) -> Callable[[str], str]:
    """Return what writes exact prices for people; several stand with a + between."""

    def written(text: str) -> str:
        return " + ".join(lang.exact_euro(Fraction(part)) for part in text.split("+") if part)

    return written


def _member(
    change: MemberChange,
    before: Mapping[str, MemberInvoice],
    after: Mapping[str, MemberInvoice],
    *,
    one_month: bool,
) -> MemberDiff:
    name = change.member
    old = _lines(before.get(name), one_month=one_month)
    new = _lines(after.get(name), one_month=one_month)
    nothing: _SIDE = (None, None, "")
    lines = []
    for place in sorted({*old, *new}):
        was, now = old.get(place, nothing), new.get(place, nothing)
        if was != now:
            lines.append(LineChange(*place, was[0], now[0], was[1], now[1], was[2], now[2]))
    return MemberDiff(
        name, change.before_cents, change.after_cents, change.delta_cents, tuple(lines)
    )


def _lines(invoice: MemberInvoice | None, *, one_month: bool) -> dict[tuple[str, str, str], _SIDE]:
    """Return lines by charge, connection and, within one month, tariff."""
    found: dict[tuple[str, str, str], _SIDE] = {}
    for line in () if invoice is None else invoice.lines:
        priced = line.priced
        place = (priced.charge.value, priced.connection, priced.tariff if one_month else "")
        cents, energy_wh, price = found.get(place, (0, None, ""))
        prices = dict.fromkeys([*filter(None, price.split("+")), *filter(None, [line.price_text])])
        more_wh = priced.energy_wh
        found[place] = (
            (cents or 0) + line.cents,
            energy_wh if more_wh is None else (energy_wh or 0) + more_wh,
            "+".join(prices),
        )
    return found


def _why(before: Computation, after: Computation) -> list[str]:
    def of(side: Computation, name: str) -> Json:
        told = side.inputs.get(name)
        # Versions of readings that say the same are no other readings.
        return told.get("hash") if name == "readings" and isinstance(told, dict) else told

    return [name for name in _WHY if of(before, name) != of(after, name)]


def _days(desk: Desk, before: Run, after: Run) -> list[DayChange]:
    old, new = aliased(RunDayRow), aliased(RunDayRow)
    rows = desk.session.execute(
        select(new.connection, new.day, old.taken_wh, new.taken_wh, old.given_wh, new.given_wh)
        .join(old, and_(old.connection == new.connection, old.day == new.day))
        .where(
            old.computation == before.computation,
            new.computation == after.computation,
            new.connection != BATTERY_ROW,
            or_(
                old.taken_wh != new.taken_wh,
                old.given_wh != new.given_wh,
                old.taken_quality != new.taken_quality,
                old.given_quality != new.given_quality,
            ),
        )
        .order_by(new.connection, new.day)
        .limit(MOST_DAYS)
    )
    return [DayChange(*row) for row in rows]
