"""What a plan wishes, moved no faster than a street bears when every battery is told the same.

One plan, or one feed of prices, steers many batteries. When it errs it errs everywhere at once, and
only the home is left to slow it down: each box moves a wish by a fifth of its battery's power a
minute at most, so all together move no faster either. Limits, releases and the home's own use are
no wishes, and wait for nothing.
"""

from __future__ import annotations

from kwartier.units import Watt

FULL_POWER_S = 300
"""A wish moves over the battery's whole power in so long: 20 % a minute [s]."""
STEP_S = 1.0
"""A wish moves once in so long [s]."""
WORN_STEP_S = 30.0
"""The same for a battery whose registers wear out: ten writes for its whole power [s]."""


class Wish:
    """One wish, in watts, on its way to where the plan wants it."""

    def __init__(self, full_w: Watt, full_power_s: float, step_s: float = STEP_S) -> None:
        """Wish nothing yet.

        Args:
            full_w: The battery's whole power [W].
            full_power_s: How long a wish takes for that [s]; 0 for no time at all.
            step_s: Between two moves [s].
        """
        self._full_w = full_w
        self._full_power_s = full_power_s
        self._step_s = step_s
        self._wished_w: float | None = None
        self._moved_s = 0.0
        self._target_w: Watt = 0

    @property
    def at_once(self) -> bool:
        """Whether wishes come true at once."""
        return self._full_power_s == 0

    def rest(self) -> None:
        """Wish nothing: the next wish begins where things are then."""
        self._wished_w = None

    def toward(
        self,
        target_w: Watt,
        now_s: float,
        present_w: Watt,
        *,
        cut: bool = False,
    ) -> Watt:
        """Return what is wished now [W].

        Args:
            target_w: What the plan wants in the end [W].
            now_s: The monotonic count [s].
            present_w: How things are, where nothing was wished before [W].
            cut: Whether a limit kept the last wish from coming true. Another target then begins
                where things are, instead of at a wish that nothing ever reached.
        """
        if self.at_once:
            return target_w
        if self._wished_w is None:
            self._wished_w, self._moved_s = float(present_w), now_s
        elif cut and target_w != self._target_w:
            self._wished_w = float(present_w)
        self._target_w = target_w
        passed_s = now_s - self._moved_s
        if passed_s >= self._step_s:
            reach_w = self._full_w * passed_s / self._full_power_s
            low_w, high_w = self._wished_w - reach_w, self._wished_w + reach_w
            goal_w = float(target_w)
            self._wished_w, self._moved_s = max(low_w, min(high_w, goal_w)), now_s
        return round(self._wished_w)
