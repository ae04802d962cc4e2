"""How far a book of people goes, in a file or in PostgreSQL, whatever the form of its tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, table

from api.cooperative.backup.copying import copy_sqlite, dump, is_sqlite, sqlite_file
from api.cooperative.canonical import canonical
from api.cooperative.errors import BooksError, TamperedError
from api.people.book import translated
from api.people.place import FILE
from api.people.schema import VERSION
from api.people.tables import ActRow
from api.relational import engine_of
from kwartier.errors import SettingsError, StoreBusyError
from kwartier.wire import Json

DUMP_FILE = "people.dump"
"""The copy of a PostgreSQL database within a backup."""


@dataclass(frozen=True, slots=True)
class PeopleHead:
    """How far the book of people was.

    Attributes:
        acts: How many acts its chain has.
        link: The last one's link; empty when there is none.
        rows: How many rows each table has.
    """

    acts: int
    link: str
    rows: dict[str, int]

    def text(self) -> str:
        """Return it as JSON."""
        rows: dict[str, Json] = dict(self.rows)
        return canonical({"acts": self.acts, "link": self.link, "rows": rows})

    @classmethod
    def of_text(cls, text: str) -> PeopleHead:
        """Return what a manifest tells.

        Raises:
            BooksError: It is not one of a book of people.
        """
        try:
            found = json.loads(text)
            return cls(int(found["acts"]), str(found["link"]), dict(found["rows"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BooksError("this is no backup of a book of people") from error


def is_begun(url: str) -> bool:
    """Return whether there is a book of people at an address.

    Raises:
        SettingsError: The database is somebody else's.
        StoreBusyError: It cannot be reached.
    """
    if is_sqlite(url):
        return sqlite_file(url).is_file()
    with _looking(url) as connection:
        names = inspect(connection).get_table_names()
    if names and VERSION not in names:
        raise SettingsError(
            f"the database for the book of people holds other tables ({min(names)!r}): "
            "give the book of people one of its own"
        )
    return bool(names)


def copy_out(url: str, folder: Path) -> tuple[Path, PeopleHead]:
    """Copy a book as it is at one moment into a folder; return the copy and how far it goes.

    Raises:
        StoreBusyError: It cannot be read now.
        BooksError: PostgreSQL's program refused it.
    """
    if is_sqlite(url):
        copy = folder / FILE
        copy_sqlite(sqlite_file(url), copy)
        return copy, _head_of_file(copy)
    with _looking(url) as connection:
        head = _head_seen(connection)
        dump(url, connection, folder / DUMP_FILE)
    return folder / DUMP_FILE, head


def head_of(url: str) -> PeopleHead:
    """Return how far a restored book goes.

    Raises:
        TamperedError: Its file cannot be read.
        StoreBusyError: Its database cannot be reached.
    """
    if is_sqlite(url):
        return _head_of_file(sqlite_file(url))
    with _looking(url) as connection:
        return _head_seen(connection)


def act_of(url: str, number: int) -> tuple[int, str]:
    """Return how many acts a book has, and the link of one of them; empty when it is away.

    Raises:
        StoreBusyError: It cannot be read now.
    """
    if is_sqlite(url):
        return _act_of_file(sqlite_file(url), number)
    with _looking(url) as connection:
        count = connection.scalar(select(func.count()).select_from(ActRow))
        link = connection.scalar(select(ActRow.link).where(ActRow.id == number))
    return count or 0, link or ""


@contextmanager
def _looking(url: str) -> Iterator[Connection]:
    """Give a still picture of a PostgreSQL database, of which nothing is changed."""
    engine = engine_of(url)
    try:
        with translated(), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _head_seen(connection: Connection) -> PeopleHead:
    names = sorted(inspect(connection).get_table_names())
    rows = {
        name: connection.scalar(select(func.count()).select_from(table(name))) or 0
        for name in names
    }
    acts = rows.get(ActRow.__tablename__, 0)
    link = connection.scalar(select(ActRow.link).where(ActRow.id == acts)) if acts else ""
    return PeopleHead(acts, link or "", rows)


def _head_of_file(file: Path) -> PeopleHead:
    try:
        with closing(sqlite3.connect(file)) as book:
            names = [
                str(name)
                for (name,) in book.execute(
                    "select name from sqlite_master where type = 'table'"
                    " and name not like 'sqlite_%' order by name"
                )
            ]
            rows = {
                name: int(book.execute(f'select count(*) from "{name}"').fetchone()[0])  # noqa: S608 - a table's own name
                for name in names
            }
    except sqlite3.Error as error:
        raise TamperedError(f"{file.name} cannot be read: {error}") from error
    acts = rows.get(ActRow.__tablename__, 0)
    return PeopleHead(acts, _act_of_file(file, acts)[1], rows)


def _act_of_file(file: Path, number: int) -> tuple[int, str]:
    try:
        with closing(sqlite3.connect(file)) as book:
            (count,) = book.execute("select count(*) from act").fetchone()
            row = book.execute("select link from act where id = ?", (number,)).fetchone()
    except sqlite3.Error as error:
        raise StoreBusyError(f"{file}: cannot be read now: {error}") from error
    return int(count), "" if row is None else str(row[0])
