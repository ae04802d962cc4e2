"""What time it is, handed in: the wall's time and a count that never jumps."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time; whoever needs one is handed one."""

    def now_s(self) -> float:
        """Return the wall's time [s since 1970-01-01T00:00Z]; it may jump."""

    def monotonic_s(self) -> float:
        """Return a count [s] that never goes back or jumps; its zero means nothing."""


class SystemClock:
    """The machine's own clocks."""

    def now_s(self) -> float:
        """Return the wall's time [s]."""
        return time.time()

    def monotonic_s(self) -> float:
        """Return the monotonic count [s]."""
        return time.monotonic()


class VirtualClock:
    """A clock that stands still until it is moved; both counts move together."""

    def __init__(self, now_s: float) -> None:
        """Start at an instant [s]."""
        self._lock = threading.Lock()
        self._now_s = now_s
        self._monotonic_s = 0.0

    def now_s(self) -> float:
        """Return the virtual wall's time [s]."""
        with self._lock:
            return self._now_s

    def monotonic_s(self) -> float:
        """Return the virtual monotonic count [s]."""
        with self._lock:
            return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Move both counts forward."""
        assert seconds >= 0, seconds
        with self._lock:
            self._now_s += seconds
            self._monotonic_s += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall's time only, as a wrong clock that is set right does."""
        with self._lock:
            self._now_s += seconds
