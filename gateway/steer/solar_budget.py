"""How often an inverter's limit may be written in a day, counted in parcels to spare the card.

A limit with a timer of its own is made to be written again and again, and is kept up by 2880
refreshes a day. What is bounded here is the fine steering on top of that: once its part of the
day is spent, the caller goes over to a limit that needs no change until tomorrow.
"""

from __future__ import annotations

from pathlib import Path

from gateway.steer.budget import WriteBudget, WriteBudgetSpentError
from kwartier.clock import Clock
from kwartier.errors import KwartierError

PARCEL = 50
"""So many writes are counted on disk at once, before the first of them: a crash loses none."""
MOST_A_DAY = 10_000
"""Every write of a day: refreshes, releases and all."""
KEPT_FOR_REFRESHES = 3_500
"""Of those, so many are kept from fine steering: a refresh each half minute takes 2880."""
_MODEL = 123
"""Its registers always go together, so they are counted as one."""


class LimitWritesSpentError(KwartierError):
    """A limit was written as often as a day allows."""

    def __init__(self, most: int) -> None:
        """Say how often that is; what is kept for releases is no part of it."""
        super().__init__(
            f"the limit was written {most} times today: nothing more is written until "
            "tomorrow, and the inverter's own timer ends it"
        )


class SolarBudget:
    """Counts the writes of one inverter's limit."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Read what was counted today; a file that cannot be read counts as half of it."""
        self._parcels = WriteBudget(path, clock, MOST_A_DAY // PARCEL)
        self._left = 0

    def fine(self) -> bool:
        """Return whether the limit may still follow every change today."""
        return self._parcels.left(_MODEL) * PARCEL > KEPT_FOR_REFRESHES

    def spend(self, *, release: bool = False) -> None:
        """Count one write, before it is made; in memory where the disk takes nothing.

        Raises:
            LimitWritesSpentError: It was written too often today; some are kept for releases.
        """
        if self._left == 0:
            try:
                self._parcels.spend([_MODEL], release=release, durable=False)
            except WriteBudgetSpentError as error:
                raise LimitWritesSpentError(error.most * PARCEL) from error
            self._left = PARCEL
        self._left -= 1
