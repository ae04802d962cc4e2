"""Restoring the books from a sealed file, and the drill that proves that it works."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import select

from api.cooperative.backup.archive import Manifest
from api.cooperative.backup.copying import (
    DUMP_FILE,
    copied_in,
    head_of,
    is_sqlite,
    scratch_database,
    sqlite_file,
)
from api.cooperative.backup.new_folder import begun_beside, put
from api.cooperative.backup.packing import unpack
from api.cooperative.backup.remark import note_drilled
from api.cooperative.chain import Fault, head
from api.cooperative.database import Books, Desk
from api.cooperative.errors import TamperedError
from api.cooperative.keys import read_keys
from api.cooperative.officers import SYSTEM
from api.cooperative.settings import KEYS, PAPERS, CoopSettings, read_settings
from api.cooperative.tables.ledger import AuditRow, EntryRow
from api.cooperative.verify import Check, verify
from kwartier.clock import Clock
from kwartier.errors import SettingsError

_MOST_FAULTS = 5


@dataclass(frozen=True, slots=True)
class Restored:
    """Books that came back.

    Attributes:
        manifest: What was in the backup.
        lost_entries: Entries the running books have and the backup has not; 0 after a restore.
        lost_records: Acts in the running books' log that the backup has not.
    """

    manifest: Manifest
    lost_entries: int = 0
    lost_records: int = 0


def restore(
    file: Path,
    to: Path,
    recovery: X25519PrivateKey,
    clock: Clock,
    database: str = "",
    more: Sequence[Check] = (),
) -> Restored:
    """Put a backup into a new folder, once everything in it was found to be right.

    Where anything fails there is no folder, and the database is empty again.

    Args:
        file: The sealed file.
        to: The folder it goes to; there must be none yet.
        recovery: The key from paper.
        clock: What time it is.
        database: Address of an empty PostgreSQL database, for books that are kept in one.
        more: Checks of other parts of the company.

    Raises:
        TamperedError: The file was changed, a chain is broken, or a sum is wrong.
        SettingsError: The folder is there already or cannot be, or the database is not named.
    """
    with begun_beside(to) as begun:
        folder = begun / "books"
        manifest = _unpack(file, folder, recovery)
        with _filled(folder, database) as url:
            _check(url, folder, manifest, clock, more)
            (folder / DUMP_FILE).unlink(missing_ok=True)
            put(folder, to)
    return Restored(manifest)


def drill(
    file: Path,
    recovery: X25519PrivateKey,
    live: CoopSettings,
    clock: Clock,
    database: str = "",
    more: Sequence[Check] = (),
) -> Restored:
    """Restore a backup into a folder that is thrown away, and compare it with the running books.

    Raises:
        TamperedError: The backup is not right, or is of other books than the running ones.
        SettingsError: A database for the drill is missing.
    """
    with ExitStack() as stack:
        begun = stack.enter_context(tempfile.TemporaryDirectory(prefix="kwartier-drill-"))
        folder = Path(begun) / "books"
        manifest = _unpack(file, folder, recovery)
        if not database and (folder / DUMP_FILE).exists():
            database = stack.enter_context(scratch_database(live.owner))
        with _filled(folder, database) as url:
            _check(url, folder, manifest, clock, more)
        books = Books(live.database, read_keys(live.folder / KEYS), clock)
        stack.callback(books.close)
        with books.reading(SYSTEM) as desk:
            compared = _compare(desk, manifest)
        note_drilled(live.folder, int(clock.now_s()))
        return compared


def _compare(desk: Desk, manifest: Manifest) -> Restored:
    """Look whether the running books are the backup's, and how much further they are."""
    then, now = manifest.head, head(desk)
    audit_hash = desk.session.scalar(select(AuditRow.hash).where(AuditRow.id == then.count))
    ledger_hash = desk.session.scalar(select(EntryRow.hash).where(EntryRow.id == then.entries))
    if (audit_hash or "", ledger_hash or "") != (then.hash, then.ledger_hash):
        raise TamperedError(
            f"the running books do not go on from the backup's head ({then.count} acts, "
            f"{then.entries} entries): one of the two was changed; stop and look"
        )
    return Restored(manifest, now.entries - then.entries, now.count - then.count)


def _unpack(file: Path, folder: Path, recovery: X25519PrivateKey) -> Manifest:
    """Write a backup's contents into a new folder, and check every hash."""
    manifest = Manifest.of(unpack(file, folder, recovery, {KEYS}))
    (folder / PAPERS).mkdir(mode=0o700, exist_ok=True)
    return manifest


@contextmanager
def _filled(folder: Path, database: str) -> Iterator[str]:
    """Give the address of unpacked books; where what follows fails a database is empty again."""
    if not (folder / DUMP_FILE).exists():
        url = read_settings(folder).database
        if not is_sqlite(url) or not sqlite_file(url).is_relative_to(folder):
            raise TamperedError("the backup holds no database: try the backup before it")
        yield url
        return
    if not database or is_sqlite(database):
        raise SettingsError(
            "these books are kept in PostgreSQL: name an empty database with --database"
        )
    with copied_in(folder / DUMP_FILE, database):
        yield database


def _check(url: str, folder: Path, manifest: Manifest, clock: Clock, more: Sequence[Check]) -> None:
    """Look whether restored books are whole, and go as far as the backup says."""
    keys = read_keys(folder / KEYS)
    books = Books(url, keys, clock)
    try:
        with books.reading(SYSTEM) as desk:
            faults = verify(desk, more, [manifest.head])
    finally:
        books.close()
    now = replace(head_of(url, keys, clock), at_s=manifest.head.at_s)
    if now != manifest.head:
        faults.append(Fault("backup", "goes no further, or further, than its manifest says"))
    if faults:
        told = "; ".join(str(fault) for fault in faults[:_MOST_FAULTS])
        raise TamperedError(f"the backup is not right, nothing was restored: {told}")
