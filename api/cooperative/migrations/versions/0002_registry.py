"""Step 0002_registry: nothing yet."""

from __future__ import annotations

revision = "0002_registry"
down_revision = "0001_ledger"


def upgrade() -> None:
    """Make the tables."""
