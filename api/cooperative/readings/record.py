"""Versions of days: a new one only when something changed, and none is ever taken away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select, tuple_

from api.cooperative.chain import Fault
from api.cooperative.database import Desk
from api.cooperative.readings.days import DayValues, Direction, Source, origins_of
from api.cooperative.tables.readings import DayRow
from kwartier.errors import ContractError
from kwartier.units import EpochS

BATCH = 500
"""How many days are looked up or written at once."""


@dataclass(frozen=True, slots=True)
class Version:
    """A day as it was known from an instant on.

    Attributes:
        number: 1 for the first that was known.
        values: What was known.
        recorded_at_s: From when on [s].
        recorded_by: Who recorded it.
    """

    number: int
    values: DayValues
    recorded_at_s: EpochS
    recorded_by: str


def store_day(desk: Desk, values: DayValues) -> int:
    """Record a day as it is known now, and return its version; the same again adds none."""
    return store_days(desk, [values])[0]


def store_days(desk: Desk, days: Sequence[DayValues]) -> list[int]:
    """Record days as they are known now, each once; return their versions in that order."""
    versions: list[int] = []
    for start in range(0, len(days), BATCH):
        versions += _store_batch(desk, days[start : start + BATCH])
    return versions


def day_values(desk: Desk, connection: str, day: date) -> dict[Direction, Version]:
    """Return what is known of a connection's day now, by direction; missing is absent."""
    newest: dict[Direction, Version] = {}
    for version in _versions(desk, connection, day):
        newest[version.values.direction] = version
    return newest


def versions_of(desk: Desk, connection: str, direction: Direction, day: date) -> list[Version]:
    """Return everything that ever was known of a day, the oldest first."""
    return [
        version
        for version in _versions(desk, connection, day)
        if version.values.direction is direction
    ]


def newest_days(
    desk: Desk, wanted: Iterable[tuple[str, Direction, date]]
) -> dict[tuple[str, Direction, date], Version]:
    """Return the newest version of some days; a day that was never recorded is absent."""
    asked = list(dict.fromkeys(wanted))
    found: dict[tuple[str, Direction, date], Version] = {}
    place = tuple_(DayRow.connection, DayRow.direction, DayRow.day)
    for start in range(0, len(asked), BATCH):
        batch = asked[start : start + BATCH]
        rows = desk.session.scalars(
            select(DayRow)
            .where(place.in_([(name, way.value, day) for name, way, day in batch]))
            .order_by(DayRow.version)
        )
        for version in map(version_of, rows):
            values = version.values
            found[values.connection, values.direction, values.day] = version
    return found


def days_as_hashed(desk: Desk) -> list[Fault]:
    """Look whether every stored day is what its hash says; a part of the nightly look.

    Whoever changes a day together with its hash changes the fingerprint of the runs that used it.
    """
    faults = []
    every = select(DayRow).order_by(DayRow.id).execution_options(yield_per=BATCH)
    for row in desk.session.scalars(every):
        try:
            sound = version_of(row).values.hash == row.hash
        except (ContractError, ValueError):
            sound = False
        if not sound:
            where = f"reading {row.connection} {row.direction} {row.day} version {row.version}"
            faults.append(Fault(where, "is not what its hash says"))
    return faults


def version_of(row: DayRow) -> Version:
    """Return a row as what was known."""
    alike = row.origins == origins_of(Source(row.source), row.quality)
    values = DayValues(
        row.connection,
        Direction(row.direction),
        row.day,
        tuple(json.loads(row.wh)),
        row.quality,
        Source(row.source),
        row.reason,
        row.method,
        "" if alike else row.origins,
    )
    return Version(row.version, values, row.recorded_at_s, row.recorded_by)


def _versions(desk: Desk, connection: str, day: date) -> list[Version]:
    rows = desk.session.scalars(
        select(DayRow)
        .where(DayRow.connection == connection, DayRow.day == day)
        .order_by(DayRow.direction, DayRow.version)
    )
    return [version_of(row) for row in rows]


def _store_batch(desk: Desk, days: Sequence[DayValues]) -> list[int]:
    places = [(each.connection, each.direction, each.day) for each in days]
    assert len(set(places)) == len(places), "a day stands there twice"
    held = _held(desk, places)
    versions: list[int] = []
    new: list[dict[str, object]] = []
    for place, values in zip(places, days, strict=True):
        number, known_hash = held.get(place, (0, ""))
        told_hash = values.hash
        if told_hash != known_hash:
            number += 1
            new.append(_row(desk, values, number, told_hash))
        versions.append(number)
    if new:
        desk.session.execute(insert(DayRow), new)
    return versions


def _held(
    desk: Desk, places: Sequence[tuple[str, Direction, date]]
) -> dict[tuple[str, Direction, date], tuple[int, str]]:
    """Return number and hash of the newest version of each place."""
    place = tuple_(DayRow.connection, DayRow.direction, DayRow.day)
    rows = desk.session.execute(
        select(DayRow.connection, DayRow.direction, DayRow.day, DayRow.version, DayRow.hash)
        .where(place.in_([(name, way.value, day) for name, way, day in places]))
        .order_by(DayRow.version)
    )
    return {
        (name, Direction(way), day): (version, known_hash)
        for name, way, day, version, known_hash in rows
    }


def _row(desk: Desk, values: DayValues, version: int, told_hash: str) -> dict[str, object]:
    return {
        "connection": values.connection,
        "direction": values.direction.value,
        "day": values.day,
        "version": version,
        "wh": values.wh_text,
        "quality": values.quality,
        "origins": values.origins,
        "source": values.source.value,
        "method": values.method,
        "reason": values.reason,
        "hash": told_hash,
        "recorded_at_s": desk.at_s,
        "recorded_by": desk.officer.id,
    }
