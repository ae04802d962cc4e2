"""The book of forecasts: what was said of each quarter, to hold it against what came."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kwartier.errors import StoreBusyError
from kwartier.units import EpochS

_log = logging.getLogger(__name__)

KEPT_S = 60 * 86_400
"""How long a forecast is remembered [s]: two months, about 12,000 rows."""

_TABLES = """
create table if not exists said (
    subject text not null, start_s integer not null, likely_w integer not null,
    low_w integer not null, high_w integer not null, method text not null,
    primary key (subject, start_s)
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What was expected of one quarter, when its day began.

    Attributes:
        start_s: The quarter's start [s].
        likely_w: As likely more as less [W].
        low_w: One time in ten less [W].
        high_w: One time in ten more [W].
    """

    start_s: EpochS
    likely_w: int
    low_w: int
    high_w: int


class ForecastBook:
    """The book in one small SQLite file, for any thread. Losing it loses no money."""

    def __init__(self, path: Path | str) -> None:
        """Open the book, or start one; ``:memory:`` keeps it in this process only.

        Raises:
            StoreBusyError: The file cannot be written now.
        """
        self._lock = threading.Lock()
        try:
            self._book = _opened(path)
        except sqlite3.OperationalError as error:
            raise StoreBusyError(f"the book of forecasts cannot be opened now: {error}") from error
        except sqlite3.DatabaseError:
            aside = Path(path).with_suffix(".damaged")
            Path(path).replace(aside)
            _log.warning(
                "the book of forecasts is damaged: it is now %s, and a new one begins", aside
            )
            self._book = _opened(path)

    def keep(self, subject: str, method: str, said: Sequence[Said]) -> None:
        """Write down what is said; what was said of a quarter before stays.

        Raises:
            StoreBusyError: The file cannot be written now; nothing was changed.
        """
        if not said:
            return
        rows = [(subject, one.start_s, one.likely_w, one.low_w, one.high_w, method) for one in said]
        oldest_s = said[0].start_s - KEPT_S
        try:
            with self._lock, self._book:
                self._book.executemany("insert or ignore into said values (?, ?, ?, ?, ?, ?)", rows)
                self._book.execute(
                    "delete from said where subject = ? and start_s < ?", (subject, oldest_s)
                )
        except sqlite3.DatabaseError as error:
            raise StoreBusyError(f"the book of forecasts cannot be used: {error}") from error

    def said(self, subject: str, from_s: EpochS, until_s: EpochS) -> list[Said]:
        """Return what was said of the quarters in ``[from_s, until_s)``, in order of time.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        try:
            with self._lock, closing(self._book.cursor()) as cursor:
                cursor.execute(
                    "select start_s, likely_w, low_w, high_w from said"
                    " where subject = ? and start_s >= ? and start_s < ? order by start_s",
                    (subject, from_s, until_s),
                )
                return [Said(*row) for row in cursor]
        except sqlite3.DatabaseError as error:
            raise StoreBusyError(f"the book of forecasts cannot be used: {error}") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._book.close()


def _opened(path: Path | str) -> sqlite3.Connection:
    book = sqlite3.connect(path, check_same_thread=False)
    try:
        book.execute("pragma journal_mode = wal")
        book.execute("pragma busy_timeout = 5000")
        book.executescript(_TABLES)
    except sqlite3.Error:
        book.close()
        raise
    return book
