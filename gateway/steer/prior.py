"""What registers held before we set them, on disk, so that even a restart can give it back."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from gateway.steer.journal import JournalWriteError
from kwartier.durable import replace_file

_log = logging.getLogger(__name__)


class PriorFile:
    """Remembers numbers by name in one small file."""

    def __init__(self, path: Path) -> None:
        """Read the file; one that cannot be read gives nothing back."""
        self._path = path
        self._values = self._read()

    @property
    def values(self) -> Mapping[str, int]:
        """What was noted last."""
        return dict(self._values)

    def note(self, values: Mapping[str, int]) -> None:
        """Note these instead of what was noted before.

        Raises:
            JournalWriteError: The disk takes nothing; nothing is to be written to the device.
        """
        try:
            replace_file(self._path, json.dumps(dict(values)).encode())
        except OSError as error:
            raise JournalWriteError(self._path, error) from error
        self._values = dict(values)

    def _read(self) -> dict[str, int]:
        try:
            told = json.loads(self._path.read_text())
            return {str(name): int(value) for name, value in told.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            _log.warning("%s cannot be read, nothing is given back: %s", self._path, error)
            return {}
