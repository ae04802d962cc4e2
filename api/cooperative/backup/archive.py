"""One sealed file with everything the books are: database, keys, settings and papers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from api.cooperative.backup.copying import DUMP_FILE, copy_out, is_sqlite, sqlite_file
from api.cooperative.backup.packing import Packed, pack, scratch_beside
from api.cooperative.backup.remark import note_made
from api.cooperative.backup.sealing import public_key
from api.cooperative.chain import Head
from api.cooperative.errors import BooksError
from api.cooperative.keys import read_keys
from api.cooperative.settings import FILE, KEYS, PAPERS, CoopSettings
from kwartier.clock import Clock
from kwartier.errors import SettingsError
from kwartier.units import EpochS

KIND = "books"
"""How a backup's name begins."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in a backup.

    Attributes:
        made_s: When it was made [s].
        head: How far its books go.
        files: SHA-256 of each file within it, by name.
    """

    made_s: EpochS
    head: Head
    files: dict[str, str]

    @classmethod
    def of(cls, packed: Packed) -> Manifest:
        """Return what stands in a manifest.

        Raises:
            BooksError: It is not one of books.
        """
        try:
            return cls(packed.made_s, Head.of_text(packed.head), packed.files)
        except ValueError as error:
            raise BooksError("this is no backup of books: its manifest names no head") from error


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made."""

    file: Path
    manifest: Manifest


def back_up(settings: CoopSettings, to: Path, clock: Clock) -> Backup:
    """Write one sealed file with everything, and return it once it lies safely on its disk.

    Args:
        settings: Whose books.
        to: The folder it goes to; on another disk or machine.
        clock: What time it is.

    Raises:
        SettingsError: A key is away, also the public one that seals it.
        StoreBusyError: The books cannot be read now.
        BooksError: The folder cannot be written in.
    """
    recovery = public_key(settings.folder / KEYS)
    keys = read_keys(settings.folder / KEYS)
    made_s = int(clock.now_s())
    try:
        with scratch_beside(settings.folder) as folder:
            copy, now = copy_out(settings.database, keys, clock, folder)
            contents = _contents(settings, copy)
            file, packed = pack(to, KIND, recovery, contents, made_s, now.text())
        note_made(settings.folder, file.name, made_s)
    except OSError as error:
        raise BooksError(f"{to}: cannot be written: {error.strerror}") from error
    return Backup(file, Manifest.of(packed))


def _contents(settings: CoopSettings, copy: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and file of everything that goes into a backup, the database first."""
    folder = settings.folder
    yield _database_name(settings), copy
    yield FILE, folder / FILE
    for file in sorted((folder / KEYS).iterdir()):
        yield f"{KEYS}/{file.name}", file
    for file in sorted((folder / PAPERS).rglob("*")):
        if file.is_file() and not file.is_symlink():
            yield file.relative_to(folder).as_posix(), file


def _database_name(settings: CoopSettings) -> str:
    """Return the database's name within a backup: that of its file within the folder."""
    if not is_sqlite(settings.database):
        return DUMP_FILE
    file = sqlite_file(settings.database)
    if not file.is_relative_to(settings.folder):
        raise SettingsError(f"{file} lies outside {settings.folder}: move it there first")
    return file.relative_to(settings.folder).as_posix()
