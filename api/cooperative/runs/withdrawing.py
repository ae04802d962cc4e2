"""Giving a run up before it is posted."""

from __future__ import annotations

from api.cooperative.database import Desk


def withdraw(desk: Desk, run: str, reason: str) -> None:
    """Give a run up that is not posted; the month can then be computed as a new version."""
    raise NotImplementedError
