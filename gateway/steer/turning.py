"""From charging to discharging and back no sooner than everybody has seen where things are.

Use that swings about the wish would have a battery turn with each swing, always too late: that
wears it, loses energy both ways, and can build up. So it rests a while before it turns; who keeps
turning rests longer each time.
"""

from __future__ import annotations

from kwartier.units import Watt

SLOWEST_S = 5.0
"""The slowest battery we steer has done what it was told after this [s]."""
REST_S = max(5.0, 2 * SLOWEST_S)
"""Between two directions a battery rests at least so long [s]."""
MOST_REST_S = 80.0
"""However often it turned, it rests no longer than this [s]."""
CALM_S = 300.0
"""After so long without a turn the shortest rest is enough again [s]."""


class Turning:
    """Watches the direction of one power."""

    def __init__(self) -> None:
        """Have no direction yet."""
        self._charges: bool | None = None
        self._moved_s = 0.0
        self._turned_s = float("-inf")
        self._rest_s = REST_S

    def held(self, power_w: Watt, now_s: float) -> Watt:
        """Return the power, or 0 while it is too early to turn [W]."""
        if power_w == 0:
            return 0
        charges = power_w > 0
        if self._charges is None or charges == self._charges:
            self._charges, self._moved_s = charges, now_s
            return power_w
        calm = now_s >= self._turned_s + CALM_S
        rest_s = REST_S if calm else self._rest_s
        if now_s < self._moved_s + rest_s:
            return 0
        self._rest_s = REST_S if calm else min(2 * rest_s, MOST_REST_S)
        self._charges, self._moved_s, self._turned_s = charges, now_s, now_s
        return power_w
