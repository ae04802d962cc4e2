"""How the forecasts are made, and how they have held; for who keeps it going."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kwartier.units import EpochS, Wh
from optimizer.forecasting.choose import Why
from optimizer.forecasting.score import Score

USE, SUN = "use", "sun"
"""What is forecast."""


class Span(StrEnum):
    """How far ahead something was said."""

    DAY = "day"
    """When its day began."""
    SOON = "soon"
    """In the hour before it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """How the forecast of one thing is made for all homes together, and how it went.

    Attributes:
        name: ``use`` or ``sun``.
        method: Which method is in use.
        why: Why that one.
        chosen_s: Since when [s].
        weather: Whether told weather was at hand for today.
        score: How what was said at the start of each day held over the last four weeks.
        soon: How what was said of each next hour held over them.
    """

    name: str
    method: str
    why: Why
    chosen_s: EpochS
    weather: bool
    score: Score
    soon: Score


@dataclass(frozen=True, slots=True)
class Spread:
    """One number over the homes: a quarter of them have less than ``low``, half than ``middle``."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class HeldByHomes:
    """How forecasts of homes held over four weeks; None where too few homes were judged.

    Attributes:
        name: ``use`` or ``sun``.
        span: How far ahead.
        homes: How many homes were judged.
        error: Mean absolute error as a part of what came.
        bias: Lean as a part of what came; positive is too high.
        coverage: Part of the quarters that fell in the range.
    """

    name: str
    span: Span
    homes: int
    error: Spread | None
    bias: Spread | None
    coverage: Spread | None


@dataclass(frozen=True, slots=True)
class HomesState:
    """How the forecasts of the homes one by one stand; counts and spreads, never one home's.

    Attributes:
        night_s: Which midnight they are made from [s].
        homes: How many homes there are.
        ready: How many have been forecast since that midnight.
        methods: How many homes' use and sun are forecast by each method.
        work_s: How long was worked at it since that midnight [s].
        held: How they have held.
    """

    night_s: EpochS
    homes: int
    ready: int
    methods: Mapping[str, Mapping[str, int]]
    work_s: float
    held: tuple[HeldByHomes, ...]


@dataclass(frozen=True, slots=True)
class DayAhead:
    """What one home is expected to use and make in a whole day; its residents' alone.

    Attributes:
        use_wh: What it is expected to use [Wh].
        made_wh: What its roof is expected to make [Wh]; None without one that is known.
        since_s: The first quarter this rests on [s].
    """

    use_wh: Wh
    made_wh: Wh | None
    since_s: EpochS


@dataclass(frozen=True, slots=True)
class KeptQuarter:
    """What is expected of a home in one quarter.

    Attributes:
        start_s: The quarter's start [s].
        subject: ``use`` or ``sun``.
        likely_w: As likely more as less [W].
        low_w: One time in ten less [W].
        high_w: One time in ten more [W].
        method: Who says so.
        since_s: The first quarter this rests on [s].
    """

    start_s: EpochS
    subject: str
    likely_w: int
    low_w: int
    high_w: int
    method: str
    since_s: EpochS


@dataclass(frozen=True, slots=True)
class KeptDay:
    """How what was said of a home held on one day.

    Attributes:
        day_s: When the day began [s].
        since_s: The first quarter that what was said rested on [s].
        subject: ``use`` or ``sun``.
        span: How far ahead it was said.
        off_wh: How far it was off, quarter by quarter without the sign [Wh].
        lean_wh: What was expected less what came [Wh].
        came_wh: What came [Wh].
        quarters: How many quarters were judged.
        inside: How many of them fell in their range.
    """

    day_s: EpochS
    since_s: EpochS
    subject: str
    span: Span
    off_wh: Wh
    lean_wh: Wh
    came_wh: Wh
    quarters: int
    inside: int


@dataclass(frozen=True, slots=True)
class KeptOfHome:
    """All that is kept of one home's forecasts; its residents' alone.

    Attributes:
        quarters: What is expected of the next days.
        days: How what was expected before held.
    """

    quarters: Sequence[KeptQuarter]
    days: Sequence[KeptDay]


class HomesAhead(Protocol):
    """Who knows what a home is expected to use."""

    def kept_of(self, home: str) -> KeptOfHome:
        """Return all that is kept of one home.

        Raises:
            StoreBusyError: The book cannot be read now.
        """

    def tomorrow(self, home: str, now_s: float) -> DayAhead | None:
        """Return what a home is expected to use and make tomorrow; None where nobody knows."""


class ForecastStates:
    """What is known of the forecasts; safe to share between threads, empty in a new process."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = threading.Lock()
        self._known: dict[str, Subject] = {}
        self._homes: HomesState | None = None
        self.ahead: HomesAhead | None = None
        """Who forecasts home by home; None where nobody does."""

    def keep(self, subject: Subject) -> None:
        """Remember a state instead of the one before."""
        with self._lock:
            self._known[subject.name] = subject

    def all(self) -> tuple[Subject, ...]:
        """Return what is known of all homes together, use first."""
        with self._lock:
            return tuple(self._known[name] for name in (USE, SUN) if name in self._known)

    def keep_homes(self, state: HomesState) -> None:
        """Remember how the homes' own forecasts stand."""
        with self._lock:
            self._homes = state

    def homes(self) -> HomesState | None:
        """Return how the homes' own forecasts stand; None before a first night."""
        with self._lock:
            return self._homes
