"""What the database refuses by itself, whoever writes to it and with whatever program."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.cooperative import tables
from api.cooperative.books import post
from api.cooperative.chain import publish_head
from api.cooperative.database import Books, Desk
from api.cooperative.documents import Series, issue
from api.cooperative.errors import BooksError
from api.cooperative.four_eyes import Matter, approve, propose
from api.cooperative.officers import Officer
from api.cooperative.periods import lock
from api.cooperative.tables.base import Base
from api.relational import writing
from tests.api.cooperative.conftest import FreshBooks
from tests.api.cooperative.journals import JULY_31, bill

TABLES = (
    "chart",
    "entry",
    "posting",
    "audit",
    "head",
    "period_lock",
    "document",
    "proposal",
    "verdict",
)
ENTRY = (
    "INSERT INTO entry (id, year, number, day, period, service_period, source, key, body_hash,"
    " reference, item, reason, decision, officer, at_s, hash) VALUES"
    " (:id, 2026, :number, '2026-07-31', :period, '', :source, :key, '', '', '', '', '', 'x',"
    " 1, '')"
)
PAST_THE_GUARDS = (
    "UPDATE entry SET reason = 'x'",
    "DELETE FROM audit",
    "TRUNCATE posting",
    "DROP TRIGGER entry_append_only ON entry",
    "ALTER TABLE entry DISABLE TRIGGER ALL",
    "DROP TABLE audit",
    "CREATE TABLE own (x integer)",
    "SET session_replication_role = replica",
    "UPDATE alembic_version SET version_num = ''",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'x'",
)
POSTING = "INSERT INTO posting VALUES (:entry, :line, :chart, '', :unit, :amount, 'energy')"


@pytest.fixture
def full(books: Books, treasurer: Officer, board: Officer) -> Books:
    """Books with a row in every table of the ledger."""
    with books.desk(treasurer) as desk:
        posted = post(desk, bill("anna", "1"))
        issue(desk, Series.INVOICE, "anna", JULY_31, {"amount_cents": 1210}, posted.id)
        proposed = propose(desk, Matter.KEY, "key-1", {"type": "equal"})
        lock(desk, "2026-06")
    with books.desk(board) as desk:
        approve(desk, proposed.id, proposed.body_hash)
        publish_head(desk)
    return books


def test_nothing_that_was_written_is_changed_or_taken_out(full: Books) -> None:
    for table in TABLES:
        (column, *_) = Base.metadata.tables[table].columns.keys()
        for act in (
            f"UPDATE {table} SET {column} = {column}",  # noqa: S608 - names of ours
            f"DELETE FROM {table}",  # noqa: S608
        ):
            with pytest.raises(DBAPIError), writing(full.engine).begin() as connection:
                connection.execute(text(act))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "two lines"),
        ([("bank:main", "EUR_cent", 0)], "two lines"),
        ([("bank:main", "EUR_cent", 5), ("coop:fees", "EUR_cent", -4)], "zero"),
        ([("bank:main", "EUR_cent", 5), ("wijk:issued", "WIJK_cent", -5)], "unit"),
    ],
)
def test_an_entry_that_does_not_balance_does_not_exist(
    books: Books, treasurer: Officer, lines: list[tuple[str, str, int]], message: str
) -> None:
    with pytest.raises(BooksError, match=message), books.desk(treasurer) as desk:
        insert_by_hand(desk, lines)


def test_postings_without_an_entry_do_not_stay(books: Books, treasurer: Officer) -> None:
    with pytest.raises(BooksError), books.desk(treasurer) as desk:
        add_posting(desk, 1, 1, "bank:main", "EUR_cent", 5)


def test_an_entry_takes_no_posting_any_more(full: Books, treasurer: Officer) -> None:
    with pytest.raises(BooksError, match="complete"), full.desk(treasurer) as desk:
        add_posting(desk, 1, 9, "bank:main", "EUR_cent", 0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": 3}, "entry has no gaps"),
        ({"number": 7}, "no gaps in their numbers"),
        ({"period": "2026-08"}, "another period"),
        ({"source": "write-off"}, "write-off needs"),
        ({"source": "manual"}, "above the limit"),
        ({"source": "run", "key": "1"}, "(?i)unique"),
    ],
)
def test_an_entry_out_of_order_is_refused(
    full: Books, treasurer: Officer, row: dict[str, object], message: str
) -> None:
    lines = [("bank:main", "EUR_cent", 25_001), ("coop:fees", "EUR_cent", -25_001)]

    with pytest.raises(BooksError, match=message), full.desk(treasurer) as desk:
        insert_by_hand(desk, lines, **{"id": 2, "number": 2} | row)


def test_a_locked_month_is_locked_for_everybody(full: Books, treasurer: Officer) -> None:
    lines = [("bank:main", "EUR_cent", 1), ("coop:fees", "EUR_cent", -1)]
    with full.desk(treasurer) as desk:
        lock(desk, "2026-07")

    with pytest.raises(BooksError, match="period is locked"), full.desk(treasurer) as desk:
        insert_by_hand(desk, lines, id=2, number=2)


def test_the_rounding_account_stays_at_zero(books: Books, treasurer: Officer) -> None:
    lines = [("coop:rounding", "EUR_cent", 1), ("bank:main", "EUR_cent", -1)]

    with pytest.raises(BooksError, match="rounding"), books.desk(treasurer) as desk:
        insert_by_hand(desk, lines)


def test_a_posting_counts_in_its_accounts_own_unit(books: Books, treasurer: Officer) -> None:
    lines = [("bank:main", "Wh", 1), ("coop:fees", "Wh", -1)]

    with pytest.raises(BooksError), books.desk(treasurer) as desk:
        insert_by_hand(desk, lines)


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
def test_nothing_is_changed_by_writing_over_it(full: Books) -> None:
    for table in TABLES:
        over = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"  # noqa: S608
        with pytest.raises(DBAPIError), writing(full.engine).begin() as connection:
            connection.execute(text(over))


@pytest.mark.parametrize("books_url", ["postgresql"], indirect=True)
def test_the_role_of_the_books_may_look_and_add_and_no_more(full: Books) -> None:
    for act in PAST_THE_GUARDS:
        with (
            pytest.raises(DBAPIError, match=r"permission denied|must be owner"),
            writing(full.engine).begin() as connection,
        ):
            connection.execute(text(act))


def test_the_tables_are_what_the_code_says(fresh_books: FreshBooks) -> None:
    for found in pkgutil.iter_modules(tables.__path__, f"{tables.__name__}."):
        importlib.import_module(found.name)
    with fresh_books().engine.connect() as connection:
        context = MigrationContext.configure(connection)

        assert compare_metadata(context, Base.metadata) == []


def insert_by_hand(desk: Desk, lines: list[tuple[str, str, int]], **row: object) -> None:
    """Write an entry past all of the product's code."""
    whole = {"id": 1, "number": 1, "period": "2026-07", "source": "x", "key": "x"} | row
    for number, line in enumerate(lines, 1):
        add_posting(desk, int(str(whole["id"])), number, *line)
    desk.session.execute(text(ENTRY), whole)


def add_posting(desk: Desk, entry: int, line: int, chart: str, unit: str, amount: int) -> None:
    """Write a posting past all of the product's code."""
    values = {"entry": entry, "line": line, "chart": chart, "unit": unit, "amount": amount}
    desk.session.execute(text(POSTING), values)
