"""Connections that only ask: each sees one moment of the record, and none waits for the writer."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collectors.sqlite_schema import VERSION, checked_version, connect, translated
from kwartier.errors import StoreBusyError

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
            StoreBusyError: The file cannot be read now, or is not there, or just being made.
            StoreDamagedError: The file is damaged or is another program's.
            SettingsError: The file was written by a newer program.
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
            return self._new()

    def _new(self) -> sqlite3.Connection:
        """Return a connection to a record that is whole; a reader makes no file.

        The file may have gone since the last one, or be put back this moment.
        """
        if not self._path.exists():
            raise StoreBusyError(f"{self._path}: there is no record yet: start the collector first")
        reader = connect(self._path, busy_s=self._busy_s, make=False)
        try:
            reader.execute("PRAGMA query_only = ON")
            reader.execute("BEGIN")  # the tables and their version, as of one moment
            version = checked_version(reader, self._path)
            reader.execute("ROLLBACK")
        except BaseException:
            reader.close()
            raise
        if version < VERSION:
            reader.close()
            raise StoreBusyError(f"{self._path}: is not ready: start the collector first")
        return reader

    def _give_back(self, reader: sqlite3.Connection) -> None:
        if self._is_closed or len(self._idle) >= _IDLE:
            reader.close()
        else:
            self._idle.append(reader)
