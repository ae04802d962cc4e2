"""Numbering a run's papers: an invoice for what is owed, a purchase note for what was earned."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.documents import Document
from api.cooperative.settings import CoopSettings


def invoice(desk: Desk, settings: CoopSettings, run: str) -> list[Document]:
    """Give every member's papers their numbers, and return them.

    The body of an invoice or purchase note is the member's statement. A correction credits each
    old paper of a member whose amounts change and issues new ones; others get nothing.

    Raises:
        StateError: It is not posted.
    """
    raise NotImplementedError
