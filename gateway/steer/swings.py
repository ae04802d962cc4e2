"""Whether what is told swings to and fro by itself, as when the meter is later than believed.

Homes that cook and panels under clouds move a set-point too, but not four times to and fro within
three minutes, each time by a tenth of all there is.
"""

from __future__ import annotations

from collections import deque

from kwartier.units import Watt

LEAST_PART = 10
"""A swing is at least this part of the whole power."""
LEAST_W = 500
"""And at least so much [W]."""
COUNT = 4
"""So many in a row are no chance."""
WITHIN_S = 180.0
"""They are in a row when the first was no longer ago [s]."""


class Swings:
    """Looks at one power, as it was told from moment to moment."""

    def __init__(self) -> None:
        """Have seen nothing."""
        self._rises = True
        self._end_w: Watt = 0
        self._turns_s: deque[float] = deque(maxlen=COUNT)

    def note(self, told_w: Watt, now_s: float, full_w: Watt) -> bool:
        """Return whether this swing is one too many; then the next count begins anew.

        Args:
            told_w: The power [W].
            now_s: The monotonic count [s].
            full_w: The whole power there is [W].
        """
        back_w = self._end_w - told_w if self._rises else told_w - self._end_w
        if back_w <= 0:
            self._end_w = told_w
            return False
        if back_w < max(LEAST_W, full_w // LEAST_PART):
            return False
        self._rises, self._end_w = not self._rises, told_w
        self._turns_s.append(now_s)
        swings = len(self._turns_s) == COUNT and now_s - self._turns_s[0] <= WITHIN_S
        if swings:
            self._turns_s.clear()
        return swings
