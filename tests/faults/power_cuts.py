"""A disk in memory whose power can be cut: what was written and not synced is lost, torn or late.

SQLite reaches it through its own seam for disks, a VFS of apsw; the outbox's code is the real one,
on a connection that answers as the standard library's. A sector has 512 bytes. At a cut each
sector that was written since its file's last sync may have arrived or not, in any order, and one
may have arrived in part; a file that was never synced may be gone.

The SQLite inside apsw is a newer one than the standard library's; both keep the same promises.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import apsw

SECTOR = 512
_POWERSAFE_OVERWRITE = 0x1000
_NAMES = itertools.count(1)
_AFTER_A_SYNC = {"FULL", "NORMAL"}


@dataclass(slots=True)
class Content:
    """One file: what a program reads, what is safe, and what is on its way.

    Attributes:
        now: What a program reads.
        safe: What is there after a cut; None while the file itself may vanish.
        late: Writes (offset, bytes) and new sizes (size, None) since the last sync, in order.
    """

    now: bytearray = field(default_factory=bytearray)
    safe: bytes | None = None
    late: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        """Make everything safe."""
        self.safe = bytes(self.now)
        self.late.clear()

    def after_cut(self, random: Random) -> bytes | None:
        """Return what is left of the file; None for nothing."""
        if self.safe is None and random.random() < 0.5:
            return None
        left = bytearray(self.safe or b"")
        for offset, data in _arrived(self.late, random):
            if data is None:
                _resize(left, offset)
            else:
                _put(left, offset, data)
        return bytes(left)


class Disk:
    """Files in memory, and the power.

    A program that still runs after the cut sees what it wrote, but nothing of it reaches the disk;
    what it says from then on, nobody heard.
    """

    def __init__(self) -> None:
        """Start empty, with power."""
        self.files: dict[str, Content] = {}
        self.cut_at: int | None = None
        """At which act from now on the power goes; None for never."""
        self.acts = 0
        """Writes, syncs, new sizes and deletions since the power came."""
        self.written_bytes = 0
        self.syncs = 0
        self.vfs = _Vfs(f"cut-{next(_NAMES)}", self)
        self._at_cut: dict[str, Content] | None = None

    @property
    def is_dead(self) -> bool:
        """Whether the power is gone."""
        return self._at_cut is not None

    def act(self) -> bool:
        """Count one act; return False when the power went before it was done."""
        self.acts += 1
        if not self.is_dead and self.cut_at is not None and self.acts >= self.cut_at:
            self.cut()
        return not self.is_dead

    def cut(self) -> None:
        """Take the power away."""
        if not self.is_dead:
            self._at_cut = dict(self.files)

    def restore_power(self, random: Random) -> None:
        """Come back with what reached the disk."""
        before = self.files if self._at_cut is None else self._at_cut
        left = {name: content.after_cut(random) for name, content in before.items()}
        self.files = {
            name: Content(bytearray(data), data) for name, data in left.items() if data is not None
        }
        self._at_cut, self.cut_at, self.acts = None, None, 0


class OverDisk(sqlite3.Connection):
    """A connection as the standard library's, to a database on a ``Disk``."""

    def __init__(
        self, path: Path, disk: Disk, *, synchronous: str = "FULL", checkpoint: int = 1000
    ) -> None:
        """Connect; ``synchronous`` is put in place of the FULL that a program asks for.

        Args:
            path: The database's name on the disk.
            disk: The disk.
            synchronous: FULL as asked, or NORMAL to see what that would lose.
            checkpoint: After how many pages the log is written back.
        """
        super().__init__(":memory:")
        assert synchronous in _AFTER_A_SYNC, synchronous
        self._synchronous = synchronous
        self._checkpoint = checkpoint
        self._over = apsw.Connection(str(path), vfs=disk.vfs.vfs_name)
        self._over.execute("PRAGMA locking_mode = EXCLUSIVE")  # these files share no memory
        self._over.execute(f"PRAGMA wal_autocheckpoint = {checkpoint:d}")

    def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
        """Run one statement to its end."""
        assert isinstance(parameters, tuple | list)
        try:
            rows = list(self._over.execute(self._wanted(sql), parameters))
        except apsw.Error as error:
            raise _translated(error) from error
        return _Rows(self, rows, self._over.changes(), self._over.last_insert_rowid())

    def executemany(self, sql: str, parameters: Iterable[object], /) -> sqlite3.Cursor:
        """Run one statement again and again."""
        for one in parameters:
            self.execute(sql, one)
        return _Rows(self, [], 0, 0)

    def _wanted(self, sql: str) -> str:
        """Return a statement with this test's own words in it."""
        sql = sql.replace("synchronous = FULL", f"synchronous = {self._synchronous}")
        return sql.replace("wal_autocheckpoint = 4000", f"wal_autocheckpoint = {self._checkpoint}")

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._over.in_transaction

    def close(self) -> None:
        """Close both."""
        self._over.close()
        super().close()


