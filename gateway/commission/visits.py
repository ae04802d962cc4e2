"""Who is connected to the wizard: few at once, fewer from one place, and none for long.

A silence ends by the handler's own time-out; who sends a letter now and then would hold a thread
for ever without this.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Hashable
from contextlib import suppress

MOST_AT_ONCE = 16
MOST_OF_ONE = 8
"""Connections of one address: a neighbour alone cannot take all, its oldest ends for a new one."""
LONGEST_S = 45.0
"""How long one may last, what the server is asked on the way included [s]."""


class Visits:
    """Counts connections and ends those that last too long; safe to share between threads."""

    def __init__(
        self, longest_s: float = LONGEST_S, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with nobody."""
        self._longest_s, self._now_s = longest_s, now_s
        self._lock = threading.Lock()
        self._here: dict[Hashable, tuple[str, float, socket.socket]] = {}

    def come(self, visitor: socket.socket, address: str) -> bool:
        """Take a connection in, and return whether it may stay.

        A browser keeps connections open that it does not use: where one address has too many, its
        oldest makes room, so that a page never comes without its style.
        """
        with self._lock:
            same = [key for key, (each, _, _) in self._here.items() if each == address]
            if len(same) >= MOST_OF_ONE:
                _, _, oldest = self._here.pop(same[0])
                with suppress(OSError):  # it may just have gone
                    oldest.shutdown(socket.SHUT_RDWR)
            if len(self._here) >= MOST_AT_ONCE:
                return False
            self._here[id(visitor)] = (address, self._now_s(), visitor)
            return True

    def go(self, visitor: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._here.pop(id(visitor), None)

    def end_late(self) -> None:
        """End connections that last too long; their threads then end by themselves."""
        latest_s = self._now_s() - self._longest_s
        with self._lock:
            late = [each for _, begun_s, each in self._here.values() if begun_s <= latest_s]
        for visitor in late:
            with suppress(OSError):  # it may just have gone
                visitor.shutdown(socket.SHUT_RDWR)
