"""Whether a run adds up: quarters = days = lines = run = entries = papers."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.verify import Fault


def verify_runs(desk: Desk) -> list[Fault]:
    """Return what does not add up in the runs that are in the books; nothing when all does."""
    raise NotImplementedError
