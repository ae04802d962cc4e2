"""What was commanded and written, on disk: a restart obeys nothing old and leaves nothing on."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

_log = logging.getLogger(__name__)


class SteerJournal:
    """Remembers the newest command and whether a set-point of ours may be in the device."""

    def __init__(self, path: Path) -> None:
        """Read the file; one that cannot be read counts as 'a set-point may be left'."""
        self._path = path
        self.command, self.holding = self._read()

    def commanded(self, command: int) -> None:
        """Note the newest command."""
        self.command = command
        self._write()

    def wrote(self) -> None:
        """Note, before the first write, that a set-point of ours may be in the device."""
        self.holding = True
        self._write()

    def released(self) -> None:
        """Note that none is left."""
        self.holding = False
        self._write()

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

    def _write(self) -> None:
        """Replace the file in one step that survives a power cut."""
        new = self._path.with_suffix(".new")
        with new.open("w") as file:
            json.dump({"command": self.command, "holding": self.holding}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
