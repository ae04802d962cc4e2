"""All month files of a record: which there are, and one series out of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO

from collectors.months.calendar import PartName
from collectors.months.folder import DiskFolder, Folder, spoken_for, write_whole
from collectors.months.parquet import MonthDamagedError, Part
from collectors.store import DeviceKey
from kwartier.identity import MeterId
from kwartier.units import EpochS

MOST_PARTS = 20
"""How many files a month may have; what comes even later stays in the record."""
_KEPT_CONTENTS = 32


def months_folder(record: Path) -> Path:
    """Return where the month files of a record lie: beside it."""
    return record.with_name(f"{record.name}.months")


class Shelf:
    """The month files of one record; safe between threads, and shared between processes.

    A file never changes once it is there. Of two files that hold one instant of a series the
    earlier part tells.
    """

    def __init__(self, folder: Folder) -> None:
        """Use a folder."""
        self._folder = folder
        self._lock = threading.Lock()
        self._contents: dict[PartName, Part] = {}

    @classmethod
    def beside(cls, record: Path) -> Shelf:
        """Return the shelf of a record."""
        return cls(DiskFolder(months_folder(record)))

    def parts(self) -> list[PartName]:
        """Return the files there are, in order of month and part.

        Raises:
            StoreBusyError: The folder cannot be read now.
        """
        with spoken_for(self._folder):
            told = [PartName.told_by(name) for name in self._folder.names()]
        return sorted(name for name in told if name is not None)

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> dict[tuple[MeterId, EpochS], int]:
        """Return what is put away of one series in ``[start_s, end_s)``, by meter and instant.

        Raises:
            MonthDamagedError: A file is damaged.
            MissingExtraError: There are files, and pyarrow is not installed.
            StoreBusyError: The folder cannot be read now.
        """
        found: dict[tuple[MeterId, EpochS], int] = {}
        series = (key.gateway, key.device, name)
        for part in self.parts():
            if part.month.start_s >= end_s or part.month.end_s <= start_s:
                continue
            file = self._open(part)
            if file is None:
                continue  # its time was over, and it was removed this moment
            with file:
                contents = self._known(part, file)
                for meter, at_s, values in contents.points_of(file, series, start_s, end_s):
                    for at, value in zip(at_s, values, strict=True):
                        found.setdefault((meter, at), value)
        return found

    def open(self, part: PartName) -> BinaryIO:
        """Open a file for reading.

        Raises:
            MonthDamagedError: It is not there.
            StoreBusyError: It cannot be read now.
        """
        file = self._open(part)
        if file is None:
            raise MonthDamagedError(str(part), "is not there")
        return file

    def contents(self, part: PartName) -> Part:
        """Return the table of contents of a file.

        Raises:
            MonthDamagedError: It is damaged, or not there.
            StoreBusyError: It cannot be read now.
        """
        with self.open(part) as file:
            return self._known(part, file)

    def size_bytes(self, part: PartName) -> int:
        """Return how large a file is; 0 when it is not there [bytes]."""
        file = self._open(part)
        if file is None:
            return 0
        with file:
            return file.seek(0, SEEK_END)

    def write(
        self,
        name: PartName,
        fill: Callable[[BinaryIO], bool],
        check: Callable[[BinaryIO], None],
    ) -> bool:
        """Add a file, whole and for good; return whether there was anything worth one.

        Raises:
            StoreBusyError: The disk takes nothing.
        """
        return write_whole(self._folder, str(name), fill, check)

    def remove(self, part: PartName) -> None:
        """Remove a file whose time is over."""
        with self._lock:
            self._contents.pop(part, None)
        with spoken_for(self._folder):
            self._folder.remove(str(part))

    def _open(self, part: PartName) -> BinaryIO | None:
        """Open a file; None when there is none."""
        with spoken_for(self._folder):
            try:
                return self._folder.open(str(part))
            except FileNotFoundError:
                return None

    def _known(self, part: PartName, file: BinaryIO) -> Part:
        with self._lock:
            known = self._contents.get(part)
        if known is None:
            known = Part(str(part), file)
            with self._lock:
                self._contents[part] = known
                while len(self._contents) > _KEPT_CONTENTS:
                    del self._contents[next(iter(self._contents))]
        return known
