"""The new folder that a backup goes into: it is filled beside its place, and then stands whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kwartier.errors import SettingsError


@contextmanager
def begun_beside(to: Path) -> Iterator[Path]:
    """Give a passing folder on the disk of a folder that is to be; what is left in it goes.

    Raises:
        SettingsError: There is such a folder already, or its disk takes none.
    """
    if to.exists():
        raise SettingsError(f"{to} is there already: restore into a new folder, look, then swap")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        begun = tempfile.TemporaryDirectory(dir=to.parent, prefix=".restore-")
    except OSError as error:
        raise SettingsError(
            f"{to.parent}: cannot be written: {error.strerror}; name another folder"
        ) from error
    with begun as folder:
        yield Path(folder)


def put(folder: Path, to: Path) -> None:
    """Put a filled folder in its place.

    Raises:
        SettingsError: It cannot stand there.
    """
    try:
        folder.replace(to)
    except OSError as error:
        raise SettingsError(
            f"{to}: what was restored cannot stand there ({error.strerror}), so nothing was "
            "restored: name another folder"
        ) from error
