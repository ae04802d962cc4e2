"""How much a meter's register advanced, also across a new meter and over the top of its digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, instant_text
from kwartier.units import EpochS, Wh

MOST_DIGITS = 12
"""The most digits of kWh that a meter may declare."""


@dataclass(frozen=True, slots=True)
class RegisterStand:
    """Where one register stood at one instant.

    Attributes:
        meter: The meter's serial number, or another name that no other meter bears.
        at_s: When [s].
        register_wh: Where it stood [Wh].
        digits: How many digits of whole kWh the register has before it begins at 0 again; None
            when the meter does not declare it.

    Raises:
        ContractError: The stand is below zero or no whole number, or has more digits than the
            meter declares.
    """

    meter: str
    at_s: EpochS
    register_wh: Wh
    digits: int | None = None

    def __post_init__(self) -> None:
        stand = self.register_wh
        if type(stand) is not int or stand < 0:
            raise ContractError(f"{self}: a register stands at whole watt-hours, 0 or more")
        if self.digits is None:
            return
        if not 1 <= self.digits <= MOST_DIGITS:
            raise ContractError(f"{self}: a register has 1 to {MOST_DIGITS} digits of kWh")
        if stand >= self.range_wh:
            raise ContractError(f"{self}: more than its {self.digits} digits of kWh can show")

    @property
    def range_wh(self) -> Wh:
        """How much the register counts before it begins again [Wh]; 0 when that is not known."""
        return 0 if self.digits is None else 1000 * 10**self.digits

    def __str__(self) -> str:
        return f"meter {self.meter} at {instant_text(self.at_s)}: {self.register_wh} Wh"


class RegisterBackwardsError(ContractError):
    """A register that stands lower than before: a person must look at it."""

    def __init__(self, before: RegisterStand, after: RegisterStand) -> None:
        """Keep both stands."""
        super().__init__(
            f"{after}, {before.register_wh - after.register_wh} Wh less than at "
            f"{instant_text(before.at_s)}: check the meter, or enter its new serial number"
        )
        self.before = before
        self.after = after


class MeterSwapError(ContractError):
    """A new meter whose first stand does not join on to the last one of the old."""

    def __init__(self, closing: RegisterStand, opening: RegisterStand) -> None:
        """Keep both stands."""
        super().__init__(
            f"{opening}, and the last stand of meter {closing.meter} is of "
            f"{instant_text(closing.at_s)}: enter where the old one stood when it was taken away"
        )
        self.closing = closing
        self.opening = opening


def advanced_wh(stands: Sequence[RegisterStand], most_wh: Wh | None = None) -> Wh:
    """Return what a connection's register counted from the first stand to the last [Wh].

    Stands of one meter follow each other; the closing stand of an old meter and the opening one
    of the new lie within a quarter-hour, and what both counted adds up.

    Args:
        stands: In order of time.
        most_wh: The most that the connection can have taken between two stands [Wh]; a register
            that stands lower has begun again only if that explains it. None for half of the
            register's range.

    Raises:
        RegisterBackwardsError: A register stands lower than before, and the meter declares no
            digits or beginning again would be too much.
        MeterSwapError: The stands of an old and a new meter do not join.
        ContractError: The stands are out of order, or a meter comes back after another.

    Source:
        Section 6.9 of the settlement design.
    """
    _refuse_order(stands)
    return sum(_step_wh(before, after, most_wh) for before, after in pairwise(stands))


def _step_wh(before: RegisterStand, after: RegisterStand, most_wh: Wh | None) -> Wh:
    if before.meter != after.meter:
        if after.at_s - before.at_s >= QUARTER_S:
            raise MeterSwapError(before, after)
        return 0
    step_wh = after.register_wh - before.register_wh
    if step_wh >= 0:
        return step_wh
    step_wh += after.range_wh
    most_wh = after.range_wh // 2 if most_wh is None else most_wh
    if step_wh < 0 or before.digits != after.digits or step_wh > most_wh:
        raise RegisterBackwardsError(before, after)
    return step_wh


def _refuse_order(stands: Sequence[RegisterStand]) -> None:
    done: set[str] = set()
    for before, after in pairwise(stands):
        swapped = before.meter != after.meter
        if after.at_s < before.at_s or (after.at_s == before.at_s and not swapped):
            raise ContractError(f"{after}: it does not come after {before}: sort them by time")
        if swapped:
            done.add(before.meter)
        if after.meter in done:
            raise ContractError(f"{after}: this meter was taken away before: check its number")
