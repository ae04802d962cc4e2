"""What was told of each quarter, remembered so that no later answer gives a home away."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kwartier.units import EpochS, Wh

REMEMBERED_S = 400 * 86_400
"""How long what was told is remembered [s]; an older quarter is not told for the first time."""


@dataclass(frozen=True, slots=True)
class ToldSum:
    """The sums of one quarter as they were told; they are never told in another way.

    Attributes:
        start_s: The quarter's start [s].
        homes: The homes in them.
        import_wh: Taken from the grid by these homes [Wh].
        export_wh: Given to the grid by them [Wh].
        solar_wh: Made on their roofs [Wh].
        use_wh: Used by them [Wh].
        estimated: How many of them were estimated in part.
        shared_wh: What sharing brought to them [Wh]; None until that is settled.
    """

    start_s: EpochS
    homes: frozenset[str]
    import_wh: Wh
    export_wh: Wh
    solar_wh: Wh
    use_wh: Wh
    estimated: int
    shared_wh: Wh | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """Sums to be told from now on.

    Attributes:
        sums: The sums.
        instead_of: The homes of the sums that stand there now; None where there are none.
    """

    sums: ToldSum
    instead_of: frozenset[str] | None = None


class Told(Protocol):
    """Remembers what was told, for every process that tells; what is kept is safe on disk."""

    def sums(self, start_s: EpochS, end_s: EpochS) -> Mapping[EpochS, ToldSum]:
        """Return what was told of the quarters of ``[start_s, end_s)``, by their start."""

    def keep(self, tellings: Sequence[Telling], now_s: float) -> None:
        """Remember sums, all in one write; one that somebody else changed meanwhile stays."""

    def keep_shared(self, shared_wh: Mapping[EpochS, Wh], homes: frozenset[str]) -> None:
        """Remember what was shared in quarters told over these homes, where that is not known."""

    def live(self, start_s: EpochS, end_s: EpochS) -> Mapping[EpochS, frozenset[str]]:
        """Return over which homes power was told in each quarter; none at all is withheld."""

    def keep_live(self, start_s: EpochS, homes: frozenset[str]) -> None:
        """Remember that for a quarter, unless something is remembered already."""


class ToldInMemory:
    """Remembers in this process only: for tests, and where one process lives for an hour."""

    def __init__(self) -> None:
        """Start with nothing told."""
        self._lock = threading.Lock()
        self._sums: dict[EpochS, ToldSum] = {}
        self._live: dict[EpochS, frozenset[str]] = {}

    def sums(self, start_s: EpochS, end_s: EpochS) -> Mapping[EpochS, ToldSum]:
        """Return what was told of some quarters."""
        with self._lock:
            return {at_s: one for at_s, one in self._sums.items() if start_s <= at_s < end_s}

    def keep(self, tellings: Sequence[Telling], now_s: float) -> None:
        """Remember sums, and forget those that are too old."""
        with self._lock:
            for telling in tellings:
                standing = self._sums.get(telling.sums.start_s)
                if (standing.homes if standing else None) == telling.instead_of:
                    self._sums[telling.sums.start_s] = telling.sums
            _forget(self._sums, now_s - REMEMBERED_S)
            _forget(self._live, now_s - REMEMBERED_S)

    def keep_shared(self, shared_wh: Mapping[EpochS, Wh], homes: frozenset[str]) -> None:
        """Remember what was shared in some quarters."""
        with self._lock:
            for at_s, wh in shared_wh.items():
                standing = self._sums.get(at_s)
                if standing is not None and standing.homes == homes and standing.shared_wh is None:
                    self._sums[at_s] = replace(standing, shared_wh=wh)

    def live(self, start_s: EpochS, end_s: EpochS) -> Mapping[EpochS, frozenset[str]]:
        """Return over which homes power was told in some quarters."""
        with self._lock:
            return {at_s: homes for at_s, homes in self._live.items() if start_s <= at_s < end_s}

    def keep_live(self, start_s: EpochS, homes: frozenset[str]) -> None:
        """Remember that for a quarter."""
        with self._lock:
            self._live.setdefault(start_s, homes)


def _forget(kept: dict[EpochS, ToldSum] | dict[EpochS, frozenset[str]], before_s: float) -> None:
    old: Iterable[EpochS] = [at_s for at_s in kept if at_s < before_s]
    for at_s in old:
        del kept[at_s]
