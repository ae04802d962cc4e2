"""Quarters from a file, such as the grid operator's validated values: row by row, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.officers import CLERKS
from api.cooperative.readings.days import MISSING, DayValues, Direction, Source, quarter_place
from api.cooperative.readings.intake import Taken, take_in
from api.cooperative.readings.quarter_file import REFUSED, Row, rows_of
from api.cooperative.readings.quarter_rows import (
    ALLOWED,
    REQUIRED,
    Registered,
    RowReader,
    energies_of,
)
from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.units import EpochS, Wh
from kwartier.wire import Json

MOST_MESSAGES = 200
"""How many rows are told of by name; the rest is counted."""


@dataclass(slots=True)
class Imported:
    """What a file came to.

    Attributes:
        rows: Rows read.
        refused: Rows that cannot be; nothing of the file is kept while there are any, unless they
            are left out on purpose.
        messages: ``line 12: …`` for each of the first refused rows.
        taken: What taking in the sound rows came to, or would.
        applied: Whether it is kept.
    """

    rows: int = 0
    refused: int = 0
    messages: list[str] = field(default_factory=list)
    taken: Taken = field(default_factory=Taken)
    applied: bool = False

    def refuse(self, line: int, reason: str) -> None:
        """Note a row that cannot be."""
        self.refused += 1
        if len(self.messages) < MOST_MESSAGES:
            self.messages.append(f"line {line}: {reason}")


def import_quarters(
    desk: Desk,
    path: Path,
    *,
    apply: bool = False,
    leave_out: bool = False,
    stamps_end: bool = False,
    source: Source = Source.P4,
) -> Imported:
    """Take in the quarters of a CSV, XLSX or P4 file, or only tell what would become of them.

    Args:
        desk: The books; without ``apply`` a still picture is enough.
        path: The file: columns ``utc`` or ``local`` (with offset), ``connection`` (its name, EAN or
            EAN fingerprint), ``import_kwh``, ``export_kwh`` and perhaps ``quality``; or the XML of
            the grid operators' P4 portal.
        apply: Whether to keep it.
        leave_out: Whether to keep the sound rows beside refused ones.
        stamps_end: Whether a row is named by the end of its quarter.
        source: Whose values they are.

    Raises:
        BooksError: The file cannot be read.
    """
    if apply:
        desk.officer.need(*CLERKS)
    registered = Registered.of(desk)
    told = Imported()
    reader = RowReader(desk, registered, stamps_end)
    quarters = _quarters(rows_of(path, REQUIRED, ALLOWED), reader, told)
    days = [
        _day(connection, direction, day, values, source)
        for (connection, direction, day), values in quarters.items()
    ]
    keep = apply and bool(days) and (leave_out or not told.refused)
    told.taken = take_in(desk, days, registered.limits_w, keep=keep)
    told.applied = keep
    if keep:
        facts: dict[str, Json] = {
            "source": source.value,
            "rows": told.rows,
            "refused": told.refused,
            **told.taken.counts(),
        }
        record(desk, "reading.import", path.name[:80], facts)
    return told


@dataclass(frozen=True, slots=True)
class _Told:
    """One row, read.

    Attributes:
        connection: Whose.
        at_s: The quarter's start [s].
        energies: What it counted, by direction.
    """

    connection: str
    at_s: EpochS
    energies: Mapping[Direction, tuple[Wh, str]]


def _quarters(
    rows: Iterable[Row], reader: RowReader, told: Imported
) -> dict[tuple[str, Direction, date], dict[int, tuple[Wh, str]]]:
    """Return the energy of each place of each day; what cannot be is noted."""
    quarters: dict[tuple[str, Direction, date], dict[int, tuple[Wh, str]]] = {}
    lines: dict[tuple[str, EpochS], int] = {}
    for line, cells in rows:
        told.rows += 1
        if REFUSED in cells:
            told.refuse(line, cells[REFUSED])
            continue
        try:
            row = _Told(reader.connection(cells).id, reader.start_s(cells), energies_of(cells))
        except ContractError as error:
            told.refuse(line, str(error))
            continue
        earlier = lines.setdefault((row.connection, row.at_s), line)
        if earlier != line:
            quarter = Quarter(row.at_s)
            told.refuse(line, f"{row.connection} {quarter} stands in line {earlier} already")
            continue
        day = day_of(row.at_s)
        place = quarter_place(row.at_s, day)
        for direction, known in row.energies.items():
            quarters.setdefault((row.connection, direction, day), {})[place] = known
    return quarters


def _day(
    connection: str,
    direction: Direction,
    day: date,
    known: Mapping[int, tuple[Wh, str]],
    source: Source,
) -> DayValues:
    start_s, end_s = local_day(day)
    places = range((end_s - start_s) // QUARTER_S)
    wh = tuple(known[place][0] if place in known else None for place in places)
    quality = "".join(known[place][1] if place in known else MISSING for place in places)
    return DayValues(connection, direction, day, wh, quality, source, "import")
