"""The books' tables on a real database, brought to the newest form by migrations."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def bring_up_to_date(url: str) -> None:
    """Create or change the tables at a URL until they are of the newest form."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    command.upgrade(config, "head")
