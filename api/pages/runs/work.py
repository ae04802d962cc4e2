"""Long work beside the pages: one thing at a time, with how far it is and how it ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from api.pages.runs.refusals import BusyError, Notice, notice_of
from kwartier.errors import KwartierError

MOST_KEPT = 16
"""How many pieces of work are remembered."""
PATIENCE_S = 1.0
"""How long a page waits for work before it tells how far it is [s]."""

Share: TypeAlias = Callable[[float], None]
"""Told how much is done, from 0 to 1."""


@dataclass(slots=True)
class Work:
    """One piece of work.

    Attributes:
        number: Its number since the start.
        what: Its words, such as ``compute``.
        subject: What it is about, such as ``2026-10``.
        officer: Who began it.
        share: How much is done, from 0 to 1.
        path: Where its result is shown; empty until it is done.
        refused: Why there is no result, or None.
        ended: Set when it is over.
    """

    number: int
    what: str
    subject: str
    officer: str
    share: float = 0.0
    path: str = ""
    refused: Notice | None = None
    ended: threading.Event = field(default_factory=threading.Event)


class Workshop:
    """Does one long thing at a time, in a thread of its own; safe to share between threads."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._lock = threading.Lock()
        self._known: dict[int, Work] = {}
        self._last = 0

    def begin(self, what: str, subject: str, officer: str, do: Callable[[Share], str]) -> Work:
        """Begin a piece of work; the same by the same officer twice is one.

        Args:
            what: Its words, such as ``compute``.
            subject: What it is about.
            officer: Who begins it.
            do: The work; returns where its result is shown.

        Raises:
            BusyError: Something else is under way.
        """
        with self._lock:
            running = self.running
            if running is not None:
                if (running.what, running.subject, running.officer) == (what, subject, officer):
                    return running
                raise BusyError(
                    f"{running.officer} began to {running.what} {running.subject}: "
                    "wait until that is done"
                )
            self._last += 1
            work = Work(self._last, what, subject, officer)
            self._known[work.number] = work
            while len(self._known) > MOST_KEPT:
                del self._known[next(iter(self._known))]
        # The books keep nothing of work that is cut off, so no stop has to wait for it.
        threading.Thread(target=_do, args=(work, do), name=f"work-{what}", daemon=True).start()
        work.ended.wait(PATIENCE_S)
        return work

    @property
    def running(self) -> Work | None:
        """What is under way, or None."""
        known = list(self._known.values())
        return next((work for work in reversed(known) if not work.ended.is_set()), None)

    def work(self, number: int) -> Work | None:
        """Return a piece of work, or None when it is forgotten."""
        return self._known.get(number)


def _do(work: Work, do: Callable[[Share], str]) -> None:
    def show(share: float) -> None:
        work.share = share

    try:
        work.path = do(show)
    except KwartierError as error:
        work.refused = notice_of(error)
    finally:
        work.ended.set()
