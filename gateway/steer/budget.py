"""How often registers that wear out may be written in a day, counted on disk."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from gateway.steer.journal import JournalWriteError
from kwartier.clock import Clock
from kwartier.durable import replace_file
from kwartier.errors import KwartierError

_log = logging.getLogger(__name__)

WRITES_A_DAY = 200
"""At this pace memory made for 100,000 writes lasts longer than a year, and for a million 13."""
RELEASES_A_DAY = 20
"""Kept back of those, so that a battery can always be let go."""
_DAY_S = 86_400


class WriteBudgetSpentError(KwartierError):
    """A register that wears out was written as often as a day allows."""

    def __init__(self, address: int, most: int) -> None:
        """Name the register and what a day allows."""
        super().__init__(
            f"register {address} wears out and was written {most} times today: nothing more is "
            "written until tomorrow; make the plan's steps longer"
        )
        self.address = address
        self.most = most


class WriteBudget:
    """Counts writes by register; days are of the wall's time, and none of them is given back."""

    def __init__(self, path: Path, clock: Clock, most: int = WRITES_A_DAY) -> None:
        """Read what was counted; a file that cannot be read counts as a day half spent."""
        self._path = path
        self._clock = clock
        self._most = most
        self._day, self._counts, self._unread = self._read()

    def left(self, address: int) -> int:
        """Return how often a register may still be written today, releases apart."""
        self._turn_day()
        return max(0, self._most - RELEASES_A_DAY - self._count(address))

    def spend(
        self, addresses: Sequence[int], *, release: bool = False, durable: bool = True
    ) -> None:
        """Note one write of each of these registers, before it is made.

        Args:
            addresses: Which registers.
            release: Whether it lets go; some writes are kept for that, and it never waits for the
                disk: what holds a battery is worse than a count that is lost.
            durable: Whether nothing may be written that cannot be counted on disk.

        Raises:
            WriteBudgetSpentError: One was written too often today; nothing is noted.
            JournalWriteError: The disk takes nothing; nothing is to be written.
        """
        if not addresses:
            return
        self._turn_day()
        most = self._most if release else self._most - RELEASES_A_DAY
        for address in addresses:
            if self._count(address) >= most:
                raise WriteBudgetSpentError(address, most)
        counts = {**self._counts, **{each: self._count(each) + 1 for each in addresses}}
        told = {"day": self._day, "counts": {str(each): count for each, count in counts.items()}}
        try:
            replace_file(self._path, json.dumps(told).encode())
        except OSError as error:
            if durable and not release:
                raise JournalWriteError(self._path, error) from error
            _log.warning("a write was counted in memory only: %s", error)
        self._counts = counts

    def _count(self, address: int) -> int:
        return self._counts.get(address, self._unread)

    def _turn_day(self) -> None:
        """Begin a later day; a clock that was set back begins none.

        What was counted then goes on from the day that it is: a clock that once stood years ahead
        must not stop every write until those years are over. A midnight that comes twice gives
        nothing back.
        """
        day = int(self._clock.now_s()) // _DAY_S
        if day > self._day:
            self._day, self._counts, self._unread = day, {}, 0
        elif day < self._day - 1:
            self._day = day

    def _read(self) -> tuple[int, dict[int, int], int]:
        today = int(self._clock.now_s()) // _DAY_S
        try:
            told = json.loads(self._path.read_text())
            counts = {int(address): int(count) for address, count in told["counts"].items()}
            return min(today, int(told["day"])), counts, 0
        except FileNotFoundError:
            return today, {}, 0
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning(
                "%s cannot be read: half of the day's writes are left: %s", self._path, error
            )
            return today, {}, self._most // 2
