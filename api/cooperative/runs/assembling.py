"""The members' statements of a run, from what was frozen and what was numbered."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.settings import CoopSettings
from api.cooperative.statement import Statement


def statements(desk: Desk, settings: CoopSettings, run: str) -> list[Statement]:
    """Return every member's statement of a run, in order of their ids.

    A statement whose papers are numbered is what was numbered, word for word.
    """
    raise NotImplementedError
