"""A small file with a secret of a meter, which nobody but its owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kwartier.errors import SettingsError

_MOST_BYTES = 1_000


def read_secret_file(path: Path, what: str, remedy: str) -> bytes:
    """Return the first 1000 bytes of a file.

    Args:
        path: The file.
        what: The secret's name in messages.
        remedy: What to do where there is no such file.

    Raises:
        SettingsError: The file is away, or others can read it.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(_MOST_BYTES)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}): {remedy}") from error
    if mode & 0o177:
        raise SettingsError(
            f"{path}: its mode is {mode:04o}, so others may read the {what}: chmod 0400 or 0600 it"
        )
    return content
