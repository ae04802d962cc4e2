"""Slow hashes, one queue for all of them: two at once, a few that wait, and the rest is told so.

A hash of a password takes 64 MiB and a core. Without a bound a crowd of guessers takes the memory
of the whole house, and every thread that could have drawn a page.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.people.errors import TooOftenError

AT_ONCE = 2
"""How many hashes are made at the same time."""
WAITING = 8
"""How many more may wait for their turn."""
BUSY_WAIT_S = 5.0
"""How long somebody is asked to wait who found the queue full [s]."""


class SlowQueue:
    """Lets a few through at once and a few wait; safe to share between threads."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        """Let ``at_once`` through, and ``waiting`` more wait."""
        self._turns = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it.

        Raises:
            TooOftenError: Too many are waiting already.
        """
        if not self._places.acquire(blocking=False):
            raise TooOftenError(BUSY_WAIT_S)
        try:
            with self._turns:
                yield
        finally:
            self._places.release()


SLOW = SlowQueue()
"""The one queue of this process: it guards this machine's memory."""
