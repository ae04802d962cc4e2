"""The next hours: a forecast that follows the day is surer of them, and its range is narrower.

How much narrower is learned as the day's own range is: from days gone by, at their hours, with what
was known then. Where a forecast had nothing to follow, as at dawn, its range stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from optimizer.forecast import Forecast
from optimizer.forecasting.score import Judged, widening
from optimizer.nowcast import Follow, corrected, ratio_of_late
from optimizer.problem import FloatArray

HOUR = 4
SPANS = ((0, HOUR), (HOUR, 3 * HOUR), (3 * HOUR, 6 * HOUR))
"""The next hour, two after it and three after those, in quarters ahead."""
_EVERY = 2 * HOUR
_NARROWEST, _WIDEST = 0.2, 2.0
_NO_LONGER = 9 * HOUR
"""From here on a range is as wide as it was at midnight."""


@dataclass(frozen=True, slots=True)
class Soon:
    """How many times as wide a range is where it follows the day.

    Attributes:
        times: In each of ``SPANS``; between their middles on straight lines.
    """

    times: tuple[float, ...] = (1.0,) * len(SPANS)

    def widths(self, count: int) -> FloatArray:
        """Return how many times as wide the range of each of the next quarters is."""
        middles = [(first + end - 1) / 2 for first, end in SPANS]
        widths: FloatArray = np.interp(np.arange(count), [*middles, _NO_LONGER], [*self.times, 1.0])
        return widths


AS_WIDE = Soon()
"""A range as wide as it was at midnight."""


@runtime_checkable
class Following(Protocol):
    """A method whose rest of today follows what was measured of it."""

    @property
    def follow(self) -> Follow:
        """How it follows."""


def followed(told: FloatArray, measured_kw: FloatArray, follow: Follow) -> tuple[FloatArray, int]:
    """Return a day's forecast moved to where the last quarters were, and how much of it moved.

    Args:
        told: Likely, low and high from the start of the day on, shape ``(3, T)`` [kW].
        measured_kw: What was measured of it, shape ``(N,)`` [kW]; NaN where it is not known.
        follow: How it follows.

    Returns:
        The same with quarters from N on moved, and T - N; 0 where there was nothing to follow.
    """
    if ratio_of_late(told[0], measured_kw, follow) is None:
        return told, 0
    likely = corrected(told[0], measured_kw, follow)
    return told + (likely - told[0]), likely.size - measured_kw.size


def widened(told: Forecast, times: float, soon: Soon = AS_WIDE) -> Forecast:
    """Return a forecast whose range is a number of times as wide, and another in the next hours.

    Never below zero where it was not.
    """
    wide = np.full(told.likely.size, times)
    wide[: told.following] *= soon.widths(min(told.following, wide.size))
    least = np.where(told.low >= 0, 0.0, -np.inf)
    return Forecast(
        told.likely,
        np.maximum(told.likely - wide * (told.likely - told.low), least),
        told.likely + wide * (told.high - told.likely),
        told.days,
        told.following,
    )


def learned(days: Sequence[tuple[Forecast, FloatArray]], follow: Follow) -> Soon:
    """Return how wide the range of the next hours must be to hold four times out of five.

    Args:
        days: What was said of each day when it began, its range widened, and what came [kW].
        follow: How it follows.
    """
    spans: list[list[Judged]] = [[] for _ in SPANS]
    for told, came in days:
        whole = np.array([told.likely, told.low, told.high])
        for now in range(HOUR, came.size, _EVERY):
            moved, count = followed(whole, came[:now], follow)
            if not count:
                continue
            for found, (first, end) in zip(spans, SPANS, strict=True):
                part = slice(now + first, now + end)
                found.append(Judged.in_rows(moved[:, part], came[part]))
    return Soon(
        tuple(
            widening(Judged.of(found), narrowest=_NARROWEST, widest=_WIDEST) if found else 1.0
            for found in spans
        )
    )
