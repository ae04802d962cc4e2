"""The next hours: how much a forecast follows the day, and how much surer it is of them.

A street's last half-hour says much about its next hours, one home's little: somebody boils water.
So how much of it is believed is learned as the day's range is, from days gone by at their hours,
with what was known then; and so is how wide the range is. Where a forecast had nothing to follow,
as at dawn, its range stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from optimizer.forecast import Forecast
from optimizer.forecasting.history import Method
from optimizer.forecasting.score import Judged, widening
from optimizer.nowcast import Follow, corrected, ratio_of_late
from optimizer.problem import FloatArray

HOUR = 4
SPANS = ((0, HOUR), (HOUR, 3 * HOUR), (3 * HOUR, 6 * HOUR))
"""The next hour, two after it and three after those, in quarters ahead."""
_EVERY = 2 * HOUR
_CLEARLY = 0.98
_PARTS = (1.0, 0.75, 0.5, 0.25, 0.0)
_NARROWEST, _WIDEST = 0.2, 2.0
_NO_LONGER = 9 * HOUR
"""From here on a range is as wide as it was at midnight."""


@dataclass(frozen=True, slots=True)
class Soon:
    """How a forecast follows the day, and how many times as wide its range is where it does.

    Attributes:
        times: In each of ``SPANS``; between their middles on straight lines.
        part: How much is believed of what the last quarters were off.
    """

    times: tuple[float, ...] = (1.0,) * len(SPANS)
    part: float = 1.0

    def widths(self, count: int) -> FloatArray:
        """Return how many times as wide the range of each of the next quarters is."""
        middles = [(first + end - 1) / 2 for first, end in SPANS]
        widths: FloatArray = np.interp(np.arange(count), [*middles, _NO_LONGER], [*self.times, 1.0])
        return widths


@dataclass(frozen=True, slots=True)
class Near:
    """How a method does over the next hours.

    Attributes:
        part: How much is best believed of what the last quarters were off.
        error: Mean absolute error of the next three hours as a part of what came; None when
            nothing did.
    """

    part: float
    error: float | None


AS_WIDE = Soon()
"""A range as wide as it was at midnight."""


@runtime_checkable
class Following(Protocol):
    """A method whose rest of today follows what was measured of it."""

    @property
    def follow(self) -> Follow:
        """How it follows."""

    def following(self, follow: Follow) -> Method:
        """Return the same method, following otherwise."""


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


def near(days: Sequence[tuple[Forecast, FloatArray]], follow: Follow | None) -> Near:
    """Return how a method does over the next hours, and how much it should follow the day for that.

    Args:
        days: What was said of each day when it began, and what came [kW].
        follow: How it follows, if all is believed; None for who does not.

    Returns:
        The part with which the next three hours are least off, or all, if none is clearly; and how
        far off they are with it. Hours in which there is nothing to follow count as they were said.
    """
    parts = np.array(_PARTS if follow is not None else _PARTS[-1:])[:, None]
    ahead = SPANS[1][1]
    fading = np.exp(-np.arange(ahead) / follow.fades) if follow is not None else np.ones(ahead)
    off, still, level = np.zeros(parts.size), 0.0, 0.0
    for told, came in days:
        for now in range(HOUR, came.size - ahead, HOUR):
            span = slice(now, now + ahead)
            said, was = told.likely[span], came[span]
            level += float(np.abs(was[~np.isnan(said) & ~np.isnan(was)]).sum())
            ratio = ratio_of_late(told.likely, came[:now], follow) if follow is not None else None
            if ratio is None:
                still += float(np.nansum(np.abs(said - was)))
            else:
                moved = said * (1 + parts * (ratio - 1) * fading)
                off += np.nansum(np.abs(moved - was), axis=1)
    best = int(off.argmin())
    best = best if off[best] < _CLEARLY * off[0] else 0
    return Near(float(parts[best, 0]), (float(off[best]) + still) / level if level > 0 else None)


def learned(days: Sequence[tuple[Forecast, FloatArray]], follow: Follow, part: float) -> Soon:
    """Return how wide the range of the next hours must be, where a part of the last is believed.

    Args:
        days: What was said of each day when it began, its range widened, and what came [kW].
        follow: How it follows, if all is believed.
        part: How much is believed.
    """
    follow = replace(follow, part=part)
    spans: list[list[Judged]] = [[] for _ in SPANS]
    for told, came in days:
        whole = np.array([told.likely, told.low, told.high])
        for now in range(HOUR, came.size, _EVERY):
            moved, count = followed(whole, came[:now], follow)
            if not count:
                continue
            for found, (first, end) in zip(spans, SPANS, strict=True):
                span = slice(now + first, now + end)
                found.append(Judged.in_rows(moved[:, span], came[span]))
    times = [
        widening(Judged.of(found), narrowest=_NARROWEST, widest=_WIDEST) if found else 1.0
        for found in spans
    ]
    return Soon(tuple(times), part)
