"""A press of a button that does nothing now, and why."""

from __future__ import annotations

from kwartier.errors import KwartierError


class Refusal(KwartierError):  # noqa: N818 - it is an answer, shown as a sentence
    """A button cannot do that now; the key says why in words."""

    def __init__(self, key: str) -> None:
        """Keep the key of its words."""
        super().__init__(key)
        self.key = key
