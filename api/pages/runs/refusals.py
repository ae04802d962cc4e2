"""What the books refuse, as a notice that somebody can do something with."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from api.cooperative.errors import (
    BooksError,
    ConflictError,
    NotAllowedError,
    StateError,
    TamperedError,
)
from api.cooperative.runs import Run
from kwartier.errors import KwartierError, TemporaryError


class StalePageError(StateError):
    """A form was sent from a page that is no longer true: somebody took another step."""

    def __init__(self, run: Run) -> None:
        """Keep where the run stands now."""
        super().__init__(
            f"run {run.id} is {run.state} since {run.last.officer} took a step: look at it again"
        )
        self.run = run


class SamePersonError(NotAllowedError):
    """Who proposed something wants to approve it too."""


class NotLookedError(BooksError):
    """Somebody wants to approve what was not looked at: a tick or the letters are missing."""


class ReasonError(BooksError):
    """A reason is too short or too long."""


class BusyError(StateError):
    """Something that takes long is under way already; one thing is done at a time."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What was refused.

    Attributes:
        key: Its words: ``runs.refused.<key>``, and what to do in ``runs.refused.<key>.do``.
        said: What the books say themselves, in English; empty when our words say it all.
        status: The answer's status.
    """

    key: str
    said: str
    status: HTTPStatus


_KINDS: tuple[tuple[type[KwartierError], str, HTTPStatus], ...] = (
    (SamePersonError, "same_person", HTTPStatus.FORBIDDEN),
    (NotLookedError, "not_looked", HTTPStatus.UNPROCESSABLE_ENTITY),
    (ReasonError, "reason", HTTPStatus.UNPROCESSABLE_ENTITY),
    (StalePageError, "stale", HTTPStatus.CONFLICT),
    (BusyError, "busy", HTTPStatus.CONFLICT),
    (TamperedError, "tampered", HTTPStatus.CONFLICT),
    (NotAllowedError, "not_allowed", HTTPStatus.FORBIDDEN),
    (ConflictError, "conflict", HTTPStatus.CONFLICT),
    (StateError, "state", HTTPStatus.CONFLICT),
    (TemporaryError, "later", HTTPStatus.SERVICE_UNAVAILABLE),
)
_WHOLE = frozenset({"same_person", "not_looked", "reason", "stale", "busy"})
"""Notices whose own words say everything."""


def notice_of(error: KwartierError) -> Notice:
    """Return an error of the books as a notice."""
    for kind, key, status in _KINDS:
        if isinstance(error, kind):
            return Notice(key, "" if key in _WHOLE else str(error), status)
    return Notice("books", str(error), HTTPStatus.UNPROCESSABLE_ENTITY)
