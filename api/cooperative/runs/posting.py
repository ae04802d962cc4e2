"""Posting a run: all of its entries in one transaction, once."""

from __future__ import annotations

from api.cooperative.database import Desk


def post(desk: Desk, run: str) -> None:
    """Write an approved run into the books; of a correction the old entries are reversed first.

    Again on a posted run it changes nothing.

    Raises:
        StateError: It is not approved, or not exactly what was approved.
    """
    raise NotImplementedError
