"""The life of a store's file: notices a copy that was put back, and keeps a second writer out.

Beside the file lies a small one that knows the file's generation, its inode and how many
transactions it has seen. An older copy has seen fewer, a copied file has another inode, and a file
that came alone has no companion: each of them begins a new generation, and gateways that hear of it
send again what it may lack. To begin one too many costs a resend; one too few costs readings.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from kwartier.errors import StoreBusyError

_LOG = logging.getLogger(__name__)
_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """What the companion knows of the file it lies beside."""

    generation: str
    inode: int
    commits: int


class Life:
    """The companion of one store file, open and locked for one writer."""

    def __init__(self, path: Path) -> None:
        """Lock the companion of a store file.

        Raises:
            StoreBusyError: Another process writes this store, or the folder cannot be written.
        """
        self._path = path
        place = path.with_name(path.name + ".life")
        try:
            self._file = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreBusyError(f"{place}: {error.strerror}: the record needs it") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise StoreBusyError(
                f"{path}: another process writes this record: stop it, or open it for reading"
            ) from error
        self._generation = ""
        self._inode = 0

    def generation_of(self, generation: str, commits: int) -> str:
        """Return the generation a file goes on with: its own, or a new one when it was put back.

        Args:
            generation: What the file says; empty when it was just made.
            commits: How many transactions the file has seen.
        """
        seen = self._seen()
        if generation and seen is not None:
            inode = self._path.stat().st_ino
            same_file = seen.generation == generation and seen.inode == inode
            if same_file and commits >= seen.commits:
                return generation
        if generation:
            _LOG.warning("%s was put back or moved: it begins a new generation", self._path.name)
        return secrets.token_hex(8)

    def begin(self, generation: str, commits: int) -> None:
        """Write down, for good, which file this is."""
        self._generation = generation
        self._inode = self._path.stat().st_ino
        self._write(commits)
        os.fsync(self._file)

    def note(self, commits: int) -> None:
        """Write down how many transactions the file has seen; after each, before it is told."""
        try:
            self._write(commits)
        except OSError as error:
            _LOG.warning("%s: %s", self._path.name, error.strerror)

    def close(self) -> None:
        """Write through to disk and let the next writer in."""
        if self._file < 0:
            return
        try:
            os.fsync(self._file)
        finally:
            os.close(self._file)
            self._file = -1

    def _write(self, commits: int) -> None:
        line = f"{self._generation} {self._inode} {commits}"
        os.pwrite(self._file, line.ljust(_LENGTH - 1).encode() + b"\n", 0)

    def _seen(self) -> Seen | None:
        words = os.pread(self._file, _LENGTH, 0).decode("ascii", "replace").split()
        if len(words) != 3 or not (words[1] + words[2]).isdecimal():
            return None
        return Seen(words[0], int(words[1]), int(words[2]))
