"""A file written whole or not at all, for its owner's eyes, and never over another one."""

from __future__ import annotations

from pathlib import Path

from api.cooperative.errors import BooksError, ConflictError
from kwartier.durable import create_file, sync_folder


def write_whole(to: Path, content: bytes) -> None:
    """Write a file that is either away or complete; the same bytes again change nothing.

    Raises:
        ConflictError: There is another file of this name.
        BooksError: It cannot be written.
    """
    try:
        try:
            create_file(to, content, 0o600)
        except FileExistsError:
            if to.read_bytes() != content:
                raise ConflictError(f"{to} is another file: name one that is not there") from None
            sync_folder(to.parent)
    except OSError as error:
        raise BooksError(f"{to}: cannot be written: {error.strerror}") from error
