"""A small memory of answers that cannot change: bounded, and forgotten after a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Kept(Generic[Key, Answer]):
    """Answers by what was asked, the least recently asked forgotten first; for all threads."""

    def __init__(self, most: int, age_s: float) -> None:
        """Keep some answers for a while.

        Args:
            most: How many.
            age_s: How long each [s].
        """
        self._most, self._age_s = most, age_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, tuple[float, Answer]] = OrderedDict()

    def of(self, key: Key, ask: Callable[[], Answer]) -> Answer:
        """Return what is kept, or ask and keep that; two threads may ask at once."""
        now_s = time.monotonic()
        with self._lock:
            found = self._kept.get(key)
            if found is not None and now_s - found[0] < self._age_s:
                self._kept.move_to_end(key)
                return found[1]
        answer = ask()
        with self._lock:
            self._kept[key] = (now_s, answer)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return answer
