"""Step 0005_runs: nothing yet."""

from __future__ import annotations

revision = "0005_runs"
down_revision = "0004_readings"


def upgrade() -> None:
    """Make the tables."""
