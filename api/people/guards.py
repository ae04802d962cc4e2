"""Guards that the database keeps by itself: acts and looks are added, and stay as they are."""

from __future__ import annotations

from sqlalchemy import Connection

from api.people.tables import ActRow, LookRow

ONLY_ADDED = (ActRow.__tablename__, LookRow.__tablename__)
"""The tables whose rows are never changed or taken out; both name people by their ids only."""
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION people_only_added() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0]; END $$"
)


def guard(connection: Connection) -> None:
    """Let rows of the logs be added only; doing it again changes nothing."""
    on_postgresql = connection.dialect.name == "postgresql"
    if on_postgresql:
        connection.exec_driver_sql(_FUNCTION)
    for table in ONLY_ADDED:
        for statement in _postgresql(table) if on_postgresql else _sqlite(table):
            connection.exec_driver_sql(statement)


def _sqlite(table: str) -> list[str]:
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{act.lower()} BEFORE {act} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{_message(table)}'); END"
        for act in ("UPDATE", "DELETE")
    ]


def _postgresql(table: str) -> list[str]:
    told = f"EXECUTE FUNCTION people_only_added('{_message(table)}')"
    head = "CREATE OR REPLACE TRIGGER"
    return [
        f"{head} {table}_only_added BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {told}",
        f"{head} {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {told}",
    ]


def _message(table: str) -> str:
    return f"{table} is added to and never changed: add a row that corrects it"
