"""The book of prices: what sources came to together, kept on disk, so that none need be there now.

A price that two sources agreed on is never replaced by what one alone tells. Where sources begin to
differ, a price that one alone had told is taken out again; an agreed one stays. They may differ
over a restart too: one alone told it before, and another alone tells it now.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

from collectors.answers import NothingToldError
from collectors.prices.agreement import CENT, Agreement, Known, Standing
from collectors.prices.model import PriceDay, PriceSeries
from collectors.sqlite_schema import connect, translated
from kwartier.interval import HOME_ZONE, Zone, local_day
from kwartier.units import EpochS

KEPT_DAYS = 1100
"""How long prices are kept: three years, for looking back on plans."""

_TABLES = """
CREATE TABLE IF NOT EXISTS price(
    start_s INTEGER PRIMARY KEY,
    eur_per_mwh TEXT NOT NULL,
    standing TEXT NOT NULL,
    sources TEXT NOT NULL,
    told_s INTEGER NOT NULL
) WITHOUT ROWID;
"""
_KEEP = """
INSERT INTO price(start_s, eur_per_mwh, standing, sources, told_s) VALUES (?, ?, ?, ?, ?)
ON CONFLICT(start_s) DO UPDATE SET
    eur_per_mwh = excluded.eur_per_mwh, standing = excluded.standing,
    sources = excluded.sources, told_s = excluded.told_s
WHERE price.standing = 'single' OR excluded.standing = 'agreed'
"""


class SqlitePrices:
    """The book in SQLite; a source of prices itself, that is never away. For any thread."""

    def __init__(self, path: Path, zone: Zone = HOME_ZONE) -> None:
        """Open or make the file.

        Raises:
            StoreBusyError: The file cannot be written now.
            StoreDamagedError: The file is damaged or is no database.
        """
        self._path = path
        self._zone = zone
        self._lock = threading.Lock()
        with translated(path):
            self._db = connect(path)
            self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def keep(self, agreement: Agreement, now_s: float) -> None:
        """Keep what sources came to together, and let go of what is older than three years."""
        rows = [
            (
                at_s,
                format(one.eur_per_mwh, "f"),
                one.standing.value,
                " ".join(one.sources),
                int(now_s),
            )
            for at_s, one in agreement.known.items()
        ]
        disputed = [(one.quarter.start_s,) for one in agreement.disputed]
        with self._writing() as db:
            held = _known(db, min(agreement.known, default=0), max(agreement.known, default=0) + 1)
            apart = {at_s for at_s, one in agreement.known.items() if _differ(held.get(at_s), one)}
            disputed += [(at_s,) for at_s in apart]
            db.executemany(_KEEP, [row for row in rows if row[0] not in apart])
            db.executemany("DELETE FROM price WHERE start_s = ? AND standing = 'single'", disputed)
            db.execute("DELETE FROM price WHERE start_s < ?", (int(now_s) - KEPT_DAYS * 86_400,))

    def known(self, start_s: EpochS, end_s: EpochS) -> Mapping[EpochS, Known]:
        """Return what is known of the quarters of ``[start_s, end_s)``, by their starts [s]."""
        with self._lock, translated(self._path):
            return _known(self._db, start_s, end_s)

    def day(self, day: date) -> PriceDay:
        """Return the prices of a local day; quarters that are not known are missing.

        Raises:
            NothingToldError: None is known.
            StoreBusyError: The file cannot be read now.
        """
        known = self.known(*local_day(day, self._zone))
        if not known:
            raise NothingToldError(f"no prices are known of {day} yet")
        series = PriceSeries({at_s: one.eur_per_mwh for at_s, one in known.items()})
        return series.day(day, self._zone)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(self._path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db


def _known(db: sqlite3.Connection, start_s: EpochS, end_s: EpochS) -> dict[EpochS, Known]:
    rows = db.execute(
        "SELECT start_s, eur_per_mwh, standing, sources FROM price"
        " WHERE start_s >= ? AND start_s < ? ORDER BY start_s",
        (start_s, end_s),
    ).fetchall()
    return {
        at_s: Known(Decimal(price), Standing(standing), tuple(sources.split()))
        for at_s, price, standing, sources in rows
    }


def _differ(held: Known | None, told: Known) -> bool:
    """Return whether two sources, each alone in its time, tell other prices."""
    return (
        held is not None
        and {held.standing, told.standing} == {Standing.SINGLE}
        and held.sources != told.sources
        and abs(held.eur_per_mwh - told.eur_per_mwh) > CENT
    )
