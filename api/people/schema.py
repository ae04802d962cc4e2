"""The book of people's tables on a real database, brought to the newest form by migrations."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from api.people.guards import guard
from api.people.tables import PeopleBase
from api.relational import writing

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0003_steering"
"""The newest step."""
VERSION = "people_version"
"""The table that holds the step a database is at; the books have one of their own."""


def bring_up_to_date(engine: Engine) -> None:
    """Make the tables of a new database, or change those of an older one; guards come with them.

    A new one is made at once, without walking through every step: a test makes sure that both
    ways lead to the same tables.
    """
    with writing(engine).begin() as connection:
        at = _step(connection)
        if at is None:
            PeopleBase.metadata.create_all(connection)
            guard(connection)
            connection.exec_driver_sql(
                f"CREATE TABLE {VERSION} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
            )
            made = text(f"INSERT INTO {VERSION} VALUES (:head)")  # noqa: S608 - our own name
            connection.execute(made, {"head": HEAD})
            at = HEAD
    if at != HEAD:
        upgrade(engine)


def upgrade(engine: Engine) -> None:
    """Walk through every step that a database has not taken."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")


def _step(connection: Connection) -> str | None:
    """Return the step a database is at; None where it has no tables of ours."""
    if not inspect(connection).has_table(VERSION):
        return None
    found = connection.scalar(text(f"SELECT version_num FROM {VERSION}"))  # noqa: S608 - our name
    return "" if found is None else str(found)
