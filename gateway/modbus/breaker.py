"""Leaving a unit alone that does not answer, so that the others on its line get their time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from kwartier.errors import LinkDownError

STEP_S = 2.0
"""By how much the pause grows with every silence in a row [s]."""
LONGEST_S = 300.0
"""The longest pause [s]."""
SHARE = 4
"""Bus time that belongs to the others for each second that a silent unit took."""


class UnitPausedError(LinkDownError):
    """A unit was silent and is left alone for a while; nothing was asked."""


@dataclass(slots=True)
class _Silence:
    times: int = 0
    until_s: float = 0.0


class Breaker:
    """Remembers which units of a line are silent, and when each may be asked again.

    After n silences in a row the pause is 2 n seconds, at most 300, and at least four times
    what the last one took: a dead unit never takes more than a fifth of the line. Where only
    one unit is on the line there is nobody to make room for, and it is spared the pause.
    """

    def __init__(
        self,
        where: str,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        spares_the_only_one: bool = True,
    ) -> None:
        """Begin with units nobody asked yet; ``where`` names their line."""
        self._fewest = 2 if spares_the_only_one else 1
        self._where = where
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._units: dict[int, _Silence] = {}

    def suspects(self, unit: int) -> bool:
        """Return whether a unit was silent when last asked and others share its line."""
        with self._lock:
            return (
                len(self._units) >= self._fewest
                and unit in self._units
                and self._units[unit].times > 0
            )

    def check(self, unit: int) -> None:
        """Do nothing where a unit may be asked now.

        Raises:
            UnitPausedError: It is left alone for now.
        """
        if not self.suspects(unit):
            return
        with self._lock:
            silence = self._units[unit]
            left_s = silence.until_s - self._monotonic()
        if left_s > 0:
            raise UnitPausedError(
                f"{self._where} unit {unit}: silent {silence.times} times in a row, "
                f"asked again in {left_s:.0f} s"
            )

    def answered(self, unit: int) -> None:
        """Note that a unit answered, were it with a refusal."""
        with self._lock:
            self._units.setdefault(unit, _Silence()).times = 0

    def silent(self, unit: int, took_s: float) -> None:
        """Note that a unit was silent, and how long it held the line [s]."""
        with self._lock:
            silence = self._units.setdefault(unit, _Silence())
            silence.times += 1
            pause_s = max(min(STEP_S * silence.times, LONGEST_S), SHARE * took_s)
            silence.until_s = self._monotonic() + min(pause_s, LONGEST_S)
