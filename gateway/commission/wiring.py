"""Is the meter's cable right? One verdict from what was seen on it, and one remedy each; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ENOUGH_TELEGRAMS = 60
"""One minute of a meter of edition 5."""
ENOUGH_S = 60.0
FEWEST_TELEGRAMS = 5
"""An older meter sends six in that minute."""
LEAST_SHARE = 0.95
LARGEST_CLOCK_S = 60.0
SILENT_AFTER_S = 15.0
"""An older meter speaks every ten seconds."""
TRIAL_S = 15.0
"""How long one speed is tried [s]."""
_GARBAGE = 64
"""Bytes that are no accident any more."""


class Wiring(StrEnum):
    """What is the matter, worst first."""

    NO_CABLE = "no-cable"
    CANNOT_OPEN = "cannot-open"
    NETWORK_OFF = "network-off"
    """A meter in the network calls out its name, and does not let itself be read."""
    NO_BYTES = "no-bytes"
    TRYING = "trying"
    """Bytes came that are no telegram; the other speed is tried."""
    INVERTED = "inverted"
    """Only garbage at both speeds: the line's signal is upside down."""
    COUNTING = "counting"
    BAD_CRC = "bad-crc"
    CLOCK_OFF = "clock-off"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class LineSeen:
    """What was seen on the meter's line.

    Attributes:
        cable: Its name; empty when none is there.
        opened: Whether it could be opened.
        for_s: How long the present speed has been listened to [s].
        speeds_tried: How many speeds were tried to the end.
        telegrams: That were believed.
        broken: With a wrong checksum, or cut off.
        garbage: Bytes that belong to no telegram.
        since_first_s: Since the first telegram [s]; 0 before it.
        clock_off_s: The meter's clock less ours [s]; None when it does not tell.
        baud: The present speed.
        network: Whether it is a meter in the network, without a cable.
    """

    cable: str = ""
    opened: bool = False
    for_s: float = 0.0
    speeds_tried: int = 0
    telegrams: int = 0
    broken: int = 0
    garbage: int = 0
    since_first_s: float = 0.0
    clock_off_s: float | None = None
    baud: int = 115_200
    network: bool = False

    @property
    def share(self) -> float | None:
        """Return which part of the telegrams was right; None before the first."""
        every = self.telegrams + self.broken
        return self.telegrams / every if every else None


def judge_wiring(seen: LineSeen, *, our_clock_is_right: bool = True) -> Wiring:
    """Return the first thing that is the matter.

    Args:
        seen: What was seen so far.
        our_clock_is_right: Whether the gateway's clock was set; without internet and without a
            clock of its own the meter's clock cannot be judged by it.
    """
    if not seen.cable:
        return Wiring.NO_CABLE
    share = seen.share
    if not seen.opened and share is None:
        return Wiring.NETWORK_OFF if seen.network else Wiring.CANNOT_OPEN
    if share is None:
        return _without_telegrams(seen)
    long_enough = seen.since_first_s >= ENOUGH_S and seen.telegrams >= FEWEST_TELEGRAMS
    every = seen.telegrams + seen.broken
    if not (long_enough or every >= ENOUGH_TELEGRAMS):
        return Wiring.COUNTING
    if share < LEAST_SHARE:
        return Wiring.BAD_CRC
    off = seen.clock_off_s
    if our_clock_is_right and off is not None and abs(off) > LARGEST_CLOCK_S:
        return Wiring.CLOCK_OFF
    return Wiring.GOOD


def wants_other(seen: LineSeen) -> bool:
    """Return whether it is time to try the other speed, or another meter."""
    return (seen.opened or seen.network) and seen.share is None and seen.for_s >= TRIAL_S


def _without_telegrams(seen: LineSeen) -> Wiring:
    if seen.garbage >= _GARBAGE:
        return Wiring.INVERTED if seen.speeds_tried >= 2 else Wiring.TRYING
    if seen.for_s < SILENT_AFTER_S and not seen.speeds_tried:
        return Wiring.COUNTING
    return Wiring.NO_BYTES
