"""The mean over the quarter: what passed too much or too little so far is made up in its rest.

A contract and a month's peak count the quarter, not the second. Whoever follows a late meter misses
a little each time somebody cooks, always on the same side when use rises; this is what brings it
back. It is bounded, and shared out over two minutes at least, so the last seconds are never chased.

Only what passed beyond the plan is owed back, and what a limit or the meter's lag cost. What is
missing because a wish was still on its way comes at its other end, as a wish leaves as slowly as it
comes. And what was taken is never paid back by giving: the two are not netted.
"""

from __future__ import annotations

from gateway.steer.limits import MAX_METER_AGE_S
from kwartier.units import Watt, Wh

LEAST_LEFT_S = 120.0
"""What is owed is shared out over the rest of the quarter, but never over less than this [s]."""
MOST_PART = 4
"""It moves the meter by at most this part of all the power that follows it."""
STEP_W = 50
"""It moves in steps: a battery is not written for less [W]."""
_WS_PER_WH = 3600
_SAME_START_S = 60.0
_SANE, _ANY_W = 3, 10_000
"""Registers that moved by more than so many times the power, and this much [W], are another's."""


class QuarterMean:
    """Counts what is owed to one quarter after another; told each telegram once."""

    def __init__(self) -> None:
        """Owe nothing."""
        self._start_s: float | None = None
        self._owed_ws = 0.0
        self._extra_w: Watt = 0
        self._last: tuple[float, Watt, Wh | None] | None = None

    def rest(self) -> None:
        """Follow nothing: what passes now is nobody's debt."""
        self._start_s, self._owed_ws, self._extra_w, self._last = None, 0.0, 0, None

    def begin(self, start_s: float) -> None:
        """Owe nothing to a quarter that begins then; once it has begun this changes nothing.

        Another plan for the same quarter may lay its start a little otherwise: clocks are set.
        """
        if self._start_s is None or abs(start_s - self._start_s) > _SAME_START_S:
            self._start_s, self._owed_ws, self._extra_w = start_s, 0.0, 0

    def extra_w(self, grid_w: Watt, end_s: float, now_s: float, full_w: Watt) -> Watt:
        """Return what has to pass besides the plan for the mean to come out [W].

        Args:
            grid_w: What the plan wants to pass; positive takes from the grid [W].
            end_s: When the quarter ends, on the monotonic count [s].
            now_s: The monotonic count [s].
            full_w: All the power that follows the meter [W].
        """
        most_w = full_w // MOST_PART
        due_w = self._owed_ws / max(end_s - now_s, LEAST_LEFT_S)
        if abs(due_w - self._extra_w) > STEP_W:
            self._extra_w = round(due_w)
        low_w = -min(most_w, grid_w) if grid_w > 0 else -most_w
        high_w = min(most_w, -grid_w) if grid_w < 0 else most_w
        self._extra_w = min(max(self._extra_w, low_w), high_w) if grid_w else 0
        return self._extra_w

    def hear(self, at_s: float, grid_w: Watt, net_wh: Wh | None, wanted_w: Watt) -> None:
        """Count what passed since the telegram before.

        Args:
            at_s: When this one came, on the monotonic count [s].
            grid_w: The exchange that it tells; positive takes from the grid [W].
            net_wh: Its registers, taken less given [Wh]; None where it tells none.
            wanted_w: What should have passed meanwhile [W].
        """
        before, self._last = self._last, (at_s, grid_w, net_wh)
        if before is None or self._start_s is None:
            return
        before_s, before_w, before_wh = before
        span_s = at_s - before_s
        if span_s <= 0:
            return
        bound_ws = _SANE * (abs(before_w) + abs(grid_w) + _ANY_W) * span_s + 5 * _WS_PER_WH
        known = net_wh is not None and before_wh is not None
        counted_ws = float(((net_wh or 0) - (before_wh or 0)) * _WS_PER_WH)
        if known and abs(counted_ws) <= bound_ws:
            passed_ws = counted_ws
        elif span_s <= MAX_METER_AGE_S:
            passed_ws = span_s * (before_w + grid_w) / 2
        else:  # nobody knows what passed
            return
        inside = min(1.0, max(0.0, at_s - self._start_s) / span_s)
        self._owed_ws += inside * (wanted_w * span_s - passed_ws)
