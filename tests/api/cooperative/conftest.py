"""Books to test with, on SQLite and on PostgreSQL, each test with its own."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.cooperative.database import Books
from api.cooperative.keys import Keys, make_keys
from api.cooperative.officers import Officer, Role
from api.cooperative.schema import bring_up_to_date
from kwartier.clock import VirtualClock
from tests.api.cooperative.postgresql import BOOKS, OWNER, Cluster, programs, running_cluster
from tests.api.cooperative.stages import stages as stages  # noqa: PLC0414 - a fixture

AUGUST_S = 1785571200
"""2026-08-01T08:00:00Z, the morning on which July is settled [s]."""
_TEMPLATE = "books_template"

FreshBooks = Callable[[], Books]
"""Makes books that nobody wrote in; they are closed when the test ends."""


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that stands at ten in the morning of 2026-08-01 in Amsterdam."""
    return VirtualClock(AUGUST_S)


@pytest.fixture
def treasurer() -> Officer:
    """The treasurer: prepares, proposes and posts."""
    return Officer("treasurer", "anna", frozenset({Role.TREASURER}))


@pytest.fixture
def treasurer_at_home() -> Officer:
    """A second account of the treasurer's, who is one pair of eyes all the same."""
    return Officer("treasurer-at-home", "anna", frozenset({Role.TREASURER, Role.BOARD}))


@pytest.fixture
def board() -> Officer:
    """A member of the board, another person than the treasurer."""
    return Officer("board", "bram", frozenset({Role.BOARD}))


@pytest.fixture
def bookkeeper() -> Officer:
    """The bookkeeper, who decides nothing."""
    return Officer("bookkeeper", "carla", frozenset({Role.BOOKKEEPER}))


@pytest.fixture
def auditor() -> Officer:
    """The auditor, who writes nothing."""
    return Officer("auditor", "dirk", frozenset({Role.AUDITOR}))


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """The books' keys, in ``keys`` of the test's folder."""
    return make_keys(tmp_path / "keys")


@pytest.fixture
def books(fresh_books: FreshBooks) -> Books:
    """Books nobody wrote in; the test runs once on SQLite and once on PostgreSQL."""
    return fresh_books()


@pytest.fixture
def fresh_books(
    books_url: Callable[[], str], keys: Keys, clock: VirtualClock
) -> Iterator[FreshBooks]:
    """A maker of books, for a test that needs more than one."""
    opened: list[Books] = []

    def fresh() -> Books:
        opened.append(Books(books_url(), keys, clock))
        return opened[-1]

    yield fresh
    for each in opened:
        each.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def books_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """A maker of addresses of new databases with all tables and no rows."""
    numbers = itertools.count(1)
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")

        def new_file() -> str:
            file = tmp_path / f"books{next(numbers)}.db"
            shutil.copy(template, file)
            return f"sqlite:///{file}"

        yield new_file
        return
    cluster: Cluster = request.getfixturevalue("postgresql")
    made: list[str] = []

    def new_database() -> str:
        made.append(f"books_{abs(hash(tmp_path))}_{next(numbers)}")
        cluster.create(made[-1], _TEMPLATE)
        return cluster.url(BOOKS, made[-1])

    yield new_database
    for name in made:
        cluster.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and no rows."""
    file = tmp_path_factory.mktemp("template") / "books.db"
    bring_up_to_date(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server with two roles and a template of the books."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with running_cluster() as cluster:
        cluster.create_roles()
        cluster.create(_TEMPLATE)
        bring_up_to_date(cluster.url(OWNER, _TEMPLATE), cluster.url(BOOKS, _TEMPLATE))
        yield cluster
