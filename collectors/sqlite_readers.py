"""Connections that only ask: each sees one moment of the record, and none waits for the writer."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collectors.sqlite_schema import connect, translated

_IDLE = 8


class Readers:
    """Lends connections to any thread, and keeps a few for the next."""

    def __init__(self, path: Path, busy_s: float) -> None:
        """Read one file."""
        self._path = path
        self._busy_s = busy_s
        self._idle: deque[sqlite3.Connection] = deque()
        self._is_closed = False

    @contextmanager
    def asking(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection within which nothing changes.

        Raises:
            StoreBusyError: The file cannot be read now.
            StoreDamagedError: The file is damaged.
        """
        with translated(self._path):
            reader = self._taken()
            try:
                reader.execute("BEGIN")
                yield reader
                reader.execute("ROLLBACK")
            except BaseException:
                reader.close()
                raise
        self._give_back(reader)

    def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()

    def _taken(self) -> sqlite3.Connection:
        assert not self._is_closed, "closed"
        try:
            return self._idle.pop()
        except IndexError:
            reader = connect(self._path, busy_s=self._busy_s)
            reader.execute("PRAGMA query_only = ON")
            return reader

    def _give_back(self, reader: sqlite3.Connection) -> None:
        if self._is_closed or len(self._idle) >= _IDLE:
            reader.close()
        else:
            self._idle.append(reader)
