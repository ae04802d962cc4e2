"""How the forecasts of the street are made, and how they have held; for who keeps it going."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from kwartier.units import EpochS
from optimizer.forecasting.choose import Why
from optimizer.forecasting.score import Score

USE, SUN = "use", "sun"
"""What is forecast, for all homes together."""


@dataclass(frozen=True, slots=True)
class Subject:
    """How the forecast of one thing is made, and how it went.

    Attributes:
        name: ``use`` or ``sun``.
        method: Which method is in use.
        why: Why that one.
        chosen_s: Since when [s].
        weather: Whether told weather was at hand for today.
        score: How what was said at the start of each day held over the last four weeks.
    """

    name: str
    method: str
    why: Why
    chosen_s: EpochS
    weather: bool
    score: Score


class ForecastStates:
    """What is known of the forecasts; safe to share between threads, empty in a new process."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = threading.Lock()
        self._known: dict[str, Subject] = {}

    def keep(self, subject: Subject) -> None:
        """Remember a state instead of the one before."""
        with self._lock:
            self._known[subject.name] = subject

    def all(self) -> tuple[Subject, ...]:
        """Return what is known, use first."""
        with self._lock:
            return tuple(self._known[name] for name in (USE, SUN) if name in self._known)
