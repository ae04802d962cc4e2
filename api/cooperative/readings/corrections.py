"""One quarter by hand: a person, a value and a reason."""

from __future__ import annotations

from datetime import date

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.officers import CLERKS
from api.cooperative.readings.days import (
    ESTIMATED,
    MEASURED,
    MISSING,
    ORIGINS,
    DayValues,
    Direction,
    Source,
    quarter_place,
)
from api.cooperative.readings.record import newest_days, store_day
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.units import Wh


def correct_quarter(
    desk: Desk,
    connection: str,
    direction: Direction,
    quarter: Quarter,
    wh: Wh,
    reason: str,
    *,
    estimated: bool = False,
) -> int:
    """Write one quarter by hand, and return the day's version.

    Args:
        desk: The books.
        connection: Whose quarter.
        direction: Which register.
        quarter: Which quarter.
        wh: What it counted [Wh].
        reason: Why, in words; it stands in the audit log.
        estimated: Whether it is a guess; then the settlement stays provisional.

    Raises:
        BooksError: There is no reason, or the energy is below zero.
    """
    desk.officer.need(*CLERKS)
    if not reason.strip():
        raise BooksError(f"{connection} {quarter}: a value by hand needs a reason")
    if type(wh) is not int or wh < 0:
        raise BooksError(f"{connection} {quarter}: {wh!r}: energy is whole watt-hours, 0 or more")
    day = day_of(quarter.start_s)
    place = quarter_place(quarter.start_s, day)
    held = newest_days(desk, [(connection, direction, day)]).get((connection, direction, day))
    known = empty_day(connection, direction, day) if held is None else held.values
    values, quality, origins = list(known.wh), list(known.quality), list(known.origins)
    before = {"wh": values[place], "quality": quality[place], "origin": origins[place]}
    values[place] = wh
    quality[place] = ESTIMATED if estimated else MEASURED
    origins[place] = ORIGINS[Source.MANUAL]
    corrected = DayValues(
        connection,
        direction,
        day,
        tuple(values),
        "".join(quality),
        Source.MANUAL,
        reason,
        mixed="".join(origins),
    )
    version = store_day(desk, corrected)
    facts = {
        "direction": direction.value,
        "quarter": str(quarter),
        "wh": wh,
        "quality": quality[place],
        "reason": reason,
        "version": version,
    }
    record(desk, "reading.correct", connection, dict(facts), dict(before))
    return version


def empty_day(connection: str, direction: Direction, day: date) -> DayValues:
    """Return a day of which nothing is known."""
    start_s, end_s = local_day(day)
    quarters = (end_s - start_s) // QUARTER_S
    return DayValues(connection, direction, day, (None,) * quarters, MISSING * quarters, Source.P1)
