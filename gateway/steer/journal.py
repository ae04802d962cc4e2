"""What was commanded and written, on disk: a restart obeys nothing old and leaves nothing on."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from kwartier.errors import TemporaryError

_log = logging.getLogger(__name__)


class JournalWriteError(TemporaryError):
    """What must be remembered before the battery is moved could not be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        """Name the file and what the disk said."""
        super().__init__(f"{path} cannot be written: {error.strerror}; free or mend its disk")
        self.path = path


class SteerJournal:
    """Remembers the newest command and whether a set-point of ours may be in the device."""

    def __init__(self, path: Path) -> None:
        """Read the file; one that cannot be read counts as 'a set-point may be left'."""
        self._path = path
        self.command, self.holding = self._read()

    def commanded(self, command: int) -> None:
        """Note the newest command.

        Raises:
            JournalWriteError: The disk takes nothing; the command is not to be obeyed.
        """
        self._write(command, holding=self.holding)
        self.command = command

    def wrote(self) -> None:
        """Note, before the first write, that a set-point of ours may be in the device.

        Raises:
            JournalWriteError: The disk takes nothing; no set-point is to be written.
        """
        self._write(self.command, holding=True)
        self.holding = True

    def released(self) -> None:
        """Note that none is left; where the disk takes nothing a restart releases once more."""
        self.holding = False
        try:
            self._write(self.command, holding=False)
        except JournalWriteError as error:
            _log.warning("a release was not noted: %s", error)

    def _read(self) -> tuple[int, bool]:
        try:
            told = json.loads(self._path.read_text())
            command, holding = told["command"], told["holding"]
        except FileNotFoundError:
            return 0, False
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s cannot be read, the battery is released first: %s", self._path, error)
            return 0, True
        return int(command), bool(holding)

    def _write(self, command: int, *, holding: bool) -> None:
        """Replace the file in one step that survives a power cut."""
        try:
            _replace(self._path, json.dumps({"command": command, "holding": holding}))
        except OSError as error:
            raise JournalWriteError(self._path, error) from error


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    with new.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
