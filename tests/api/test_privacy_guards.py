"""What is logged about people stays as it was written, on either database."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from api.cooperative.keys import make_keys
from api.people.accounts import SYSTEM, account_of, add_account, add_stay
from api.people.acts import first_broken
from api.people.book import PeopleBook
from api.people.errors import PeopleError
from api.people.looks import looks_at, note_look
from api.people.privacy import erase_account
from api.people.tables import PeopleBase
from api.people.visitor import Role, Stay, Visitor
from kwartier.clock import VirtualClock
from tests.api.cooperative.postgresql import OWNER, programs, running_cluster

DAY = date(2026, 10, 16)
CHANGES = (
    "UPDATE {0} SET account = 'x'",
    "DELETE FROM {0}",
)


def test_sqlite_refuses_every_change(tmp_path: Path) -> None:
    _refuses_every_change(f"sqlite:///{tmp_path / 'people.db'}", tmp_path, CHANGES)


@pytest.mark.nightly
def test_postgresql_refuses_every_change(tmp_path: Path) -> None:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with running_cluster() as cluster:
        cluster.create_roles()
        cluster.create("people")

        changes = (*CHANGES, "TRUNCATE {0} CASCADE")
        _refuses_every_change(cluster.url(OWNER, "people"), tmp_path, changes)


def test_erasing_knows_every_table_that_names_an_account() -> None:
    emptied = {
        *("session", "card", "password", "totp", "recovery", "passkey", "token"),
        *("wish", "message", "stay"),
    }
    overwritten = {"companion", "question"}
    by_id_only = {"grant_given", "look", "act", "consent_choice", "erasure", "steering_refusal"}

    naming = {
        table.name for table in PeopleBase.metadata.sorted_tables if "account" in table.columns
    }

    # A new table belongs in one of these, and in erase_account where it holds more than an id.
    assert naming == emptied | overwritten | by_id_only


def _refuses_every_change(url: str, folder: Path, changes: tuple[str, ...]) -> None:
    keys, clock = make_keys(folder / "keys"), VirtualClock(1_793_000_000)
    book = PeopleBook(url, keys, clock)
    again = PeopleBook(url, keys, clock)  # the guards of a second start change nothing
    with book.writing() as desk:
        account = add_account(desk, SYSTEM, name="Fatma")
        add_stay(desk, SYSTEM, account, "home-1", 0, None)
    looker = Visitor("a-board", frozenset({Role.BOARD}), frozenset({Role.BOARD}))
    note_look(book, looker, "home-1", "quarters", DAY, DAY, "a question")

    for table in ("look", "act"):
        for change in changes:
            with pytest.raises(PeopleError, match="never changed"), again.writing() as desk:
                desk.session.execute(text(change.format(table)))
    with book.writing() as desk:
        erase_account(desk, account)

    with book.reading() as desk:
        assert account_of(desk, account).name == ""
        assert first_broken(desk) is None
        assert len(looks_at(desk, account, [Stay("home-1")], 10)) == 1
    again.close()
    book.close()
