"""Step 0006_payments: nothing yet."""

from __future__ import annotations

revision = "0006_payments"
down_revision = "0005_runs"


def upgrade() -> None:
    """Make the tables."""
