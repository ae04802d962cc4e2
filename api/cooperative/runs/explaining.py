"""How a line of a statement adds up: its quarters, its days, its euros and its cents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.runs.frozen import case_of
from api.cooperative.runs.frozen_days import FrozenDay, readings_of
from api.cooperative.runs.month import RunName
from api.cooperative.runs.states import run_of
from api.cooperative.runs.storing import Computation, computation_of, days_kept
from kwartier.interval import QUARTER_S, day_of, local_day
from kwartier.units import EpochS, Wh
from optimizer.month import MonthCase
from optimizer.settling.battery_month import settle_battery
from optimizer.settling.invoicing import Charge, PricedLine
from optimizer.settling.matrix_settlement import settle_matrix
from optimizer.settling.month_spans import (
    LocalDay,
    OwnedSpan,
    PriceBand,
    local_days,
    overlap,
    owned_spans,
    price_bands,
)


@dataclass(frozen=True, slots=True)
class DaySum:
    """One local day of a line.

    Attributes:
        day: Which.
        energy_wh: The sum of its quarters [Wh]; 0 of the fee.
        exact_eur: What that comes to at the price of each quarter, exactly.
        quarters: The quarters' own energy, by their start [s]; none of the fee.
    """

    day: date
    energy_wh: Wh
    exact_eur: Fraction
    quarters: tuple[tuple[EpochS, Wh], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a line adds up.

    Attributes:
        line: Its place on the statement, from 1.
        charge: What it is about.
        days: Day by day; each is the sum of its quarters.
        energy_wh: The line's energy, the sum of the days [Wh]; None for the fee.
        exact_eur: The line before rounding, the sum of the days.
        cents: What stands on the statement.
        community_exact_eur: All lines of its charge in the run before rounding.
        community_cents: All lines of its charge in cents: the rounded sum.
    """

    line: int
    charge: Charge
    days: tuple[DaySum, ...]
    energy_wh: Wh | None
    exact_eur: Fraction
    cents: int
    community_exact_eur: Fraction
    community_cents: int


def explain(desk: Desk, run: str, party: str, line: int) -> Explanation:
    """Return how a member's line adds up, from quarters to cents.

    Args:
        desk: The open books.
        run: The run, such as ``2026-07/1``.
        party: The member.
        line: The line's place on the statement, from 1.

    Raises:
        BooksError: There is no such line.
    """
    computation = computation_of(desk, run_of(desk, run))
    invoices = computation.invoices
    lines = () if party not in invoices else invoices[party].lines
    if not 0 < line <= len(lines):
        raise BooksError(
            f"run {run}: {party[:40]!r} has {len(lines)} lines: name one from 1 to {len(lines)}"
        )
    said = lines[line - 1]
    charge = said.priced.charge
    alike = [
        each
        for invoice in invoices.values()
        for each in invoice.lines
        if each.priced.charge is charge
    ]
    return Explanation(
        line,
        charge,
        tuple(_days(desk, computation, said.priced)),
        said.priced.energy_wh,
        said.priced.exact_eur,
        said.cents,
        sum((each.priced.exact_eur for each in alike), Fraction()),
        sum(each.cents for each in alike),
    )


def _days(desk: Desk, computation: Computation, line: PricedLine) -> Iterator[DaySum]:
    if line.charge is Charge.FEE:
        yield from _fee_days(_case(desk, computation), line)
    elif line.connection:
        case = _case(desk, computation, line.connection)
        columns = _columns(case, line)
        for day in days_kept(desk, computation.id, line.connection):
            summed = _energy_day(day, line, columns, case)
            if summed.quarters:
                yield summed
    else:
        yield from _delivery_days(_case(desk, computation), line)


def _case(desk: Desk, computation: Computation, connection: str | None = None) -> MonthCase:
    """Return the frozen case; with one connection's readings when it is about that one only."""
    month = RunName.parse(computation.run).month
    days = days_kept(desk, computation.id, connection)
    return case_of(computation.inputs, readings_of(days, month.start_s, month.end_s))


def _columns(case: MonthCase, line: PricedLine) -> set[int]:
    """Return the columns a line covers: owned by its member, while its tariff is in force."""
    owned = [
        span.columns
        for span in owned_spans(case.agreement, case.readings)
        if (span.connection, span.member) == (line.connection, line.member)
    ]
    return {
        column
        for band in _bands(case, line)
        for span in owned
        for column in overlap(span, band.columns)
    }


def _bands(case: MonthCase, line: PricedLine) -> list[PriceBand]:
    return [
        band for band in price_bands(case.tariffs, case.readings) if band.tariff.id == line.tariff
    ]


def _energy_day(day: FrozenDay, line: PricedLine, columns: set[int], case: MonthCase) -> DaySum:
    of_charge = {
        Charge.BUY: day.bought,
        Charge.LEVY: day.bought,
        Charge.SELL: day.sold,
        Charge.BATTERY: day.to_battery,
    }[line.charge]
    first_s = local_day(day.day)[0]
    quarters = tuple(
        (at_s, energy_wh)
        for at_s, energy_wh in zip(
            range(first_s, local_day(day.day)[1], QUARTER_S), of_charge, strict=True
        )
        if (at_s - case.start_s) // QUARTER_S in columns
    )
    return _summed(day.day, quarters, line)


def _summed(day: date, quarters: tuple[tuple[EpochS, Wh], ...], line: PricedLine) -> DaySum:
    energy_wh = sum(wh for _, wh in quarters)
    assert line.price_eur is not None, line
    return DaySum(day, energy_wh, Fraction(energy_wh, 1000) * line.price_eur, quarters)


def _fee_days(case: MonthCase, line: PricedLine) -> Iterator[DaySum]:
    """Yield each day on which the member owns a connection, with its part of the month's fee."""
    spans = owned_spans(case.agreement, case.readings)
    for band in _bands(case, line):
        for day in local_days(case.readings):
            if day.columns.start in band.columns and _owns(spans, line.member, day):
                part = band.terms.fee_eur * Fraction(1, day.of_days)
                yield DaySum(day.day, 0, part, ())


def _owns(spans: list[OwnedSpan], member: str, day: LocalDay) -> bool:
    return any(span.member == member and overlap(span.columns, day.columns) for span in spans)


def _delivery_days(case: MonthCase, line: PricedLine) -> Iterator[DaySum]:
    """Yield what the battery gave for the member by day, where owners carry it."""
    assert case.battery is not None, line
    allocation = settle_matrix(case.readings, case.agreement)
    spans = owned_spans(case.agreement, case.readings)
    tie = case.agreement.rules.tie
    _, deliveries = settle_battery(case.battery, case.readings, allocation, spans, tie)
    columns = {column for band in _bands(case, line) for column in band.columns}
    by_day: dict[date, list[tuple[EpochS, Wh]]] = {}
    for each in deliveries:
        given_wh = each.to_grid_wh if line.grid else each.to_members_wh
        if each.member == line.member and each.column in columns and given_wh:
            at_s = case.readings.quarter(each.column).start_s
            by_day.setdefault(day_of(at_s), []).append((at_s, given_wh))
    for day, quarters in sorted(by_day.items()):
        yield _summed(day, tuple(quarters), line)
