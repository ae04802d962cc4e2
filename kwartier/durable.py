"""Files that are written whole or not at all, also when the power goes."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file in one step that survives a power cut.

    Args:
        path: Which file.
        content: All of it.
        mode: Who may read it, from the first byte on.

    Raises:
        OSError: The disk takes nothing; the old file is untouched.
    """
    new = path.with_name(f"{path.name}.new")
    _write_aside(new, content, mode)
    new.replace(path)
    sync_folder(path.parent)


def create_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Make a file that is not there yet, in one step that survives a power cut.

    Args:
        path: Which file.
        content: All of it.
        mode: Who may read it, from the first byte on.

    Raises:
        FileExistsError: It is there already, and stays as it is.
        OSError: The disk takes nothing; there is no such file.
    """
    new = path.with_name(f"{path.name}.new")
    _write_aside(new, content, mode)
    try:
        os.link(new, path)
        sync_folder(path.parent)
    finally:
        new.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlive a power cut.

    Raises:
        OSError: The disk takes nothing.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _write_aside(new: Path, content: bytes, mode: int) -> None:
    """Write a file that takes another's name next, and leave none behind where that fails."""
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        new.unlink(missing_ok=True)
        raise
