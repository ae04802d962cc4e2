"""Step 0001_ledger: nothing yet."""

from __future__ import annotations

revision = "0001_ledger"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
