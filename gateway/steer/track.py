"""Following the meter: the battery takes up what is wanted at the connection and is not there yet.

What a meter tells is old: by the second it averages, by the telegram it waits for, and by the time
the battery itself needs. Whoever corrects an error that is already being corrected swings. So every
correction counts as perhaps not visible yet until its time is over, and only what is wanted
whether or not the meter shows it already is corrected now. No gain has to be tuned for that.

Where the target itself moves, the battery moves along at once: nobody has to measure that first.

A meter or a battery that is later than believed shows itself: what is told swings to and fro. Each
time that happens corrections count as unseen for longer, and after a while without for less again.
"""

from __future__ import annotations

from collections import deque

from gateway.steer.swings import Swings
from kwartier.units import Watt

DEAD_BAND_W = 50
"""An error this small is left as it is [W]."""
UNSEEN_S = 11.0
"""A meter usually shows what the battery does after this, and one telegram more [s]."""
MOST_UNSEEN_S = 45.0
"""However late everything is, nobody waits longer than this [s]."""
_LONGER = 1.6
_CALM_S = 1800.0
_MOST_MOVES = 1024


class Tracker:
    """Moves a set-point with each telegram; told what the battery was told after every limit."""

    def __init__(self) -> None:
        """Start with nothing moved."""
        self._moves: deque[tuple[float, Watt]] = deque(maxlen=_MOST_MOVES)
        self._telegram_s: float | None = None
        self._aim_w: Watt = 0
        self._target_w: Watt = 0
        self._on = False
        self._swings = Swings()
        self._told_w: Watt = 0
        self._full_w: Watt = 0
        self._longer_s: float | None = None
        self.unseen_s = UNSEEN_S

    def grow(self, full_w: Watt) -> None:
        """Note how much power is steered here [W]."""
        self._full_w = full_w

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
            self._aim_w = told_w + self._need(before_w - meter_w, at_s - self.unseen_s - period_s)
        self._aim_w += target_w - before_w
        return self._aim_w

    def told(self, before_w: Watt, after_w: Watt, now_s: float) -> None:
        """Note that the battery was told another power at this moment."""
        if after_w != before_w:
            self._moves.append((now_s, after_w - before_w))
            self._told_w += after_w - before_w
            self._slow_down(now_s)

    def shift(self, by_w: Watt) -> None:
        """Note that so much more belongs to what is steered here, and goes on as it is [W]."""
        self._aim_w += by_w

    def rest(self) -> None:
        """Begin anew the next time something is followed."""
        self._on = False

    def moved(self, since_s: float) -> tuple[Watt, Watt]:
        """Return what was told since then: the sum of what rose, and of what fell [W]."""
        up_w = down_w = 0
        for at_s, move_w in reversed(self._moves):
            if at_s < since_s:
                break
            if move_w > 0:
                up_w += move_w
            else:
                down_w += move_w
        return up_w, down_w

    def _slow_down(self, now_s: float) -> None:
        """Wait longer for the meter while what is told swings, and less again when it is calm."""
        if self._swings.note(self._told_w, now_s, self._full_w):
            self.unseen_s = min(MOST_UNSEEN_S, _LONGER * self.unseen_s)
            self._longer_s = now_s
        elif self._longer_s is not None and now_s > self._longer_s + _CALM_S:
            self.unseen_s = max(UNSEEN_S, self.unseen_s / _LONGER)
            self._longer_s = now_s if self.unseen_s > UNSEEN_S else None

    def _need(self, error_w: Watt, since_s: float) -> Watt:
        """Return what is missing whichever of the moves since then the meter shows."""
        up_w, down_w = self.moved(since_s)
        least_w, most_w = error_w - up_w, error_w - down_w
        need_w = max(least_w, 0) + min(most_w, 0)
        return need_w if abs(need_w) > DEAD_BAND_W else 0
