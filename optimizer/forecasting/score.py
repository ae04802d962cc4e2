"""How a forecast did: its error, its lean to one side, and how often its range held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.forecast import DAY, Forecast
from optimizer.forecasting.history import History, Method
from optimizer.problem import BoolArray, FloatArray

COVERAGE = 0.8
"""What part of the quarters a range should hold."""
LEAST_OF_DAY = DAY // 2
"""A day counts with so many known quarters."""
_NOTHING = 0.01
"""Below this part of the mean a quarter at which nothing was expected counts for no range."""


@dataclass(frozen=True, slots=True)
class Score:
    """How one method did on some quarters.

    Attributes:
        error: Mean absolute error as a part of what came on average; None when nothing came.
        bias: Mean of expected less what came, as a part likewise: positive is too high.
        coverage: What part of the quarters fell in the range; None where there was no range.
        quarters: How many were judged.
        unforecast: How many came of which nothing was said.
    """

    error: float | None
    bias: float | None
    coverage: float | None
    quarters: int
    unforecast: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums of how one method did; those of several days add up.

    Attributes:
        off: Of absolute errors [kW].
        lean: Of what was expected less what came [kW].
        came: Of what came, without its sign [kW].
        quarters: How many were judged.
        inside: How many of those that had a range lay in it.
        ranged: How many had a range.
        unforecast: How many came of which nothing was said.
    """

    off: float = 0.0
    lean: float = 0.0
    came: float = 0.0
    quarters: int = 0
    inside: int = 0
    ranged: int = 0
    unforecast: int = 0

    def score(self) -> Score:
        """Return the parts that the sums come to."""
        return Score(
            self.off / self.came if self.came else None,
            self.lean / self.came if self.came else None,
            self.inside / self.ranged if self.ranged else None,
            self.quarters,
            self.unforecast,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What was expected and what came, quarter beside quarter.

    Attributes:
        likely: Shape ``(N,)`` [kW].
        low: Shape ``(N,)`` [kW].
        high: Shape ``(N,)`` [kW].
        came: Shape ``(N,)`` [kW]; NaN where it is not known.
    """

    likely: FloatArray
    low: FloatArray
    high: FloatArray
    came: FloatArray

    @classmethod
    def in_rows(cls, told: FloatArray, came: FloatArray) -> Judged:
        """Return what was told as likely, low and high, shape ``(3, N)``, beside what came."""
        return cls(told[0], told[1], told[2], came)

    @classmethod
    def of(cls, parts: Sequence[Judged]) -> Judged:
        """Return several one after the other."""
        if not parts:
            return cls(*np.empty((4, 0)))
        return cls(
            np.concatenate([one.likely for one in parts]),
            np.concatenate([one.low for one in parts]),
            np.concatenate([one.high for one in parts]),
            np.concatenate([one.came for one in parts]),
        )

    def score(self) -> Score:
        """Return how it did."""
        return self.tally().score()

    def tally(self) -> Tally:
        """Return its sums, which add up with those of other days."""
        both = ~np.isnan(self.came) & ~np.isnan(self.likely)
        off = self.likely[both] - self.came[both]
        ranged = both & self.told()
        inside = (self.came >= self.low) & (self.came <= self.high)
        return Tally(
            float(np.abs(off).sum()),
            float(off.sum()),
            float(np.abs(self.came[both]).sum()),
            int(both.sum()),
            int((inside & ranged).sum()),
            int(ranged.sum()),
            int((~np.isnan(self.came) & np.isnan(self.likely)).sum()),
        )

    def told(self) -> BoolArray:
        """Return where a range says something: not at night, when a roof makes nothing anyway."""
        level = float(np.nanmean(np.abs(self.came))) if (~np.isnan(self.came)).any() else 0.0
        with np.errstate(invalid="ignore"):
            dark = (np.abs(self.came) <= _NOTHING * level) & (np.abs(self.high) <= _NOTHING * level)
        told: BoolArray = ~dark & ~np.isnan(self.came) & ~np.isnan(self.high)
        return told


def midnights(history: History) -> Iterator[int]:
    """Yield at which quarter each whole local day begins that ends inside the history."""
    day = history.clock().day
    starts = [0, *(np.flatnonzero(np.diff(day)) + 1).tolist(), day.size]
    for place in range(1, len(starts) - 1):
        if starts[place + 1] < day.size or _ends_a_day(history):
            yield starts[place]


def said_at(
    method: Method, history: History, at: Sequence[int], steps: int = DAY
) -> list[tuple[Forecast, FloatArray]]:
    """Return what a method would have said at some moments, and what came; as then was known.

    Args:
        method: Whose forecasts.
        history: What came.
        at: How many quarters were known at each moment.
        steps: How many quarters are asked from each moment on.
    """
    said = []
    for moment in at:
        count = min(steps, history.kw.size - moment)
        told = method.forecast(history.until(moment), count)
        said.append((told, history.kw[moment : moment + count]))
    return said


def beside(said: Sequence[tuple[Forecast, FloatArray]]) -> Judged:
    """Return forecasts and what came, in one row."""
    return Judged.of([Judged(one.likely, one.low, one.high, came) for one, came in said])


def widening(said: Judged, *, narrowest: float = 0.5, widest: float = 4.0) -> float:
    """Return how many times as wide the ranges must be to hold four times out of five.

    Split conformal: the 80 % quantile, one value further for a finite number, of how far each
    value lay from the likely one against the width of the range on its side.
    """
    told = said.told() & ~np.isnan(said.likely)
    if not told.any():
        return 1.0
    likely, came = said.likely[told], said.came[told]
    least = 0.01 * max(float(np.abs(came).mean()), 1e-9)
    wide = np.where(came > likely, said.high[told] - likely, likely - said.low[told])
    far = np.sort(np.abs(came - likely) / np.maximum(wide, least))
    place = min(far.size - 1, int(np.ceil(COVERAGE * (far.size + 1))) - 1)
    return float(min(widest, max(narrowest, far[place])))


def _ends_a_day(history: History) -> bool:
    last_two = history.clock(1).day[-2:]
    return bool(last_two[0] != last_two[-1])
