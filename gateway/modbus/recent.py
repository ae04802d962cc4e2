"""What was just read from a line, for guests who ask for the same."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from hardware.registers import Words

FRESH_S = 1.0
"""How old an answer may be that is given a second time [s]."""
_MOST_KEPT = 128


@dataclass(frozen=True, slots=True)
class _Block:
    words: Words
    at_s: float


class RecentReads:
    """The last blocks read, each from one request; bounded, the oldest goes first."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._blocks: OrderedDict[tuple[int, int, int], _Block] = OrderedDict()

    def keep(self, unit: int, function_code: int, address: int, words: Words) -> None:
        """Keep what was read just now."""
        with self._lock:
            place = (unit, function_code, address)
            self._blocks[place] = _Block(words, self._monotonic())
            self._blocks.move_to_end(place)
            if len(self._blocks) > _MOST_KEPT:
                self._blocks.popitem(last=False)

    def find(self, unit: int, function_code: int, address: int, count: int) -> Words | None:
        """Return registers that stand within one fresh block, or None."""
        now_s = self._monotonic()
        with self._lock:
            for (its_unit, its_code, start), block in reversed(self._blocks.items()):
                if now_s - block.at_s > FRESH_S:
                    return None
                at = address - start
                if (its_unit, its_code) == (unit, function_code) and 0 <= at <= (
                    len(block.words) - count
                ):
                    return block.words[at : at + count]
        return None

    def forget(self, unit: int) -> None:
        """Forget one unit, as something was written to it."""
        with self._lock:
            for place in [place for place in self._blocks if place[0] == unit]:
                del self._blocks[place]
