"""The record in SQLite keeps every promise of a store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collectors.sqlite_store import SqliteStore
from tests.collectors.store_conformance import NewStore, StoreLaws

OPEN_AT_ONCE = 4


@pytest.fixture(scope="module")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewStore]:
    """Make an empty store each time it is called; the last few stay open."""
    folder = tmp_path_factory.mktemp("stores")
    opened: list[SqliteStore] = []

    def make() -> SqliteStore:
        opened.append(SqliteStore(folder / f"{len(opened)}.db"))
        for store in opened[:-OPEN_AT_ONCE]:
            store.close()
        return opened[-1]

    yield make
    for store in opened:
        store.close()


class TestSqlite(StoreLaws):
    """The promises, kept by SQLite."""
