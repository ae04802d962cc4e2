"""The way to what a plan wants next: batteries go there no faster than a street bears.

What a plan wants at the meter may change at once, and batteries with it. What is left of the way
is taken off what they do, and shrinks. So only the wish has to travel: what homes take or give
meanwhile is answered at once.
"""

from __future__ import annotations

from kwartier.units import Watt


class Travel:
    """What is left of the way, in watts; a jump of what is wanted makes it longer."""

    def __init__(self, full_power_s: float, step_s: float) -> None:
        """Be there.

        Args:
            full_power_s: How long the way takes for all the power there is [s]; 0 for no time.
            step_s: Between two moves [s].
        """
        self._full_power_s = full_power_s
        self._step_s = step_s
        self._full_w: Watt = 1
        self._left_w = 0.0
        self._from_w: Watt = 0
        self._moved_s: float | None = None

    @property
    def at_once(self) -> bool:
        """Whether it takes no time."""
        return self._full_power_s == 0

    @property
    def arrived(self) -> bool:
        """Whether nothing is left."""
        return round(self._left_w) == 0

    def grow(self, full_w: Watt) -> None:
        """Note how much power is steered here [W]."""
        self._full_w = full_w

    def rest(self) -> None:
        """Go nowhere: the next way begins anew."""
        self._left_w, self._moved_s = 0.0, None

    def begin(self, left_w: Watt, from_w: Watt) -> None:
        """Begin a way of so much from a power, whatever was left of another one [W]."""
        self._left_w = 0.0 if self.at_once else float(left_w)
        self._from_w = from_w

    def jump(self, by_w: Watt, from_w: Watt) -> None:
        """Note that what is wanted fell by so much: all stay where they are at first [W].

        Args:
            by_w: How much [W].
            from_w: What they do [W].
        """
        if self.at_once or not by_w:
            return
        before_w, self._left_w = self._left_w, self._left_w + by_w
        if before_w * self._left_w <= 0:
            self._from_w = from_w
        else:
            self._from_w = (max if self._left_w > 0 else min)(self._from_w, from_w)

    def shift(self, by_w: Watt, unwanted_w: Watt, from_w: Watt) -> None:
        """Note that others join who do so much, of which a part is not wanted [W].

        Args:
            by_w: What they do; what those did who leave, with the other sign [W].
            unwanted_w: The part [W].
            from_w: What all do [W].
        """
        self._from_w += by_w
        self.jump(unwanted_w, from_w)

    def bound(self, wanted_w: Watt) -> None:
        """Go no further than from where the way began: what homes do may have ended it [W].

        Without this a battery that is to cover an oven would charge when the oven goes off.
        """
        way_w = self._from_w - wanted_w
        if self._left_w > 0:
            self._left_w = min(self._left_w, max(way_w, 0.0))
        else:
            self._left_w = max(self._left_w, min(way_w, 0.0))

    def left_w(self, now_s: float) -> Watt:
        """Return what is left at this moment [W]."""
        before_s = now_s if self._moved_s is None else self._moved_s
        passed_s = now_s - before_s
        if self._moved_s is None or passed_s >= self._step_s:
            self._moved_s = now_s
            if self._left_w:
                reach_w = self._full_w * passed_s / self._full_power_s
                self._left_w = max(self._left_w - reach_w, min(0.0, self._left_w + reach_w))
        return round(self._left_w)
