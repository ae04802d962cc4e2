"""Which homes a published sum may cover, so that no sum and no pair of sums shows one home.

Two attacks are met. A sum over few homes shows them: below ``MIN_HOMES`` nothing is told. A sum
that is asked again after one late home came in differs by exactly that home: a quarter keeps the
homes it was first told over until at least ``MIN_HOMES`` others have joined them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Set as AbstractSet

from kwartier.units import EpochS

MIN_HOMES = 5
"""The fewest homes a sum may cover, and the fewest by which two sums of one quarter may differ."""
REMEMBERED_QUARTERS = 40_000
"""How many quarters are remembered: more than a year."""


class Disclosure:
    """Remembers over which homes each quarter's sum was told; safe to share between threads."""

    def __init__(self, min_homes: int = MIN_HOMES) -> None:
        """Start with nothing told."""
        self._min_homes = min_homes
        self._lock = threading.Lock()
        self._told: OrderedDict[EpochS, frozenset[str]] = OrderedDict()

    def homes_for(self, start_s: EpochS, known: AbstractSet[str]) -> frozenset[str] | None:
        """Return the homes that a quarter's sum may cover, or None when it may not be told.

        Args:
            start_s: The quarter [s].
            known: The homes whose energy in that quarter is known now.
        """
        with self._lock:
            before = self._told.get(start_s)
            if before is not None and 0 < len(before ^ known) < self._min_homes:
                return before if before <= known else None
            if len(known) < self._min_homes:
                return None
            told = before if before == known else frozenset(known)
            assert told is not None
            self._told[start_s] = told
            self._told.move_to_end(start_s)
            if len(self._told) > REMEMBERED_QUARTERS:
                self._told.popitem(last=False)
            return told
