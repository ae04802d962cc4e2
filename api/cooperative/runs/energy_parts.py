"""The energy behind a statement: a member's connections in the month, day by day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from api.cooperative.database import Desk
from api.cooperative.readings import meters_between
from api.cooperative.registry import connection as connection_of
from api.cooperative.registry import supplier_at
from api.cooperative.runs.frozen import owners_of
from api.cooperative.runs.frozen_days import BATTERY_ROW, ESTIMATED, MISSING
from api.cooperative.runs.states import Run
from api.cooperative.runs.storing import Computation
from api.cooperative.statement import ConnectionPart, DayPart
from api.cooperative.tables.runs import RunDayRow
from kwartier.interval import day_of
from optimizer.period import Ownership


class EnergyParts:
    """Looks up members' connections of one run."""

    def __init__(self, desk: Desk, run: Run, computation: Computation) -> None:
        """Know who owned what; nothing else is read yet."""
        self.desk = desk
        self.run = run
        self.computation = computation
        self._windows: dict[str, list[Ownership]] = {}
        for each in owners_of(computation.inputs):
            self._windows.setdefault(each.member, []).append(each)

    def of(self, member: str) -> tuple[ConnectionPart, ...]:
        """Return a member's connections as far as it owned them in the month."""
        return tuple(self._part(each) for each in self._windows.get(member, ()))

    def _part(self, window: Ownership) -> ConnectionPart:
        desk = self.desk
        end_s = self.run.name.month.end_s if window.end_s is None else window.end_s
        first, last = day_of(window.start_s), day_of(end_s - 1)
        known = connection_of(desk, window.connection)
        return ConnectionPart(
            window.connection,
            known.masked_ean,
            supplier_at(desk, window.connection, window.start_s),
            first,
            last,
            meters_between(desk, window.connection, window.start_s, end_s),
            self._days(window.connection, first, last),
        )

    def _days(self, connection: str, first: date, last: date) -> tuple[DayPart, ...]:
        rows = self.desk.session.execute(
            select(
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
                RunDayRow.computation == self.computation.id,
                RunDayRow.connection == connection,
                RunDayRow.connection != BATTERY_ROW,
                RunDayRow.day.between(first, last),
            )
            .order_by(RunDayRow.day)
        )
        return tuple(
            DayPart(
                row.day,
                row.taken_wh,
                row.given_wh,
                row.bought_wh,
                row.sold_wh,
                row.to_battery_wh,
                len(row.taken_quality),
                _either(row.taken_quality, row.given_quality, MISSING),
                _either(row.taken_quality, row.given_quality, ESTIMATED),
            )
            for row in rows
        )


def _either(taken: str, given: str, letter: str) -> int:
    """Return in how many quarters one of both registers has a quality."""
    return sum(letter in pair for pair in zip(taken, given, strict=True))
