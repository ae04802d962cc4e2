"""One sealed file with everything the books are: database, keys, settings and papers."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from api.cooperative.backup.copying import DUMP_FILE, copy_out, is_sqlite, sqlite_file
from api.cooperative.backup.sealing import Sealer, public_key
from api.cooperative.canonical import canonical
from api.cooperative.chain import Head
from api.cooperative.errors import BooksError
from api.cooperative.keys import read_keys
from api.cooperative.settings import FILE, KEYS, PAPERS, CoopSettings
from kwartier.clock import Clock
from kwartier.errors import SettingsError
from kwartier.units import EpochS
from kwartier.wire import Json

MANIFEST = "manifest.json"
"""What is in a backup, with hashes; it comes last."""
ENDING = ".sealed"
"""How a backup's name ends."""
_PIECE = 1024 * 1024


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

    def text(self) -> str:
        """Return it as JSON."""
        files: dict[str, Json] = dict(self.files)
        return canonical({"made_s": self.made_s, "head": self.head.text(), "files": files})

    @classmethod
    def of_text(cls, text: str) -> Manifest:
        """Return what stands in a manifest.

        Raises:
            BooksError: It is none.
        """
        try:
            found = json.loads(text)
            return cls(int(found["made_s"]), Head.of_text(found["head"]), dict(found["files"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BooksError("the backup has no manifest that can be read") from error


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
    target = to / f"books-{datetime.fromtimestamp(made_s, UTC):%Y%m%dT%H%M%SZ}{ENDING}"
    begun = target.with_suffix(".part")
    try:
        to.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=settings.folder, prefix=".backup-") as folder:
            copy, now = copy_out(settings.database, keys, clock, Path(folder))
            with begun.open("wb") as file:
                begun.chmod(0o600)
                contents = _contents(settings, copy)
                manifest = _write(Sealer(file, recovery), contents, made_s, now)
                file.flush()
                os.fsync(file.fileno())
        begun.replace(target)
        _sync_folder(to)
    except OSError as error:
        raise BooksError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        begun.unlink(missing_ok=True)
    return Backup(target, manifest)


def newest(place: Path) -> Path:
    """Return a backup: the file that is named, or the newest one in a folder.

    Raises:
        BooksError: There is none.
    """
    if not place.is_dir():
        return place
    found = sorted(place.glob(f"books-*{ENDING}"))
    if not found:
        raise BooksError(f"{place}: there is no backup in it")
    return found[-1]


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _write(
    sealer: Sealer, contents: Iterable[tuple[str, Path]], made_s: EpochS, now: Head
) -> Manifest:
    files: dict[str, str] = {}
    with tarfile.open(fileobj=sealer, mode="w|gz") as archive:
        for name, file in contents:
            files[name] = digest_of(file)
            with file.open("rb") as opened:
                archive.addfile(_entry(name, file.stat().st_size, made_s), opened)
        manifest = Manifest(made_s, now, files)
        text = manifest.text().encode()
        archive.addfile(_entry(MANIFEST, len(text), made_s), BytesIO(text))
    sealer.finish()
    return manifest


def _entry(name: str, size: int, made_s: EpochS) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, made_s, 0o600
    return entry


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


def _sync_folder(folder: Path) -> None:
    """Make the new name last, as the file itself does."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
