"""A folder of month files on a disk whose power can be cut."""

from __future__ import annotations

import io
from random import Random
from typing import BinaryIO

from tests.faults.power_cuts import Content, Disk

_PREFIX = "months/"
_BLOCK = 2048


class DiskOfMonths:
    """A folder as `collectors.months.folder` asks for it, on a ``Disk``.

    A name that was given and not synced may be back to the old one after a cut.
    """

    def __init__(self, disk: Disk, *, syncs: bool = True) -> None:
        """Use a disk; without ``syncs`` it says that all is safe when nothing is."""
        self._disk = disk
        self._syncs = syncs
        self._renamed: list[tuple[str, str]] = []

    def names(self) -> list[str]:
        """Return the names of all files."""
        return sorted(
            name.removeprefix(_PREFIX) for name in self._disk.files if name.startswith(_PREFIX)
        )

    def create(self, name: str) -> BinaryIO:
        """Make an empty file."""
        self._disk.act()
        content = self._disk.files[_PREFIX + name] = Content()
        return _Writing(self._disk, content)

    def sync(self, file: BinaryIO) -> None:
        """Make all of a file safe."""
        file.flush()
        assert isinstance(file, _Writing)
        if self._disk.act() and self._syncs:
            file.content.sync()

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        if self._disk.act():
            self._renamed.append((_PREFIX + old, _PREFIX + new))
        self._disk.files[_PREFIX + new] = self._disk.files.pop(_PREFIX + old)

    def sync_names(self) -> None:
        """Make all names safe."""
        if self._disk.act() and self._syncs:
            self._renamed.clear()

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        if _PREFIX + name not in self._disk.files:
            raise FileNotFoundError(name)
        return io.BytesIO(bytes(self._disk.files[_PREFIX + name].now))

    def remove(self, name: str) -> None:
        """Remove a file that may be there."""
        self._disk.act()
        self._disk.files.pop(_PREFIX + name, None)

    def after_cut(self, random: Random) -> None:
        """Take back some names that were not safe, once the power is back."""
        for old, new in reversed(self._renamed):
            if new in self._disk.files and random.random() < 0.5:
                self._disk.files[old] = self._disk.files.pop(new)
        self._renamed.clear()


class _Writing(io.BytesIO):
    """A file that is written; its bytes go to the disk in small blocks when it is flushed."""

    def __init__(self, disk: Disk, content: Content) -> None:
        super().__init__()
        self.content = content
        self._disk = disk

    def flush(self) -> None:
        at = len(self.content.now)
        left = self.getvalue()[at:]
        for first in range(0, len(left), _BLOCK):
            given = left[first : first + _BLOCK]
            if not self._disk.is_dead:
                self.content.late.append((at + first, given))
            self._disk.act()
            self.content.now += given
