"""Correcting a run that was posted: a new version, and never a change."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.settings import CoopSettings


def correct(
    desk: Desk, settings: CoopSettings, period: str, reason: str, decision: str = ""
) -> str:
    """Begin and compute the next version of a month that is in the books; return its name.

    Posting it takes back every entry of the version before in full and books the new ones, dated
    in the open period.

    Args:
        desk: The open books.
        settings: The cooperative.
        period: The month, such as ``2026-07``.
        reason: Why, in words for the members; ten letters or more.
        decision: The board's decision; needed when the correction window has passed.

    Raises:
        StateError: There is nothing to correct, or a correction is under way.
        NotAllowedError: The window has passed and no decision is named.
    """
    raise NotImplementedError
