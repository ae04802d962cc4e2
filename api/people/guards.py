"""Guards that the database keeps by itself: acts, looks and handovers stay as they were added.

Looks and handovers may be taken out when they are old by the database's own clock; acts never.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from api.people.tables import ActRow, HandoverRow, LookRow

ONLY_ADDED = (ActRow.__tablename__, LookRow.__tablename__, HandoverRow.__tablename__)
"""The tables whose rows are never changed; a handover is sealed, the others name people by ids."""
LOOK_DAYS = 730
"""How long it stays written who looked [days]."""
HANDOVER_DAYS = 2_557
"""How long it stays written how a home was handed over: as long as books do [days]."""
_SOME_DAY_S = {
    LookRow.__tablename__: LOOK_DAYS * 86_400,
    HandoverRow.__tablename__: HANDOVER_DAYS * 86_400,
}
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION people_only_added() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_ARGV[0]; END $$"
)


def guard(connection: Connection, tables: Sequence[str] = ONLY_ADDED) -> None:
    """Let rows of the logs be added only; doing it again changes nothing."""
    on_postgresql = connection.dialect.name == "postgresql"
    if on_postgresql:
        connection.exec_driver_sql(_FUNCTION)
    for table in tables:
        for statement in _postgresql(table) if on_postgresql else _sqlite(table):
            connection.exec_driver_sql(statement)


def _sqlite(table: str) -> list[str]:
    now = "CAST(strftime('%s', 'now') AS INTEGER)"
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{act.lower()} BEFORE {act} ON {table} "
        f"{when} BEGIN SELECT RAISE(ABORT, '{_message(table)}'); END"
        for act, when in (("UPDATE", ""), ("DELETE", _unless_old(table, now)))
    ]


def _postgresql(table: str) -> list[str]:
    told = f"EXECUTE FUNCTION people_only_added('{_message(table)}')"
    head, when = "CREATE OR REPLACE TRIGGER", _unless_old(table, "EXTRACT(EPOCH FROM now())")
    return [
        f"{head} {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {told}",
        f"{head} {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {when} {told}",
        f"{head} {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {told}",
    ]


def _unless_old(table: str, now: str) -> str:
    """Return the condition under which a row may not be taken out; nothing for never."""
    if table not in _SOME_DAY_S:
        return ""
    return f"WHEN (OLD.at_s > {now} - {_SOME_DAY_S[table]})"


def _message(table: str) -> str:
    return f"{table} is added to and never changed: add a row that corrects it"
