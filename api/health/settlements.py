"""How many months stand where in their settlement, for measures; months only, never a member."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

from api.cooperative.runs.states import State, runs
from api.house import House

KNOWN_FOR_S = 60.0
"""How long it is told again before the books are looked at anew [s]."""


class Settlements:
    """Counts months by the state of their newest run. Safe between threads."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._known: tuple[float, Mapping[State, int]] | None = None

    def counts(self, house: House) -> Mapping[State, int]:
        """Return how many months stand where; nothing where no books are kept."""
        if house.office is None:
            return {}
        now_s = house.clock.monotonic_s()
        with self._lock:
            if self._known is None or now_s - self._known[0] >= KNOWN_FOR_S:
                with house.office.reading() as desk:
                    newest = {str(run.name.month): run.state for run in runs(desk)}
                self._known = (now_s, Counter(newest.values()))
            return self._known[1]
