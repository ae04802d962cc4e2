"""The book of weather: every forecast with when it was told, so that looking back is honest.

A plan of last March that is tried again must know what was known then, and nothing of what came
later. So forecasts are kept beside each other and never over each other.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

from collectors.sqlite_schema import StoreDamagedError, connect, translated
from collectors.weather.model import Measure, Span, Weather
from kwartier.interval import Quarter
from kwartier.units import EpochS

KEPT_DAYS = 1100
"""How long forecasts are kept: three years."""
MOST_LOOKED_AT = 16
"""In how many of a source's newest forecasts a value is sought: two days, one every three hours."""

_TABLES = """
CREATE TABLE IF NOT EXISTS told(
    source TEXT NOT NULL,
    issued_s INTEGER NOT NULL,
    spans BLOB NOT NULL,
    PRIMARY KEY (source, issued_s)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS told_by_time ON told(issued_s);
"""


class SqliteWeather:
    """The book in SQLite; for any thread."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            StoreBusyError: The file cannot be written now.
            StoreDamagedError: The file is damaged or is no database.
        """
        self._path = path
        self._lock = threading.Lock()
        with translated(path):
            self._db = connect(path)
            self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def keep(self, told: Weather) -> None:
        """Keep what a service told, and let go of what is older than three years.

        Raises:
            StoreBusyError: The file cannot be written now.
        """
        spans = {
            measure.value: [[span.start_s, span.end_s, span.value] for span in some]
            for measure, some in told.spans.items()
        }
        packed = zlib.compress(json.dumps(spans, separators=(",", ":")).encode())
        with self._lock, translated(self._path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "INSERT OR REPLACE INTO told(source, issued_s, spans) VALUES (?, ?, ?)",
                (told.source, told.issued_s, packed),
            )
            oldest_s = told.issued_s - KEPT_DAYS * 86_400
            self._db.execute("DELETE FROM told WHERE issued_s < ?", (oldest_s,))

    def known_at(self, now_s: float, source: str | None = None) -> Iterator[Weather]:
        """Yield what was known at an instant, the newest first; of one source or of all.

        Raises:
            StoreBusyError: The file cannot be read now.
            StoreDamagedError: What was told cannot be read any more.
        """
        with self._lock, translated(self._path):
            names = [(source,)] if source else self._db.execute("SELECT DISTINCT source FROM told")
            rows = [row for (name,) in names for row in self._newest(name, int(now_s))]
        rows.sort(key=lambda row: (-row[1], row[0]))
        for name, issued_s, packed in rows:
            yield Weather(name, issued_s, self._spans(packed))

    def expected(
        self,
        measure: Measure,
        start: Quarter,
        count: int,
        now_s: float,
        source: str | None = None,
    ) -> list[float | None]:
        """Return a measure by quarter-hour as it was expected at an instant.

        Each quarter is from the newest forecast told by then that has it; None where none has.

        Args:
            measure: What.
            start: The first quarter.
            count: How many.
            now_s: What was told later is not looked at [s].
            source: Of which service; None for all.

        Raises:
            StoreBusyError: The file cannot be read now.
            StoreDamagedError: What was told cannot be read any more.
        """
        found: list[float | None] = [None] * count
        for told in self.known_at(now_s, source):
            values = told.quarters(measure, start, count)
            found = [new if old is None else old for old, new in zip(found, values, strict=True)]
            if None not in found:
                break
        return found

    def _spans(self, packed: bytes) -> dict[Measure, tuple[Span, ...]]:
        try:
            spans: dict[str, list[tuple[int, int, float]]] = json.loads(zlib.decompress(packed))
            return {Measure(key): tuple(Span(*one) for one in some) for key, some in spans.items()}
        except (zlib.error, ValueError, TypeError, AttributeError) as error:
            raise StoreDamagedError(self._path, "a forecast in it cannot be read") from error

    def _newest(self, source: str, now_s: EpochS) -> list[tuple[str, EpochS, bytes]]:
        return self._db.execute(
            "SELECT source, issued_s, spans FROM told WHERE source = ? AND issued_s <= ?"
            " ORDER BY issued_s DESC LIMIT ?",
            (source, now_s, MOST_LOOKED_AT),
        ).fetchall()
