"""Homes that do not allow their battery to be steered any more, and who is told so.

A gateway holds a day of set-points, and the newest ones stay in force until their leases end. So
where a home takes its leave back, its gateway is told to forget them: at once, and again with each
plan until the last of them would have ended, for it may be out of reach. A battery that was told
nothing is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from kwartier.model import Battery, Community
from kwartier.units import EpochS

RELEASED = "released"
"""The name of the plan in a schedule without set-points."""


def refused(community: Community, told_until: Mapping[str, EpochS], now_s: float) -> list[Battery]:
    """Return the batteries whose gateways are to forget what was planned.

    Args:
        community: With what its homes allow now.
        told_until: Until when each battery may follow what it was told [s].
        now_s: What time it is [s].
    """
    return [
        battery
        for battery in community.home_batteries.values()
        if not battery.steered and told_until.get(battery.id, 0) > now_s
    ]
