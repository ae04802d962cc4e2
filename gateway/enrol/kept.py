"""The files of a gateway's identity: each is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from kwartier.durable import replace_file
from kwartier.errors import TemporaryError


class IdentityWriteError(TemporaryError):
    """A file of the gateway's identity could not be written."""

    def __init__(self, path: Path, error: OSError) -> None:
        """Name the file and what the disk said."""
        super().__init__(f"{path} cannot be written: {error.strerror}; free or mend its disk")
        self.path = path


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file in one step that survives a power cut.

    Args:
        path: Which file.
        content: All of it.
        mode: Who may read it, from the first byte on.

    Raises:
        IdentityWriteError: The disk takes nothing; the old file is untouched.
    """
    try:
        replace_file(path, content, mode)
    except OSError as error:
        raise IdentityWriteError(path, error) from error
