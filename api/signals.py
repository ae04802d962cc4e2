"""The moment signal as the roof speaks of it: one object for phone, kiosk, stream and programs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kwartier.units import EpochS


class SignalState(StrEnum):
    """What to tell people: each has a word, a shape and a colour."""

    GOOD = "good"
    NORMAL = "normal"
    LATER = "later"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Signal:
    """Whether now is a good moment to use power.

    Attributes:
        state: What to tell people.
        from_s: Since when it holds [s]; None when that is not known.
        until_s: Until about when [s]; None when that is not known.
        next_from_s: When the next good moment starts [s]; None when none is in sight.
        next_until_s: When that one ends [s].
        confidence: How sure the forecast is, 0 to 1.
        reason_code: Why, such as ``solar_surplus``.
    """

    state: SignalState
    from_s: EpochS | None = None
    until_s: EpochS | None = None
    next_from_s: EpochS | None = None
    next_until_s: EpochS | None = None
    confidence: float = 0.0
    reason_code: str = "no_plan"
