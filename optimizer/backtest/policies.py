"""The ways of steering that are held against each other, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kwartier.errors import InputError


class Sees(StrEnum):
    """What a plan is made with."""

    EXPECTED = "expected"
    """What could be known at that moment."""
    ACTUAL = "actual"
    """What really came: nobody can do this; it is what others are measured by."""


class Plans(StrEnum):
    """How often a plan is made."""

    NEVER = "never"
    DAILY = "daily"
    """At midnight on the wall clock."""
    QUARTERLY = "quarterly"
    AT_ONCE = "at_once"
    """One plan for a whole stretch, beyond its end: the least that is possible."""


class Follows(StrEnum):
    """What a battery does within a quarter, when the homes do otherwise than was expected."""

    NOTHING = "nothing"
    """It rests."""
    SURPLUS = "surplus"
    """It takes what is left over and gives what is lacking, whatever the price."""
    PLAN = "plan"
    """It does what was planned to the watt."""
    TRACKING = "tracking"
    """It follows the meter as far as the plan's own worth of a stored kWh pays, as gateways do."""
    EXCHANGE = "exchange"
    """It keeps the planned exchange whenever it has work, and rests where the plan rests."""


class Minds(StrEnum):
    """How a plan reckons with errors of what is expected."""

    NOTHING = "nothing"
    SCENARIOS = "scenarios"
    """The first hour is the best on average over ten days that may come."""
    DEAR_DAYS = "dear_days"
    """The same, and the dearest three of ten days count as much as all of them."""
    LIMITS = "limits"
    """Batteries keep what holds nine errors of ten at a limit of the connection."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One way of steering.

    Attributes:
        name: What it is called on the command line and in answers.
        follows: What is done within a quarter.
        plans: How often it plans.
        sees: What it plans with.
        minds: Which errors it reckons with.
    """

    name: str
    follows: Follows
    plans: Plans = Plans.NEVER
    sees: Sees = Sees.EXPECTED
    minds: Minds = Minds.NOTHING


NONE = "none"
SELF_USE = "self-use"
TRACKING = "tracking"
PERFECT = "perfect"
_ALL = (
    Policy(NONE, Follows.NOTHING),
    Policy(SELF_USE, Follows.SURPLUS),
    Policy("daily", Follows.PLAN, Plans.DAILY),
    Policy("rolling", Follows.PLAN, Plans.QUARTERLY),
    Policy(TRACKING, Follows.TRACKING, Plans.QUARTERLY),
    Policy(PERFECT, Follows.PLAN, Plans.QUARTERLY, Sees.ACTUAL),
    Policy("daily-tracking", Follows.TRACKING, Plans.DAILY),
    Policy("exchange", Follows.EXCHANGE, Plans.QUARTERLY),
    Policy("scenarios", Follows.TRACKING, Plans.QUARTERLY, minds=Minds.SCENARIOS),
    Policy("cautious", Follows.TRACKING, Plans.QUARTERLY, minds=Minds.DEAR_DAYS),
    Policy("reserve", Follows.TRACKING, Plans.QUARTERLY, minds=Minds.LIMITS),
    Policy("bound", Follows.PLAN, Plans.AT_ONCE, Sees.ACTUAL),
)
POLICIES: Mapping[str, Policy] = {policy.name: policy for policy in _ALL}
"""Every way there is; another one is added here."""
USUAL = (NONE, SELF_USE, "daily", "rolling", TRACKING, PERFECT)
"""Those that are played when none is named."""


def policies_named(names: tuple[str, ...]) -> tuple[Policy, ...]:
    """Return ways of steering by name, each once, in the order of the registry.

    Raises:
        InputError: There is none of that name.
    """
    for name in names:
        if name not in POLICIES:
            known = ", ".join(f"'{one}'" for one in POLICIES)
            raise InputError(f"--policy {name[:60]!r} is not known: there are {known}")
    return tuple(policy for policy in _ALL if policy.name in names)
