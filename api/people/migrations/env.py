"""Runs the migrations inside one transaction on the database that was named."""

from __future__ import annotations

from alembic import context

from api.people.schema import VERSION
from api.people.tables import PeopleBase
from api.relational import writing


def run() -> None:
    """Bring the database of this run up to date."""
    with writing(context.config.attributes["engine"]).connect() as connection:
        context.configure(
            connection=connection, target_metadata=PeopleBase.metadata, version_table=VERSION
        )
        with context.begin_transaction():
            context.run_migrations()


run()
