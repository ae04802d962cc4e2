"""A connection's earlier months, as the check of what is usual looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from api.cooperative.checks.case import PastMonth
from api.cooperative.checks.sun import solar_permille
from api.cooperative.database import Desk
from api.cooperative.readings.matrices import matrix
from kwartier.interval import local_day
from optimizer.matrix import ReadingMatrix

MONTHS = 3
"""How many earlier months are looked at."""


def past_months(
    desk: Desk, connections: Sequence[str], before: date, months: int = MONTHS
) -> dict[str, tuple[PastMonth, ...]]:
    """Return the months before a month's first day, the newest first; unknown months are absent.

    Args:
        desk: The books.
        connections: Whose.
        before: The first day of the month that is looked at.
        months: How many.
    """
    told: dict[str, list[PastMonth]] = {}
    after = before.replace(day=1)
    for _ in range(months):
        first = (after - timedelta(days=1)).replace(day=1)
        readings, _fingerprint = matrix(
            desk, connections, local_day(first)[0], local_day(after)[0], batteries=()
        )
        for row, name in enumerate(readings.connections):
            month = _month(readings, row, f"{first:%Y-%m}")
            if month.quarters:
                told.setdefault(name, []).append(month)
        after = first
    return {name: tuple(each) for name, each in told.items()}


def _month(readings: ReadingMatrix, row: int, period: str) -> PastMonth:
    known = ~readings.taken.missing[row] & ~readings.given.missing[row]
    quarters = int(known.sum())
    return PastMonth(
        period,
        quarters,
        int(readings.taken.energy_wh[row, known].sum()),
        int(readings.given.energy_wh[row, known].sum()),
        solar_permille(readings, row) if quarters else None,
    )
