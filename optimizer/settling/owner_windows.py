"""Who settles which connection in which quarter, for many quarters at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kwartier.interval import QUARTER_S
from optimizer.settling.matrix import Flags, WhArray
from optimizer.settling.period import Agreement, Ownership

Pair: TypeAlias = tuple[str, str]
"""A connection and the member who settles it."""
Indices: TypeAlias = NDArray[np.int64]
"""Places in a list; -1 for none."""

_FAR_S = 2**62
"""Before and after every instant [s]."""


class OwnerWindows:
    """The windows of an agreement; without any, every connection is its own member.

    Attributes:
        pairs: Every connection with each of its members, in ascending order.
    """

    def __init__(self, agreement: Agreement, connections: Sequence[str]) -> None:
        """Keep the windows of all connections, and whether each of some owns itself."""
        windows = agreement.ownership
        if windows is None:
            windows = tuple(Ownership(name, name, -_FAR_S) for name in connections)
        self._everybody = agreement.ownership is None
        self.pairs: tuple[Pair, ...] = tuple(
            sorted({(window.connection, window.member) for window in windows})
        )
        places = {pair: place for place, pair in enumerate(self.pairs)}
        self._of_name: dict[str, list[tuple[int, int]]] = {}
        for row, window in enumerate(windows):
            place = places[window.connection, window.member]
            self._of_name.setdefault(window.connection, []).append((row, place))
        ends = [_FAR_S if window.end_s is None else window.end_s for window in windows]
        self._starts = np.array([window.start_s for window in windows], np.int64)
        self._ends = np.array(ends, np.int64)

    def of(self, numbers: WhArray, names: Sequence[str]) -> Indices:
        """Return the place in ``pairs`` of each connection's owner in each quarter, ``(Q, N)``.

        Args:
            numbers: Quarters since 1970-01-01T00:00Z, in ascending order, ``(Q,)``.
            names: The connections.
        """
        at_s = numbers * QUARTER_S
        firsts = np.searchsorted(at_s, self._starts).tolist()
        ends = np.searchsorted(at_s, self._ends).tolist()
        owners = np.full((len(numbers), len(names)), -1, np.int64)
        for column, name in enumerate(names):
            for row, place in self._of_name.get(name, ()):
                owners[firsts[row] : ends[row], column] = place
        return owners

    def absent(self, numbers: WhArray, takes_part: Flags) -> int:
        """Return in how many quarters, all together, an owned connection takes no part."""
        if self._everybody:
            return 0
        at_s = numbers * QUARTER_S
        begun = np.searchsorted(np.sort(self._starts), at_s, side="right")
        ended = np.searchsorted(np.sort(self._ends), at_s, side="right")
        return int((begun - ended).sum()) - int(takes_part.sum())
