"""The tables of the book of people: made at once or step by step, they are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from api.people.schema import HEAD, VERSION, bring_up_to_date, upgrade
from api.people.tables import PeopleBase
from api.relational import engine_of, writing


def shape(connection: Connection) -> list[tuple[str, str]]:
    """Return the names of all tables, indexes and guards."""
    rows = connection.execute(text("select type, name from sqlite_master order by type, name"))
    return [(str(kind), str(name)) for kind, name in rows if not name.startswith("sqlite_auto")]


def test_both_ways_lead_to_the_same_tables(tmp_path: Path) -> None:
    at_once, stepwise = (engine_of(f"sqlite:///{tmp_path / name}") for name in ("a.db", "b.db"))

    bring_up_to_date(at_once)
    upgrade(stepwise)

    with at_once.connect() as one, stepwise.connect() as other:
        assert shape(one) == shape(other)
        context = MigrationContext.configure(other, opts={"version_table": VERSION})
        assert compare_metadata(context, PeopleBase.metadata) == []
        assert other.scalar(text("select version_num from people_version")) == HEAD
    at_once.dispose()
    stepwise.dispose()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    engine = engine_of(f"sqlite:///{tmp_path / 'a.db'}")
    bring_up_to_date(engine)
    with engine.connect() as connection:
        before = shape(connection)

    bring_up_to_date(engine)

    with engine.connect() as connection:
        assert shape(connection) == before
    engine.dispose()


@pytest.mark.parametrize("table", ["act", "look", "gateway_handover"])
def test_the_steps_bring_the_guards(tmp_path: Path, table: str) -> None:
    engine = engine_of(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(engine)

    with writing(engine).begin() as connection:
        guards = connection.scalars(
            text("select name from sqlite_master where type = 'trigger' and tbl_name = :table"),
            {"table": table},
        )
        assert len(list(guards)) == 2
    engine.dispose()
