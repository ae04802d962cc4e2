"""Computing a run: inputs frozen, everybody's result stored, checks made."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.settings import CoopSettings


def compute(desk: Desk, settings: CoopSettings, period: str) -> str:
    """Compute the run of a month that is under way, or begin one; return its name.

    On unchanged data nothing is added: the same run, computation and hash come back.

    Args:
        desk: The open books.
        settings: The cooperative.
        period: The month, such as ``2026-07``.

    Raises:
        StateError: The month's run is proposed or further: correct it instead.
        BooksError: Something is not in force in the month; the message names it.
    """
    raise NotImplementedError
