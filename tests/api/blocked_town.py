"""A town whose October cannot go on by itself: at two homes whole stretches were not read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from api.cooperative.database import Books
from api.cooperative.readings import DayValues, Direction, Source, store_days
from api.cooperative.runs import compute
from kwartier.interval import quarters_of_day
from tests.api.cooperative.stages import TREASURER, Stage
from tests.api.cooperative.street import PERIOD, SETTINGS, readings
from tests.api.town import Town, Towns

SILENT = {
    "home-5": tuple(date(2026, 10, day) for day in (5, 6, 7)),
    "home-6": (date(2026, 10, 21),),
}
"""At these homes nothing was read on these days: 288 and 96 quarters, each one a blocker."""


@contextmanager
def town_with_blockers(
    towns: Towns, folder: Path, *, public_url: str = "http://127.0.0.1:8000"
) -> Iterator[Town]:
    """Yield a town whose October is computed, with two blockers among its findings.

    Args:
        towns: Where towns come from.
        folder: Where the town's files go.
        public_url: The address people type.
    """
    with towns.at(Stage.READY, folder, public_url=public_url, then=computed_in_silence) as town:
        yield town


def computed_in_silence(books: Books) -> None:
    """Take the silent homes' days back, so that nothing was read, and compute the month."""
    with books.desk(TREASURER) as desk:
        store_days(desk, [_nothing(home, day) for home, days in SILENT.items() for day in days])
        compute(desk, SETTINGS, PERIOD)


def read_anew(books: Books, home: str) -> None:
    """Store what the grid operator told later of a silent home."""
    with books.desk(TREASURER) as desk:
        late = [day for day in readings((home,)) if day.connection == home]
        store_days(desk, [day for day in late if day.day in SILENT[home]])


def _nothing(home: str, day: date) -> DayValues:
    quarters = len(quarters_of_day(day))
    return DayValues(
        home,
        Direction.IMPORT,
        day,
        (None,) * quarters,
        "-" * quarters,
        Source.MANUAL,
        "the box was unplugged and what it told was somebody else's",
    )
