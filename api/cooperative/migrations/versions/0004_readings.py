"""Step 0004_readings: nothing yet."""

from __future__ import annotations

revision = "0004_readings"
down_revision = "0003_law"


def upgrade() -> None:
    """Make the tables."""
