"""How long what is done again takes, and whether there is time for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(slots=True)
class Laps:
    """Laps of a caller's time; where nothing measures it, each takes none and all fit.

    Attributes:
        left_s: Says how much time is left [s]; endless where nothing measures it.
    """

    left_s: Callable[[], float]
    _left_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._left_s = self.left_s()

    def lap(self) -> float:
        """Return how long it took since the last lap, or since the beginning [s]."""
        before_s, self._left_s = self._left_s, self.left_s()
        return before_s - self._left_s if np.isfinite(self._left_s) else 0.0

    def fits(self, seconds: float) -> bool:
        """Return whether more than so much time was left when the last lap ended."""
        return seconds < self._left_s
