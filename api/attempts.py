"""How often something may be tried: a window per key, and a limit on how many keys."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque

from kwartier.clock import Clock


class Attempts:
    """Counts tries per key within a sliding window; safe to share between threads."""

    def __init__(self, clock: Clock, most: int, window_s: float, keys: int = 10_000) -> None:
        """Allow ``most`` tries per key in ``window_s``; remember ``keys`` keys."""
        self._clock = clock
        self._most = most
        self._window_s = window_s
        self._keys = keys
        self._lock = threading.Lock()
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Count a try and return 0, or return how long to wait before the next [s]."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            tries = self._tries.setdefault(key, deque())
            self._tries.move_to_end(key)
            while tries and now_s - tries[0] >= self._window_s:
                tries.popleft()
            if len(tries) >= self._most:
                return self._window_s - (now_s - tries[0])
            tries.append(now_s)
            if len(self._tries) > self._keys:
                self._tries.popitem(last=False)
            return 0.0

    def give_back(self, key: str) -> None:
        """Take back the newest try of a key."""
        with self._lock:
            tries = self._tries.get(key)
            if tries:
                tries.pop()

    def forget(self, key: str) -> None:
        """Start again for a key: it was right."""
        with self._lock:
            self._tries.pop(key, None)
