"""Following the meter: the battery takes up what is wanted at the connection and is not there yet.

What a meter tells is old: by the second it averages, by the telegram it waits for, and by the time
the battery itself needs. Whoever corrects an error that is already being corrected swings. So every
correction counts as perhaps not visible yet until its time is over, and only what is wanted
whether or not the meter shows it already is corrected now. No gain has to be tuned for that.

Where the target itself moves, the battery moves along at once: nobody has to measure that first.
"""

from __future__ import annotations

from collections import deque

from kwartier.units import Watt

DEAD_BAND_W = 50
"""An error this small is left as it is [W]."""
UNSEEN_S = 11.0
"""A meter shows what the battery does at the latest after this, and one telegram more [s]."""
_MOST_MOVES = 256


class Tracker:
    """Moves a set-point with each telegram; told what the battery was told after every limit."""

    def __init__(self) -> None:
        """Start with nothing moved."""
        self._moves: deque[tuple[float, Watt]] = deque(maxlen=_MOST_MOVES)
        self._telegram_s: float | None = None
        self._aim_w: Watt = 0
        self._target_w: Watt = 0
        self._on = False

    def aim(
        self,
        target_w: Watt,
        meter: tuple[float, Watt],
        begin_w: Watt,
        told_w: Watt,
        period_s: float,
    ) -> Watt:
        """Return the power that brings the meter to its target [W].

        Args:
            target_w: The exchange wanted at the meter; positive takes from the grid [W].
            meter: When its newest telegram came, on the monotonic count [s], and what it said [W].
            begin_w: The power to begin with, when nothing was followed before [W].
            told_w: What the battery was told last [W].
            period_s: How often telegrams come [s].
        """
        at_s, meter_w = meter
        before_w, self._target_w = self._target_w, target_w
        if not self._on:
            self._on, self._telegram_s, self._aim_w = True, at_s, begin_w
            return self._aim_w
        if at_s != self._telegram_s:
            self._telegram_s = at_s
            self._aim_w = told_w + self._need(before_w - meter_w, at_s - UNSEEN_S - period_s)
        self._aim_w += target_w - before_w
        return self._aim_w

    def told(self, before_w: Watt, after_w: Watt, now_s: float) -> None:
        """Note that the battery was told another power at this moment."""
        if after_w != before_w:
            self._moves.append((now_s, after_w - before_w))

    def shift(self, by_w: Watt) -> None:
        """Note that so much more belongs to what is steered here, and goes on as it is [W]."""
        self._aim_w += by_w

    def rest(self) -> None:
        """Begin anew the next time something is followed."""
        self._on = False

    def moved(self, since_s: float) -> tuple[Watt, Watt]:
        """Return what was told since then: the sum of what rose, and of what fell [W]."""
        up_w = sum(move for at_s, move in self._moves if move > 0 and at_s >= since_s)
        down_w = sum(move for at_s, move in self._moves if move < 0 and at_s >= since_s)
        return up_w, down_w

    def _need(self, error_w: Watt, since_s: float) -> Watt:
        """Return what is missing whichever of the moves since then the meter shows."""
        up_w, down_w = self.moved(since_s)
        least_w, most_w = error_w - up_w, error_w - down_w
        need_w = max(least_w, 0) + min(most_w, 0)
        return need_w if abs(need_w) > DEAD_BAND_W else 0
