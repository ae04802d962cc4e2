"""The energy behind statements: members' connections in the month, day by day."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select

from api.cooperative.database import Desk
from api.cooperative.readings import meters_within
from api.cooperative.registry import connections, suppliers_of
from api.cooperative.runs.frozen import owners_of
from api.cooperative.runs.frozen_days import BATTERY_ROW, ESTIMATED, MISSING
from api.cooperative.runs.states import Run
from api.cooperative.runs.storing import Computation
from api.cooperative.statement import ConnectionPart, DayPart
from api.cooperative.tables.runs import RunDayRow
from kwartier.interval import day_of


def energy_parts(
    desk: Desk, run: Run, computation: Computation, members: Collection[str]
) -> dict[str, tuple[ConnectionPart, ...]]:
    """Return members' connections as far as they owned them in the month of one run."""
    owned = [each for each in owners_of(computation.inputs) if each.member in members]
    month_end_s = run.name.month.end_s
    windows = [
        (each.connection, each.start_s, month_end_s if each.end_s is None else each.end_s)
        for each in owned
    ]
    known = {each.id: each.masked_ean for each in connections(desk)}
    suppliers = suppliers_of(desk, [(name, start_s) for name, start_s, _ in windows])
    meters = meters_within(desk, windows)
    days = _days(desk, computation, {name for name, _, _ in windows})
    parts: dict[str, list[ConnectionPart]] = {name: [] for name in members}
    for each, window, supplier, hung in zip(owned, windows, suppliers, meters, strict=True):
        name, start_s, end_s = window
        first, last = day_of(start_s), day_of(end_s - 1)
        told = tuple(day for day in days.get(name, ()) if first <= day.day <= last)
        parts[each.member].append(
            ConnectionPart(name, known[name], supplier, first, last, hung, told)
        )
    return {name: tuple(told) for name, told in parts.items()}


def _days(desk: Desk, computation: Computation, names: Iterable[str]) -> dict[str, list[DayPart]]:
    """Return the days of connections in order of time."""
    rows = desk.session.execute(
        select(
            RunDayRow.connection,
            RunDayRow.day,
            RunDayRow.taken_wh,
            RunDayRow.given_wh,
            RunDayRow.bought_wh,
            RunDayRow.sold_wh,
            RunDayRow.to_battery_wh,
            RunDayRow.taken_quality,
            RunDayRow.given_quality,
        )
        .where(
            RunDayRow.computation == computation.id,
            RunDayRow.connection.in_(set(names) - {BATTERY_ROW}),
        )
        .order_by(RunDayRow.connection, RunDayRow.day)
    )
    days: dict[str, list[DayPart]] = {}
    for name, day, taken, given, bought, sold, to_battery, taken_quality, given_quality in rows:
        days.setdefault(name, []).append(
            DayPart(
                day,
                taken,
                given,
                bought,
                sold,
                to_battery,
                len(taken_quality),
                _either(taken_quality, given_quality, MISSING),
                _either(taken_quality, given_quality, ESTIMATED),
            )
        )
    return days


def _either(taken: str, given: str, letter: str) -> int:
    """Return in how many quarters one of both registers has a quality."""
    if letter not in taken and letter not in given:
        return 0
    return sum(letter in pair for pair in zip(taken, given, strict=True))
