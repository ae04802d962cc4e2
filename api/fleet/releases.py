"""The files of updates that were released, in a folder of the server's: few, checked, by hash."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from gateway.care.bundle import MAX_FILE_BYTES, Bundle, Manifest, checked_bundle, manifest_of
from gateway.care.keys import PublicKey
from kwartier.durable import sync_folder
from kwartier.errors import InputError, StoreBusyError

_log = logging.getLogger(__name__)

FOLDER = "releases"
MOST_FILES = 8
"""So many are kept; the oldest goes when another comes."""
_ENDING, _COMING = ".update", ".coming-"
_STALE_S = 86_400
_MODE, _FOLDER_MODE = 0o644, 0o755
"""The server may be another account than who releases; nothing in an update is secret."""
_AT_ONCE_BYTES = 1024 * 1024


class Releases:
    """The folder of a server's state; made the first time a file comes."""

    def __init__(self, state: Path) -> None:
        """Look at a server's folder."""
        self.folder = state / FOLDER

    def holds(self, sha256: str) -> bool:
        """Return whether a file is there."""
        return self._file(sha256).is_file()

    def keep(self, file: Path, keys: Sequence[PublicKey]) -> tuple[Manifest, str]:
        """Copy an update into the folder, once every byte of the copy was checked.

        Returns what it holds and its fingerprint.

        Raises:
            InputError: It cannot be read, is too long, or is not signed by every key.
            StoreBusyError: The folder takes nothing.
        """
        try:
            if not self.folder.is_dir():
                self.folder.mkdir()
                self.folder.chmod(_FOLDER_MODE)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=_COMING) as begun:
                copy = Path(begun) / "copy"
                sha256 = _copied(file, copy)
                bundle: Bundle = checked_bundle(copy, keys)
                copy.chmod(_MODE)
                copy.replace(self._file(sha256))
            sync_folder(self.folder)
        except OSError as error:
            raise StoreBusyError(f"{self.folder}: cannot be written: {error.strerror}") from error
        return bundle.manifest, sha256

    def keep_only(self, sha256s: Collection[str]) -> None:
        """Take every other file away.

        Raises:
            StoreBusyError: The folder takes nothing.
        """
        wanted = {self._file(sha256) for sha256 in sha256s}
        try:
            for file in self.folder.glob(f"*{_ENDING}"):
                if file not in wanted:
                    file.unlink(missing_ok=True)
            for left in self.folder.glob(f"{_COMING}*"):  # of a run that was killed
                if time.time() - left.stat().st_mtime > _STALE_S:
                    shutil.rmtree(left)
        except OSError as error:
            raise StoreBusyError(f"{self.folder}: cannot be written: {error.strerror}") from error

    def manifest(self, sha256: str) -> tuple[Manifest, int] | None:
        """Return what a file holds, and how long it is [bytes]; None where it is not there."""
        file = self._file(sha256)
        try:
            return manifest_of(file), file.stat().st_size
        except (InputError, OSError) as error:
            if file.exists():
                _log.warning("an update that was released cannot be offered: %s", error)
            return None

    def piece(self, sha256: str, start: int, most: int) -> bytes | None:
        """Return some bytes of a file, or None where it is not there."""
        try:
            with self._file(sha256).open("rb") as opened:
                opened.seek(start)
                return opened.read(most)
        except OSError:
            return None

    def _file(self, sha256: str) -> Path:
        return self.folder / f"{sha256}{_ENDING}"


def _copied(file: Path, copy: Path) -> str:
    """Copy no more than an update may hold, durably; return the copy's fingerprint."""
    digest, left = hashlib.sha256(), MAX_FILE_BYTES
    too_long = InputError(f"{file}: is longer than {MAX_FILE_BYTES} bytes: no update is")
    try:
        source = file.open("rb")
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    with source, copy.open("xb") as target:
        if os.fstat(source.fileno()).st_size > MAX_FILE_BYTES:
            raise too_long
        while piece := source.read(_AT_ONCE_BYTES):
            left -= len(piece)
            if left < 0:
                raise too_long
            digest.update(piece)
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()
