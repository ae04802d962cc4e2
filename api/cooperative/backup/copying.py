"""Copies of the books' database at one moment, while others read and write, and back again."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from api.cooperative.chain import Head, head
from api.cooperative.database import Books
from api.cooperative.errors import BooksError
from api.cooperative.keys import Keys
from api.cooperative.officers import SYSTEM
from api.relational import engine_of
from kwartier.clock import Clock
from kwartier.errors import SettingsError, StoreBusyError

_log = logging.getLogger(__name__)

DUMP_FILE = "books.dump"
"""The copy of a PostgreSQL database within a backup."""
_DRILL = "kwartier_drill"
_EMPTIED = """
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT format('%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public'
    LOOP EXECUTE 'DROP TABLE public.' || one.name || ' CASCADE'; END LOOP;
  FOR one IN SELECT oid::regprocedure AS name FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS
        (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    LOOP EXECUTE 'DROP ROUTINE ' || one.name || ' CASCADE'; END LOOP;
END $$
"""
"""Takes tables out of a database, and what guards them; what extensions bring may stay."""


def is_sqlite(url: str) -> bool:
    """Return whether a database is a file."""
    return make_url(url).get_backend_name() == "sqlite"


def sqlite_file(url: str) -> Path:
    """Return the file of an SQLite database."""
    return Path(str(make_url(url).database))


def copy_out(url: str, keys: Keys, clock: Clock, folder: Path) -> tuple[Path, Head]:
    """Copy a database into a folder, and return the copy and how far it goes."""
    if is_sqlite(url):
        source = sqlite_file(url)
        target = folder / source.name
        if not source.is_file():
            raise BooksError(f"{source}: there are no books")
        copy_sqlite(source, target)
        return target, head_of(f"sqlite:///{target}", keys, clock)
    return _dump(url, keys, clock, folder / DUMP_FILE)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy an SQLite database as it is at one moment, while others read and write it.

    Raises:
        StoreBusyError: It cannot be read now, or is damaged.
    """
    try:
        with (
            closing(sqlite3.connect(source)) as from_here,
            closing(sqlite3.connect(target)) as to_there,
        ):
            from_here.backup(to_there)
            to_there.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise StoreBusyError(f"{source}: cannot be copied now: {error}") from error


def head_of(url: str, keys: Keys, clock: Clock) -> Head:
    """Return how far the books at an address go."""
    books = Books(url, keys, clock)
    try:
        with books.reading(SYSTEM) as desk:
            return head(desk)
    finally:
        books.close()


def dump(url: str, seen: Session | Connection, target: Path) -> None:
    """Copy exactly what a transaction in a PostgreSQL database sees into a file.

    Raises:
        BooksError: The program that copies failed.
        SettingsError: It is not installed.
    """
    picture = seen.scalar(text("SELECT pg_export_snapshot()"))
    _run(url, "pg_dump", "--format=custom", f"--snapshot={picture}", f"--file={target}")


@contextmanager
def copied_in(copy: Path, url: str) -> Iterator[None]:
    """Fill an empty PostgreSQL database with a copy; where what follows fails, it is empty again.

    Raises:
        BooksError: The database is not empty, or refuses the copy.
    """
    engine = engine_of(url)
    with engine.connect() as connection:
        tables = connection.scalar(
            text("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'")
        )
    engine.dispose()
    if tables:
        raise BooksError("the database to restore into is not empty: make a new one")
    try:
        _run(url, "pg_restore", "--no-owner", "--no-acl", "--exit-on-error", str(copy))
        yield
    except BaseException:
        _empty(url)
        raise


@contextmanager
def scratch_database(owner: str, option: str = "--database") -> Iterator[str]:
    """Give the address of a new PostgreSQL database beside another, for as long as it lasts.

    Args:
        owner: The other one's address, as a role that may make one.
        option: What names an empty one instead.

    Raises:
        StoreBusyError: The role may not make one.
    """
    name = f"{_DRILL}_{os.getpid()}"
    _alone(owner, f"CREATE DATABASE {name} TEMPLATE template0", option)
    try:
        yield make_url(owner).set(database=name).render_as_string(hide_password=False)
    finally:
        _alone(owner, f"DROP DATABASE {name} WITH (FORCE)", option)


def _empty(url: str) -> None:
    """Take out of a database what was copied in; where that fails too, the first fault counts."""
    import psycopg

    try:
        with psycopg.connect(_words(make_url(url))) as connection:
            connection.execute(_EMPTIED.encode())
    except psycopg.Error as error:
        _log.warning("what was copied into the database stays in it: drop it (%s)", error)


def _alone(owner: str, act: str, option: str) -> None:
    """Do what PostgreSQL does outside of a transaction only."""
    import psycopg

    try:
        with psycopg.connect(_words(make_url(owner)), autocommit=True) as connection:
            connection.execute(act.encode())
    except psycopg.Error as error:
        raise StoreBusyError(
            "the owner of the tables cannot make a database for the drill: "
            f"ALTER ROLE … CREATEDB, or name an empty one with {option}"
        ) from error


def _dump(url: str, keys: Keys, clock: Clock, target: Path) -> tuple[Path, Head]:
    """Dump exactly what a transaction of ours sees, so that the head is that of the dump."""
    books = Books(url, keys, clock)
    try:
        with books.reading(SYSTEM) as desk:
            now = head(desk)
            dump(url, desk.session, target)
    finally:
        books.close()
    return target, now


def _run(url: str, program: str, *words: str) -> None:
    found = _program(program)
    place = make_url(url)
    environment = {"PATH": os.environ.get("PATH", ""), "PGPASSWORD": place.password or ""}
    if "PGPASSFILE" in os.environ:
        environment["PGPASSFILE"] = os.environ["PGPASSFILE"]
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL's, words of ours
        [found, "--dbname", _words(place._replace(password=None)), *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if "error:" in line]
        raise BooksError(f"{program} failed: {' '.join(told[:1])}")


def _words(place: URL) -> str:
    """Return an address as PostgreSQL's own programs know it."""
    return place.set(drivername="postgresql").render_as_string(hide_password=False)


def _program(name: str) -> str:
    """Return a program of PostgreSQL; Debian keeps them in folders by version."""
    found = shutil.which(name)
    if found is not None:
        return found
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not kept:
        raise SettingsError(f"{name} is not installed: apt-get install postgresql-client")
    return str(kept[-1])
