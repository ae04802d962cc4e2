"""When what homes' own batteries do may be told apart from what the homes use.

A sum over homes with one battery among them would show that battery, and so would a sum of use with
the battery taken out, beside what the street took from the grid. So as long as few homes have one,
what it takes counts as use in every sum, as it does on its home's meter.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from collectors.disclosure import MIN_BATTERY_HOMES
from kwartier.model import Community


def homes_with_battery(community: Community, homes: AbstractSet[str]) -> frozenset[str]:
    """Return which of some homes have a battery behind their own meter."""
    return frozenset(homes & community.batteries_by_home().keys())


def has_batteries_apart(community: Community, homes: AbstractSet[str]) -> bool:
    """Return whether a sum over some homes tells their use without their batteries."""
    return len(homes_with_battery(community, homes)) >= MIN_BATTERY_HOMES
