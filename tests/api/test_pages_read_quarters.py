"""Charts and tables of the pages are drawn without a look at single readings."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collectors.sqlite_store import SqliteStore
from tests.api.conftest import log_in, served
from tests.api.street import street

ADDRESSES = ("/", "/wijk", "/overzicht", "/api/v1/day", "/api/v1/now")


@pytest.mark.nightly
def test_every_chart_is_drawn_while_the_tables_of_single_readings_are_away(tmp_path: Path) -> None:
    with street(tmp_path) as made, served(made) as client:
        log_in(made, client, "huis-02")
        store = made.house.store
        assert isinstance(store, SqliteStore)
        told = {address: client.get(address).status_code for address in ADDRESSES}

        with closing(sqlite3.connect(store.path)) as other:
            for table in ("fresh", "settled"):
                other.execute(f"ALTER TABLE {table} RENAME TO no_{table}")
            other.commit()
        made.clock.advance(400)  # past what any answer may be kept
        without = {address: client.get(address).status_code for address in ADDRESSES}

    assert told == dict.fromkeys(ADDRESSES, 200)
    assert without == told
