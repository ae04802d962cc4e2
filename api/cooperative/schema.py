"""The books' tables on a real database, brought to the newest form by migrations."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

from api.relational import engine_of, writing

MIGRATIONS = Path(__file__).parent / "migrations"
_APPEND_ONLY = text(
    "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
    "WHERE t.tgname = c.relname || '_append_only'"
)


def bring_up_to_date(owner: str, books: str = "") -> None:
    """Create or change the tables until they are of the newest form.

    Args:
        owner: URL of the role that owns the tables.
        books: URL of the role the books work as; on PostgreSQL it may then look and add, and
            change only what no guard protects. Nothing is granted when it is the owner itself.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = owner
    command.upgrade(config, "head")
    role = make_url(books or owner).username
    if role and role != make_url(owner).username:
        _grant(owner, role)


def _grant(owner: str, role: str) -> None:
    """Give a role of PostgreSQL the rights it works with, and take every other one away."""
    engine = engine_of(owner)
    with writing(engine).begin() as connection:
        name = connection.dialect.identifier_preparer.quote(role)
        inspector = inspect(connection)
        whole = "IN SCHEMA public"
        for act in (
            f"REVOKE ALL ON ALL TABLES {whole} FROM {name}, PUBLIC",
            f"GRANT SELECT ON ALL TABLES {whole} TO {name}",
            f"GRANT USAGE, SELECT ON ALL SEQUENCES {whole} TO {name}",
        ):
            connection.exec_driver_sql(act)
        guarded = set(connection.scalars(_APPEND_ONLY))
        for table in sorted(set(inspector.get_table_names()) - {"alembic_version"}):
            rights = "INSERT" if table in guarded else "INSERT, UPDATE, DELETE"
            quoted = connection.dialect.identifier_preparer.quote(table)
            connection.exec_driver_sql(f"GRANT {rights} ON {quoted} TO {name}")
    engine.dispose()
