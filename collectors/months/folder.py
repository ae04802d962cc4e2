"""The folder in which month files lie, and the one order of steps that survives a power cut."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from kwartier.durable import sync_folder
from kwartier.errors import StoreBusyError

_NEW = ".new"


class Folder(Protocol):
    """What is asked of a disk; every function may raise ``OSError``."""

    def names(self) -> list[str]:
        """Return the names of all files."""

    def create(self, name: str) -> BinaryIO:
        """Make an empty file; one of that name is emptied."""

    def sync(self, file: BinaryIO) -> None:
        """Return once all that was written to a file is on the disk."""

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""

    def sync_names(self) -> None:
        """Return once all names are on the disk."""

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""

    def remove(self, name: str) -> None:
        """Remove a file that may be there."""


class DiskFolder:
    """A folder of this machine; made when the first file comes."""

    def __init__(self, path: Path) -> None:
        """Use a folder."""
        self.path = path

    def names(self) -> list[str]:
        """Return the names of all files."""
        try:
            return sorted(file.name for file in self.path.iterdir())
        except FileNotFoundError:
            return []

    def create(self, name: str) -> BinaryIO:
        """Make an empty file that only this user may read."""
        if not self.path.is_dir():
            self.path.mkdir(mode=0o700)
            sync_folder(self.path.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        return os.fdopen(os.open(self.path / name, flags, 0o600), "wb")

    def sync(self, file: BinaryIO) -> None:
        """Return once all that was written to a file is on the disk."""
        file.flush()
        os.fsync(file.fileno())

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        (self.path / old).rename(self.path / new)

    def sync_names(self) -> None:
        """Return once all names are on the disk."""
        sync_folder(self.path)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        return (self.path / name).open("rb")

    def remove(self, name: str) -> None:
        """Remove a file that may be there."""
        (self.path / name).unlink(missing_ok=True)


def write_whole(
    folder: Folder,
    name: str,
    fill: Callable[[BinaryIO], bool],
    check: Callable[[BinaryIO], None],
) -> bool:
    """Write a file that is there whole, checked and for good, or not at all.

    Args:
        folder: Where.
        name: What it is called; there is none of that name.
        fill: Writes it; returns False when there is nothing worth a file.
        check: Reads it again as it lies on the disk, and raises when it is not what was written.

    Returns:
        Whether there is a file now.

    Raises:
        StoreBusyError: The disk takes nothing.
    """
    new = name + _NEW
    with spoken_for(folder):
        try:
            file = folder.create(new)
            with file:
                wanted = fill(file)
                folder.sync(file)
            if wanted:
                with folder.open(new) as again:
                    check(again)
                folder.rename(new, name)
                folder.sync_names()
        finally:
            folder.remove(new)
    return wanted


@contextmanager
def spoken_for(folder: Folder) -> Iterator[None]:
    """Turn errors of the disk into the house's.

    Raises:
        StoreBusyError: The disk refuses, or cannot be reached now.
    """
    try:
        yield
    except OSError as error:
        where = folder.path if isinstance(folder, DiskFolder) else "the folder of months"
        raise StoreBusyError(
            f"{where}: {error.strerror or error}: nothing was put away or let go;"
            " free space or rights, or try again"
        ) from error
