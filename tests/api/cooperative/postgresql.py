"""A real PostgreSQL for tests: a cluster of their own in a folder of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

OWNER = "kwartier_owner"
"""The role that owns the tables."""
BOOKS = "kwartier_books"
"""The role the books work as: it may look and add."""
_ROOT = "root_of_the_cluster"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server that listens on a socket in a folder, and on nothing else."""

    sockets: Path

    def url(self, role: str, database: str) -> str:
        """Return the SQLAlchemy URL of a database as one role."""
        host = quote(str(self.sockets), safe="")
        return f"postgresql+psycopg://{role}@/{database}?host={host}"

    def create(self, database: str, template: str = "template0") -> None:
        """Make a database out of another one."""
        with self._connected() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                    sql.Identifier(database), sql.Identifier(OWNER), sql.Identifier(template)
                )
            )

    def drop(self, database: str) -> None:
        """Throw a database away, whoever is still in it."""
        with self._connected() as connection:
            name = sql.Identifier(database)
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def create_roles(self) -> None:
        """Make the owner's role and the books' role."""
        with self._connected() as connection:
            for role, right in ((OWNER, "CREATEDB"), (BOOKS, "")):
                act = sql.SQL(f"CREATE ROLE {{}} LOGIN {right}")
                connection.execute(act.format(sql.Identifier(role)))

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        where = f"host={self.sockets} dbname=postgres user={_ROOT}"
        with psycopg.connect(where, autocommit=True) as connection:
            yield connection


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server that is installed."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[4])
    )
    return found[-1].parent if found else None


@contextmanager
def running_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Give a server of PostgreSQL that is stopped and thrown away afterwards.

    Args:
        durable: Whether every commit reaches the disk, as in earnest.
    """
    at = programs()
    assert at is not None, "PostgreSQL is not installed"
    folder = Path(tempfile.mkdtemp(prefix="kwartier-pg-"))
    try:
        user = _give_away(folder)
        store = folder / "store"
        _run(user, at / "initdb", "-D", store, "-U", _ROOT, "-A", "trust", "-E", "UTF8",
             "--no-locale", "--no-sync")  # fmt: skip
        lasting = "on" if durable else "off"
        options = (
            f"-k {folder} -c listen_addresses= -c fsync={lasting} "
            f"-c synchronous_commit={lasting} -c full_page_writes={lasting} "
            "-c shared_buffers=32MB -c max_connections=60 -c timezone=UTC"
        )
        log = folder / "log"
        server = _run(user, at / "pg_ctl", "-D", store, "-l", log, "-w", "-o", options, "start")
        assert "server started" in server, server
        try:
            yield Cluster(folder)
        finally:
            # By the process id in its own folder.
            _run(user, at / "pg_ctl", "-D", store, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give_away(folder: Path) -> list[str]:
    """Return the words before a command that make somebody else of root, who may not serve."""
    if os.geteuid() != 0:
        return []
    postgres = pwd.getpwnam("postgres")
    os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    ids = [f"--reuid={postgres.pw_uid}", f"--regid={postgres.pw_gid}"]
    return ["setpriv", *ids, "--clear-groups"]


def _run(before: list[str], *words: object) -> str:
    done = subprocess.run(
        [*before, *map(str, words)], capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
