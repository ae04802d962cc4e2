"""A file written whole or not at all, for its owner's eyes, and never over another one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from api.cooperative.errors import BooksError, ConflictError


def write_whole(to: Path, content: bytes) -> None:
    """Write a file that is either away or complete; the same bytes again change nothing.

    Raises:
        ConflictError: There is another file of this name.
        BooksError: It cannot be written.
    """
    begun = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        _write(begun, content)
        try:
            os.link(begun, to)
        except FileExistsError:
            if to.read_bytes() != content:
                raise ConflictError(f"{to} is another file: name one that is not there") from None
        _keep_name(to.parent)
    except OSError as error:
        raise BooksError(f"{to}: cannot be written: {error.strerror}") from error
    finally:
        with suppress(FileNotFoundError):
            begun.unlink()


def _write(file: Path, content: bytes) -> None:
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(opened, "wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())


def _keep_name(folder: Path) -> None:
    """Let a name in a folder outlive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
