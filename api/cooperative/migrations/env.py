"""Runs the migrations inside one transaction on the database that was named."""

from __future__ import annotations

from alembic import context

from api.cooperative.tables import law as _law  # noqa: F401 - so that it is known
from api.cooperative.tables import ledger as _ledger  # noqa: F401 - so that it is known
from api.cooperative.tables import payments as _payments  # noqa: F401 - so that it is known
from api.cooperative.tables import readings as _readings  # noqa: F401 - so that it is known
from api.cooperative.tables import registry as _registry  # noqa: F401 - so that it is known
from api.cooperative.tables import runs as _runs  # noqa: F401 - so that it is known
from api.cooperative.tables.base import Base
from api.relational import engine_of, writing


def run() -> None:
    """Bring the database of this run up to date."""
    engine = engine_of(context.config.attributes["url"])
    with writing(engine).connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
