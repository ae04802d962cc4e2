"""Where the book of people is kept: a file in the server's folder, or PostgreSQL.

``people.toml`` beside the keys names a database, so that whoever knows the folder finds the book:
the server, the commands and the backup.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from kwartier.durable import create_file
from kwartier.errors import SettingsError
from kwartier.settings import Table, quoted, read_secret, read_toml

FILE = "people.db"
"""The book's name within the folder, where no database is named."""
PLACE_FILE = "people.toml"
"""What names a database, within the folder."""
_SCHEME = "postgresql+psycopg"


def address_of(folder: Path) -> str:
    """Return the SQLAlchemy URL of a folder's book of people.

    Raises:
        SettingsError: A key is wrong, or there is a book in a file as well; the file is named,
            the address is not shown.
    """
    if not (folder / PLACE_FILE).exists():
        return f"sqlite:///{folder / FILE}"
    url = read_toml(folder / PLACE_FILE, lambda top: _url(top, folder))
    if (folder / FILE).exists():
        raise SettingsError(
            f"{folder / PLACE_FILE} names a database, but {folder / FILE} is there as well: a book "
            f"that was begun in a file stays in it; take {PLACE_FILE} away"
        )
    return url


def checked_place(url: str, place: str) -> str:
    """Return the URL of a PostgreSQL database.

    Raises:
        SettingsError: It is none; ``place`` is named, the address is not shown.
    """
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        found = None
    if found is None or found.drivername != _SCHEME or not found.database:
        raise SettingsError(f"{place}: use {_SCHEME}://ROLE@HOST/DATABASE")
    return url


def write_place(folder: Path, url: str) -> None:
    """Write where the book of a folder is kept, for its owner's eyes only."""
    create_file(folder / PLACE_FILE, f"url = {quoted(url)}\n".encode(), 0o600)


def _url(top: Table, folder: Path) -> str:
    if "url" in top.values and "url_file" in top.values:
        raise SettingsError(f"{top.place}url and url_file both say where: keep one")
    if "url_file" in top.values:
        url = checked_place(read_secret(top, "url_file", folder), f"{top.place}url_file")
    else:
        url = checked_place(top.text("url"), f"{top.place}url")
    top.refuse_the_rest()
    return url
