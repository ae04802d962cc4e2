"""Who is next on a line that carries one request at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from kwartier.errors import TemporaryError

MOST_WAITING = 64
"""Requests that may wait for one line; more are refused at once."""
PASSED_OVER = 4
"""After how many passes a lane that waits is due; of two that are due one is passed once more."""


class Lane(IntEnum):
    """How urgent a request is; the lowest number goes first."""

    COMMAND = 0
    """Something is written: a set-point, a release."""
    OWN = 1
    """The gateway reads for itself."""
    GUEST = 2
    """The resident's own program reads through us."""


class LineCrowdedError(TemporaryError):
    """Too many requests wait for this line, or one waited too long."""


class Turns:
    """Hands a line to one thread at a time: by lane, in order of arrival, none for ever last.

    Whoever has the turn does its own reading and writing, so a line nobody else wants costs
    no switch of threads. A lane that waits is passed over at most five times in a row.
    """

    def __init__(self, where: str, *, most_waiting: int = MOST_WAITING) -> None:
        """Begin with a free line; ``where`` names it in messages."""
        self._where = where
        self._most = most_waiting
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: dict[Lane, deque[threading.Event]] = {lane: deque() for lane in Lane}
        self._passed = dict.fromkeys(Lane, 0)

    @property
    def waiting(self) -> int:
        """How many requests wait now."""
        with self._lock:
            return self._count()

    @contextmanager
    def turn(self, lane: Lane, wait_s: float) -> Iterator[None]:
        """Have the line to oneself.

        Raises:
            LineCrowdedError: Too many wait already, or the turn did not come in time.
        """
        mine = self._queue(lane)
        if mine is not None and not mine.wait(wait_s):
            self._leave(lane, mine, wait_s)
        try:
            yield
        finally:
            self._pass_on()

    def _queue(self, lane: Lane) -> threading.Event | None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return None
            count = self._count()
            if count >= self._most:
                raise LineCrowdedError(f"{self._where}: {count} requests wait already: ask less")
            mine = threading.Event()
            self._waiting[lane].append(mine)
            return mine

    def _leave(self, lane: Lane, mine: threading.Event, wait_s: float) -> None:
        with self._lock:
            if mine.is_set():
                return  # the turn came at the last moment
            self._waiting[lane].remove(mine)
        raise LineCrowdedError(f"{self._where}: no turn within {wait_s:g} s: too much is asked")

    def _pass_on(self) -> None:
        with self._lock:
            lanes = [lane for lane in Lane if self._waiting[lane]]
            if not lanes:
                self._taken = False
                return
            late = [lane for lane in lanes if self._passed[lane] >= PASSED_OVER]
            chosen = (late or lanes)[0]
            for lane in lanes:
                self._passed[lane] += 1
            self._passed[chosen] = 0
            self._waiting[chosen].popleft().set()

    def _count(self) -> int:
        return sum(len(queue) for queue in self._waiting.values())
