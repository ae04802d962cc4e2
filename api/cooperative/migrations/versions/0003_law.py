"""Step 0003_law: nothing yet."""

from __future__ import annotations

revision = "0003_law"
down_revision = "0002_registry"


def upgrade() -> None:
    """Make the tables."""
