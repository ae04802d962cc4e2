"""Which method forecasts a connection: the one that did best on its own last days.

Every method is asked what it would have said at each of the last midnights, with what was known
then, and how that would have followed the day. Whole days count as much as the next hours: what is
chosen says both. The best is taken; the one in use stays unless another is clearly better. How
often its range held on those days sets how wide the range is from now on, for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np

from kwartier.errors import InputError
from optimizer.forecast import DAY, Forecast
from optimizer.forecasting.follower import Follower
from optimizer.forecasting.history import History, Method
from optimizer.forecasting.score import (
    LEAST_OF_DAY,
    Score,
    beside,
    midnights,
    said_at,
    widening,
)
from optimizer.forecasting.soon import AS_WIDE, Following, Near, Soon, learned, near, widened
from optimizer.nowcast import Follow

JUDGED_DAYS = 14
LEAST_DAYS = 7
"""With fewer known days a connection is a newcomer."""
_LEAST_JUDGED = 3
_CLEARLY = 0.98


class Why(StrEnum):
    """Why a method is used."""

    BEST = "best"
    """It did best on the last days."""
    STAYS = "stays"
    """It was in use, and no other did clearly better."""
    TOO_FEW_DAYS = "too-few-days"
    """There are not enough days yet to judge by, so the first is taken."""
    NEWCOMER = "newcomer"
    """Less than a week is known."""


@runtime_checkable
class Learner(Protocol):
    """A method that learns at leisure and is then asked often."""

    @property
    def name(self) -> str:
        """What it is called."""

    def learn(self, history: History) -> Method:
        """Return what was learned.

        Raises:
            InputError: There is too little to learn from.
        """


@dataclass(frozen=True, slots=True)
class Choice:
    """What forecasts a connection from now on.

    Attributes:
        method: Who; its ranges are as wide as they had to be.
        why: Why it.
        scores: How each did on the judged days, by name; those that could not say are left out.
        wider: How much its range was widened; below 1 it was made narrower.
        soon: How it follows the day, and how much more the range of the next hours was widened.
    """

    method: Method
    why: Why
    scores: dict[str, Score]
    wider: float = 1.0
    soon: Soon = AS_WIDE


@dataclass(frozen=True, slots=True)
class Widened:
    """A method whose range is a number of times as wide on both sides.

    Attributes:
        of: Whose range.
        times: How many times as wide.
        soon: How many times as wide as that where it follows the day.
    """

    of: Method
    times: float
    soon: Soon = AS_WIDE

    @property
    def name(self) -> str:
        """The name of the method it widens."""
        return self.of.name

    def forecast(self, history: History, steps: int) -> Forecast:
        """Return the forecast of the method with the other range.

        Raises:
            InputError: The number of steps is out of range.
        """
        return widened(self.of.forecast(history, steps), self.times, self.soon)


def choose(
    history: History,
    methods: Sequence[Method],
    newcomer: Method,
    *,
    in_use: str | None = None,
    follow: Follow | None = None,
    judged_days: int = JUDGED_DAYS,
    in_time: Callable[[], bool] = lambda: True,
) -> Choice:
    """Return the method that did best at the last midnights.

    Args:
        history: What is known of the connection.
        methods: Who may be chosen, the preferred one first.
        newcomer: Who forecasts while less than a week is known.
        in_use: The name of the method in use; it stays when no other is 2 % better.
        follow: How a chosen method that does not look at today is made to; None leaves it so.
        judged_days: How many days are judged at most; the cost is that times the methods.
        in_time: Asked before anything is learned; where it says no, who must learn is left out.

    Raises:
        InputError: No method was given.
    """
    if not methods:
        raise InputError("no forecasting method was given: name at least one")
    known = _known_midnights(history)
    if len(known) < LEAST_DAYS:
        return Choice(newcomer, Why.NEWCOMER, {})
    at = known[max(LEAST_DAYS, len(known) - judged_days) :]
    if len(at) < _LEAST_JUDGED:
        return Choice(_ready(methods[0], history, in_time) or newcomer, Why.TOO_FEW_DAYS, {})
    said, follows = {}, {}
    for method in methods:
        ready = _ready(method, history.until(at[0]), in_time)
        if ready is not None:
            said[method.name] = said_at(ready, history, at)
            follows[method.name] = _follow(ready, follow)
    scores = {name: beside(one).score() for name, one in said.items()}
    by_name = {method.name: method for method in methods}
    soon_of = {name: near(one, follows[name]) for name, one in said.items()}
    name, why = _best(scores, soon_of, in_use)
    chosen = _ready(by_name[name], history, in_time) if name else None
    if name is not None and chosen is None:
        # The best had no time to learn again: the best of the others, then.
        name, why = _best({one: scores[one] for one in scores if one != name}, soon_of, in_use)
        chosen = _ready(by_name[name], history, in_time) if name else None
    if name is None or chosen is None:
        return Choice(newcomer, Why.TOO_FEW_DAYS, scores)
    times = widening(beside(said[name]))
    soon, follow = AS_WIDE, follows[name]
    if follow is not None:
        part = soon_of[name].part
        soon = learned([(widened(one, times), came) for one, came in said[name]], follow, part)
        follow = replace(follow, part=part)
        chosen = (
            chosen.following(follow) if isinstance(chosen, Following) else Follower(chosen, follow)
        )
    return Choice(Widened(chosen, times, soon), why, scores, times, soon)


def _follow(method: Method, follow: Follow | None) -> Follow | None:
    """Return how a method follows the day by itself, or else is made to."""
    return method.follow if isinstance(method, Following) else follow


def _known_midnights(history: History) -> list[int]:
    """Return where the days begin of which at least half is known."""
    return [
        start
        for start in midnights(history)
        if (~np.isnan(history.kw[start : start + DAY])).sum() >= LEAST_OF_DAY
    ]


def _ready(method: Method, history: History, in_time: Callable[[], bool]) -> Method | None:
    """Return a method ready to be asked; None where it had too little to learn from, or no time."""
    if not isinstance(method, Learner):
        return method
    if not in_time():
        return None
    try:
        return method.learn(history)
    except InputError:
        return None


def _best(
    scores: Mapping[str, Score], soon_of: Mapping[str, Near], in_use: str | None
) -> tuple[str | None, Why]:
    """Return who did best among those who said something of nearly every quarter."""
    most = max((one.quarters for one in scores.values()), default=0)
    errors = {}
    for name, one in scores.items():
        soon = soon_of[name].error
        if one.error is not None and soon is not None and one.quarters >= 0.9 * most:
            errors[name] = one.error + soon
    if not errors:
        return None, Why.TOO_FEW_DAYS
    best = min(errors, key=lambda name: errors[name])
    if in_use in errors and in_use != best and errors[best] > _CLEARLY * errors[in_use]:
        return in_use, Why.STAYS
    return best, Why.BEST
