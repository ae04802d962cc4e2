"""Homes that do not allow their battery to be steered, and who is told so.

A gateway holds a day of set-points, and the newest ones stay in force until their leases end. So
where a home takes its leave back, its gateway is told to forget them: at once, and again with each
plan for a day, for it may be out of reach. The same is done when the planner starts, as nobody
knows what was sent before.
"""

from __future__ import annotations

from kwartier.model import Battery, Community

RELEASED = "released"
"""The name of the plan in a schedule without set-points."""
_DAY_S = 86_400


class Leave:
    """Remembers since when each home's battery is not steered; for one thread."""

    def __init__(self) -> None:
        """Begin without knowing what was sent before."""
        self._since_s: dict[str, float] = {}

    def refused(self, community: Community, now_s: float) -> list[Battery]:
        """Return the batteries whose gateways are to forget what was planned.

        Args:
            community: With what its homes allow now.
            now_s: What time it is [s].
        """
        told = []
        for battery in community.home_batteries.values():
            if battery.steered:
                self._since_s.pop(battery.id, None)
            elif now_s - self._since_s.setdefault(battery.id, now_s) < _DAY_S:
                told.append(battery)
        return told