class _Rows(sqlite3.Cursor):
    def __init__(
        self, over: OverDisk, rows: Sequence[tuple[object, ...]], changed: int, last_row: int
    ) -> None:
        super().__init__(over)
        self._left = list(rows)
        self._changed = changed
        self._last_row = last_row

    @property
    def rowcount(self) -> int:
        return self._changed

    @property
    def lastrowid(self) -> int:
        return self._last_row

    def __next__(self) -> tuple[object, ...]:
        if not self._left:
            raise StopIteration
        return self._left.pop(0)

    def fetchone(self) -> tuple[object, ...] | None:
        return self._left.pop(0) if self._left else None

    def fetchall(self) -> list[tuple[object, ...]]:
        rows, self._left = self._left, []
        return rows


class _Vfs(apsw.VFS):
    def __init__(self, name: str, disk: Disk) -> None:
        self.vfs_name = name
        self._disk = disk
        super().__init__(name, "unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:  # type: ignore[override]  # a file of our own  # noqa: N802 - apsw's word
        assert name is not None
        path = name if isinstance(name, str) else name.filename()
        flags[1] = flags[0]
        return _File(self._disk, self._disk.files.setdefault(path, Content()))

    def xAccess(self, path: str, flags: int) -> bool:  # noqa: ARG002, N802
        return path in self._disk.files

    def xDelete(self, path: str, sync_dir: bool) -> None:  # noqa: ARG002, N802
        self._disk.act()
        self._disk.files.pop(path, None)


class _File:
    """An open file as apsw calls it."""

    def __init__(self, disk: Disk, content: Content) -> None:
        self._disk = disk
        self._content = content

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        return bytes(self._content.now[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        given = bytes(data)
        if not self._disk.is_dead:
            self._content.late.append((offset, given))
        self._disk.act()
        _put(self._content.now, offset, given)
        self._disk.written_bytes += len(given)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        if self._disk.act():
            self._content.late.append((size, None))
        _resize(self._content.now, size)

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802
        if self._disk.act():
            self._disk.syncs += 1
            self._content.sync()

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._content.now)

    def xLock(self, level: int) -> None:  # noqa: N802
        """Take nothing: one program has the disk to itself."""

    def xUnlock(self, level: int) -> None:  # noqa: N802
        """Give nothing back."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:  # noqa: ARG002, N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return SECTOR

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        """Say what every disk of Linux says: what was not written to stays as it is."""
        return _POWERSAFE_OVERWRITE

    def xClose(self) -> None:  # noqa: N802
        """Let go of nothing: the content is the disk's."""


def _arrived(
    late: Sequence[tuple[int, bytes | None]], random: Random
) -> list[tuple[int, bytes | None]]:
    """Return which late writes reached the disk: none, the first ones, or some in any order."""
    way = random.choice(["none", "first", "any"])
    if way == "none" or not late:
        return []
    if way == "first":
        return list(late[: random.randrange(len(late) + 1)])
    sectors: list[tuple[int, bytes | None]] = []
    for offset, data in late:
        sectors += [(offset, None)] if data is None else _sectors(offset, data)
    kept = [sector for sector in sectors if random.random() < 0.7]
    random.shuffle(kept)
    if kept:
        offset, data = kept[-1]
        if data is not None:
            kept[-1] = offset, data[: random.randrange(len(data) + 1)]
    return kept


def _sectors(offset: int, data: bytes) -> list[tuple[int, bytes | None]]:
    """Return a write cut at the borders of sectors."""
    cuts = range(offset - offset % SECTOR + SECTOR, offset + len(data), SECTOR)
    borders = [offset, *cuts, offset + len(data)]
    return [
        (start, data[start - offset : end - offset]) for start, end in itertools.pairwise(borders)
    ]


def _put(content: bytearray, offset: int, data: bytes) -> None:
    _resize(content, max(len(content), offset))
    content[offset : offset + len(data)] = data


def _resize(content: bytearray, size: int) -> None:
    del content[size:]
    if len(content) < size:
        content.extend(bytes(size - len(content)))


def _translated(error: apsw.Error) -> sqlite3.DatabaseError:
    told = sqlite3.OperationalError(str(error))
    told.sqlite_errorcode = getattr(error, "extendedresult", 0)
    return told
