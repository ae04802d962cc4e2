"""A sealed file of some files: written whole or not at all, and unpacked only when all is right.

What goes in is up to others: the books, or the book of people.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path, PurePosixPath

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from api.cooperative.backup.sealing import Opener, Sealer
from api.cooperative.canonical import canonical
from api.cooperative.errors import BooksError, TamperedError
from kwartier.durable import sync_folder
from kwartier.errors import StoreBusyError
from kwartier.units import EpochS
from kwartier.wire import Json

ENDING = ".sealed"
"""How a backup's name ends."""
_MANIFEST = "manifest.json"
_SCRATCH = ".backup-"
_BEGUN = ".part"
_STALE_S = 86_400


@dataclass(frozen=True, slots=True)
class Packed:
    """What is in a sealed file.

    Attributes:
        made_s: When it was made [s].
        head: How far its chains go, in the words of who packed it.
        files: SHA-256 of each file within it, by name.
    """

    made_s: EpochS
    head: str
    files: dict[str, str]

    def text(self) -> str:
        """Return it as JSON."""
        files: dict[str, Json] = dict(self.files)
        return canonical({"made_s": self.made_s, "head": self.head, "files": files})

    @classmethod
    def of_text(cls, text: str) -> Packed:
        """Return what stands in a manifest.

        Raises:
            BooksError: It is none.
        """
        try:
            found = json.loads(text)
            return cls(int(found["made_s"]), str(found["head"]), dict(found["files"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BooksError("the backup has no manifest that can be read") from error


@contextmanager
def scratch_beside(folder: Path) -> Iterator[Path]:
    """Give a folder for open copies within another one; what a killed backup left there goes.

    Raises:
        StoreBusyError: Another backup is being made here.
    """
    opened = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusyError(f"{folder}: another backup is being made of it") from None
        for left in folder.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(dir=folder, prefix=_SCRATCH) as scratch:
            yield Path(scratch)
    finally:
        os.close(opened)


def pack(
    to: Path,
    kind: str,
    recovery: X25519PublicKey,
    contents: Iterable[tuple[str, Path]],
    made_s: EpochS,
    head: str,
) -> tuple[Path, Packed]:
    """Write one sealed file, and return it once it lies safely on its disk.

    Args:
        to: The folder it goes to.
        kind: How its name begins, such as ``books``.
        recovery: What seals it.
        contents: Name and file of everything that goes in.
        made_s: When the contents were as they are [s].
        head: How far their chains go.

    Raises:
        OSError: The folder cannot be written in; nothing stays there.
    """
    to.mkdir(parents=True, exist_ok=True)
    _sweep(to, kind, made_s)
    target = to / f"{kind}-{datetime.fromtimestamp(made_s, UTC):%Y%m%dT%H%M%SZ}{ENDING}"
    begun = target.with_suffix(_BEGUN)
    try:
        with begun.open("wb") as file:
            begun.chmod(0o600)
            packed = _write(Sealer(file, recovery), contents, made_s, head)
            file.flush()
            os.fsync(file.fileno())
        begun.replace(target)
        sync_folder(to)
    finally:
        begun.unlink(missing_ok=True)
    return target, packed


def unpack(
    file: Path, folder: Path, recovery: X25519PrivateKey, private: Collection[str]
) -> Packed:
    """Write a sealed file's contents into a new folder, and check every hash.

    Args:
        file: The sealed file.
        folder: The new folder.
        recovery: The key from paper.
        private: Folders within it whose files are keys.

    Raises:
        BooksError: It cannot be read.
        TamperedError: It was changed or cut off, or another key sealed it.
    """
    text, seen = "", set()
    folder.mkdir(mode=0o700)
    try:
        with (
            file.open("rb") as sealed,
            tarfile.open(fileobj=Opener(sealed, recovery), mode="r|gz") as archive,
        ):
            for entry in archive:
                content = archive.extractfile(entry)
                if content is None:
                    raise TamperedError(f"{file}: holds {entry.name!r}, which is no file")
                if entry.name == _MANIFEST:
                    text = content.read().decode()
                    continue
                path = _safe(entry.name)
                target = folder / path
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with target.open("xb") as opened:
                    shutil.copyfileobj(content, opened)
                target.chmod(0o400 if path.parts[0] in private else 0o600)
                seen.add(entry.name)
    except OSError as error:
        raise BooksError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (tarfile.TarError, EOFError, UnicodeDecodeError) as error:
        raise TamperedError(f"{file}: is damaged: {error}") from error
    packed = Packed.of_text(text)
    if seen != set(packed.files):
        raise TamperedError(f"{file}: files are missing or were put in")
    for name, digest in packed.files.items():
        if _digest_of(folder / name) != digest:
            raise TamperedError(f"{file}: {name} is not what was backed up")
    return packed


def newest(place: Path, kind: str = "books") -> Path:
    """Return a backup: the file that is named, or the newest one of a kind in a folder.

    Raises:
        BooksError: There is none.
    """
    if not place.is_dir():
        return place
    found = sorted(place.glob(f"{kind}-*{ENDING}"))
    if not found:
        raise BooksError(f"{place}: there is no backup of {kind} in it")
    return found[-1]


def _write(
    sealer: Sealer, contents: Iterable[tuple[str, Path]], made_s: EpochS, head: str
) -> Packed:
    files: dict[str, str] = {}
    with tarfile.open(fileobj=sealer, mode="w|gz") as archive:
        for name, file in contents:
            files[name] = _digest_of(file)
            with file.open("rb") as opened:
                archive.addfile(_entry(name, file.stat().st_size, made_s), opened)
        packed = Packed(made_s, head, files)
        text = packed.text().encode()
        archive.addfile(_entry(_MANIFEST, len(text), made_s), BytesIO(text))
    sealer.finish()
    return packed


def _entry(name: str, size: int, made_s: EpochS) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, made_s, 0o600
    return entry


def _digest_of(file: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _safe(name: str) -> PurePosixPath:
    """Return a name that stays within the folder, or refuse it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise TamperedError(f"the backup holds {name!r}, which lies outside of it")
    return path


def _sweep(to: Path, kind: str, now_s: EpochS) -> None:
    """Take away what killed backups began; a younger one may still be under way elsewhere."""
    for left in to.glob(f"{kind}-*{_BEGUN}"):
        if now_s - left.stat().st_mtime > _STALE_S:
            left.unlink(missing_ok=True)
