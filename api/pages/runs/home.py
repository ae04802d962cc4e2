"""A home in a run, day by day: sums only; quarter-hours are asked for with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from api.cooperative.database import Desk
from api.cooperative.runs import Run
from api.cooperative.runs.frozen_days import BATTERY_ROW
from api.cooperative.tables.runs import RunDayRow
from kwartier.units import Wh


@dataclass(frozen=True, slots=True)
class HomeDay:
    """One local day of a home in a run [Wh].

    Attributes:
        day: Which.
        use_wh: From the grid side of its meter [Wh].
        export_wh: To the grid side of its meter [Wh].
        shared_wh: Of what it used, what came from neighbours and battery [Wh].
        sold_wh: Of what it gave, what neighbours used [Wh].
        quarters: How many quarters the day has.
        missing: How many of them nobody read.
        estimated: How many of them were estimated.
    """

    day: date
    use_wh: Wh
    export_wh: Wh
    shared_wh: Wh
    sold_wh: Wh
    quarters: int
    missing: int
    estimated: int


@dataclass(frozen=True, slots=True)
class HomePart:
    """A home in a run: its name and its days."""

    home: str
    days: tuple[HomeDay, ...]


def part_of(desk: Desk, run: Run, home: str) -> HomePart | None:
    """Return a home's days in a run; None when the run does not know it."""
    if home == BATTERY_ROW or all(step.computation is None for step in run.steps):
        return None
    row = RunDayRow
    rows = desk.session.execute(
        select(
            row.day,
            row.taken_wh,
            row.given_wh,
            row.bought_wh,
            row.sold_wh,
            row.taken_quality,
            row.given_quality,
        )
        .where(row.computation == run.computation, row.connection == home)
        .order_by(row.day)
    )
    days = tuple(
        HomeDay(
            day,
            use_wh,
            export_wh,
            shared_wh,
            sold_wh,
            len(taken),
            _either(taken, given, "-"),
            _either(taken, given, "e"),
        )
        for day, use_wh, export_wh, shared_wh, sold_wh, taken, given in rows
    )
    return HomePart(home, days) if days else None


def home_values(run: Run, part: HomePart, day: date | None) -> dict[str, object]:
    """Return what the page of a home in a run shows."""
    known = [each.day for each in part.days]
    worst = max(part.days, key=lambda each: (each.missing, each.estimated))
    chosen = day if day in known else (worst.day if worst.missing or worst.estimated else known[0])
    return {
        "run": run,
        "part": part,
        "chosen_day": chosen,
        "missing": sum(each.missing for each in part.days),
        "estimated": sum(each.estimated for each in part.days),
    }


def _either(taken: str, given: str, letter: str) -> int:
    return sum(letter in pair for pair in zip(taken, given, strict=True))
