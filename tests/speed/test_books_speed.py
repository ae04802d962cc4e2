"""How fast the books post with every entry safe on the disk, and how fast they are looked over."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from api.cooperative.books import post
from api.cooperative.chain import record
from api.cooperative.database import Books
from api.cooperative.keys import make_keys
from api.cooperative.links import Chain, audit_links, broken_links, ledger_links
from api.cooperative.officers import Officer, Role
from api.cooperative.schema import bring_up_to_date
from kwartier.clock import SystemClock
from tests.api.cooperative.journals import bill
from tests.api.cooperative.postgresql import BOOKS, OWNER, programs, running_cluster

pytestmark = pytest.mark.speed
TREASURER = Officer("treasurer", "anna", frozenset({Role.TREASURER}))
POSTINGS = 300
ROWS = 50_000
ENTRIES = 10_000


def per_second(count: int, act: Callable[[int], object]) -> float:
    """Return how often an act is done in a second."""
    begun = time.perf_counter()
    for number in range(count):
        act(number)
    return count / (time.perf_counter() - begun)


def posting_rate(books: Books) -> float:
    """Return postings a second, each in a transaction of its own."""

    def act(number: int) -> None:
        with books.desk(TREASURER) as desk:
            post(desk, bill("anna", str(number)))

    return per_second(POSTINGS, act)


def test_postings_with_full_durability(tmp_path: Path) -> None:
    keys = make_keys(tmp_path / "keys")
    file = tmp_path / "books.db"
    bring_up_to_date(f"sqlite:///{file}")
    books = Books(f"sqlite:///{file}", keys, SystemClock())
    print(f"\n{'database':<12}{'bare insert/s':>15}{'postings/s':>12}{'part':>7}")
    with closing(sqlite3.connect(tmp_path / "bare.db", isolation_level=None)) as bare:
        for words in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE t (x)"):
            bare.execute(words)
        baseline = per_second(POSTINGS, lambda n: bare.execute("INSERT INTO t VALUES (?)", (n,)))
    rate = posting_rate(books)
    books.close()
    print(f"{'SQLite':<12}{baseline:>15.0f}{rate:>12.0f}{rate / baseline:>7.2f}")

    assert rate > 25


@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")
def test_postings_with_full_durability_on_postgresql(tmp_path: Path) -> None:
    keys = make_keys(tmp_path / "keys")
    with running_cluster(durable=True) as cluster:
        cluster.create_roles()
        cluster.create("books")
        owner, url = cluster.url(OWNER, "books"), cluster.url(BOOKS, "books")
        bring_up_to_date(owner, url)
        words = make_url(owner).set(drivername="postgresql")
        with psycopg.connect(words.render_as_string(), autocommit=True) as bare:
            bare.execute("CREATE TABLE t (x integer)")
            baseline = per_second(
                POSTINGS, lambda n: bare.execute("INSERT INTO t VALUES (%s)", (n,))
            )
        books = Books(url, keys, SystemClock())
        rate = posting_rate(books)
        books.close()
    print(f"\n{'PostgreSQL':<12}{baseline:>15.0f}{rate:>12.0f}{rate / baseline:>7.2f}")

    assert rate > 25


def test_looking_both_chains_over(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    bring_up_to_date(url)
    books = Books(url, make_keys(tmp_path / "keys"), SystemClock())
    with books.desk(TREASURER) as desk:
        for number in range(ENTRIES):
            post(desk, bill("anna", str(number)))
        for number in range(ROWS - ENTRIES):
            record(desk, "reading.look", f"c{number}", {"day": "2026-07-31"})
    print(f"\n{'chain':<12}{'rows':>8}{'link only/s':>14}{'from the file/s':>17}")
    for chain, read in ((Chain.AUDIT, audit_links), (Chain.LEDGER, ledger_links)):
        link = books.keys.linker(chain)
        with books.reading(TREASURER) as desk:
            begun = time.perf_counter()
            links = list(read(desk.session))
            middle = time.perf_counter()
            assert broken_links(links, link, {}) == []
            ended = time.perf_counter()
        only, whole = len(links) / (ended - middle), len(links) / (ended - begun)
        print(f"{chain:<12}{len(links):>8}{only:>14.0f}{whole:>17.0f}")

        assert whole > 2_000
    books.close()
