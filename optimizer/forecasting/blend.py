"""A blend of experts, weighed anew each day by how they did over the last four weeks.

The weights are not negative and make the absolute error least, with a pull towards equal ones, so
that a short history does not run off with one expert. The errors of those weeks give the range.
An expert who has nothing to say of a day is left out of it: no weather told, no opinion from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TypeVar

import numpy as np
from scipy.optimize import nnls

from optimizer.forecast import DAY, Forecast, check_steps
from optimizer.forecasting.days import Days, Sky, days_of
from optimizer.forecasting.history import History, IntArray
from optimizer.forecasting.ranges import errors_by_slot
from optimizer.forecasting.soon import followed
from optimizer.nowcast import Follow
from optimizer.problem import FloatArray

Known = TypeVar("Known")
Expert = Callable[[Days, int], FloatArray]
"""Forecasts a row of days from the rows above it, shape ``(96,)``; NaN where it cannot."""

LEARNED_DAYS = 28
SEEN_DAYS = 42
"""No expert looks further back than this for one day."""
LEAST_QUARTERS = 7 * DAY // 2
"""With fewer known quarters there is no blend: a week with half of it missing."""
_FADES_DAYS = 14.0
_PULL = 0.02
_ROUNDS = 4
_SMALL = 0.02
_LESSONS, _SAYINGS = 8, 4096


@dataclass(frozen=True, slots=True)
class Blend:
    """A method of experts; what they said of days gone by is remembered, so asking again is cheap.

    Attributes:
        name: What it is called.
        experts: Who is asked.
        follow: How the rest of today follows what was measured of it.
        sky: Sunlight without clouds, where the experts ask for it.
    """

    name: str
    experts: tuple[Expert, ...]
    follow: Follow
    sky: Sky | None = None
    _lessons: dict[bytes, _Lesson] = field(default_factory=dict, compare=False, repr=False)
    _sayings: dict[bytes, FloatArray] = field(default_factory=dict, compare=False, repr=False)

    def forecast(self, history: History, steps: int) -> Forecast:
        """Return what to expect; NaN where less than about a week was measured.

        Never below zero, unless the history was.

        Raises:
            InputError: The number of steps is out of range.
        """
        check_steps(steps)
        days = days_of(history, steps, self.sky)
        clock = history.clock(steps)
        row, now = clock.day - days.first, history.kw.size
        today = int(row[now])
        if (~np.isnan(days.kw[:today])).sum() < LEAST_QUARTERS:
            return nothing(steps)
        least = 0.0 if np.nanmin(days.kw[:today]) >= 0 else -np.inf
        prints = _prints(days, today)
        lesson = self._lesson(days, today, prints)
        midnight, following = int(np.searchsorted(row, today)), 0
        told = np.full((3, row.size - midnight), np.nan)
        for place in range(today, int(row[-1]) + 1):
            here = row[midnight:] == place
            slots = clock.slot[midnight:][here]
            # What is to be said of today stays the same all day; of tomorrow it follows today.
            said = self._said(days, place, prints) if place == today else self._ask(days, place)
            told[:, here] = lesson.told(said, slots)[:, slots]
            if place == today:
                told[:, here], following = followed(
                    told[:, here], history.kw[midnight:now], self.follow
                )
            fill(days, place, slots, told[0, here])
        likely, low, high = np.maximum(told[:, now - midnight :], least)
        if self.sky is not None:
            dark = self.sky(history.end_s, steps) <= 0
            for part in (likely, low, high):
                part[dark & ~np.isnan(part)] = 0.0
        counted = np.full(steps, float(min(today, LEARNED_DAYS)))
        return Forecast(likely, low, high, counted, following)

    def following(self, follow: Follow) -> Blend:
        """Return the same blend following the day otherwise; it remembers the same."""
        return replace(self, follow=follow)

    def _lesson(self, days: Days, today: int, prints: list[bytes]) -> _Lesson:
        """Return what is to be learned from the days before today; the same for the whole day."""
        key = _print(*prints[:today])
        if key not in self._lessons:
            first = max(1, today - LEARNED_DAYS)
            said = np.array([self._said(days, row, prints) for row in range(first, today)])
            lesson = _Lesson(said.transpose(1, 0, 2), days.kw[first:today].copy())
            _remember(self._lessons, key, lesson, _LESSONS)
        return self._lessons[key]

    def _said(self, days: Days, row: int, prints: list[bytes]) -> FloatArray:
        """Return what the experts say of a day up to today, shape ``(K, 96)``; asked once."""
        key = _print(*prints[max(0, row - SEEN_DAYS) : row + 1])
        if key not in self._sayings:
            _remember(self._sayings, key, self._ask(days, row), _SAYINGS)
        return self._sayings[key]

    def _ask(self, days: Days, row: int) -> FloatArray:
        return np.array([expert(days, row) for expert in self.experts])


class _Lesson:
    """What the experts said of the last weeks, what came, and what each is worth for it."""

    def __init__(self, said: FloatArray, came: FloatArray) -> None:
        """Learn from what was said, shape ``(K, D, 96)``, and what came, ``(D, 96)``."""
        self._said = said
        self._came = came
        self._known = (~np.isnan(said) & ~np.isnan(came)).sum(axis=(1, 2))
        self._worth: dict[tuple[int, ...], tuple[FloatArray, FloatArray, FloatArray]] = {}

    def told(self, said: FloatArray, slots: IntArray) -> FloatArray:
        """Return likely, low and high of a day, shape ``(3, 96)``; NaN where nobody knows.

        Args:
            said: What each expert says of it, shape ``(K, 96)``.
            slots: Which of it is asked: who has nothing to say of one of them is not heard.
        """
        heard = (~np.isnan(said[:, slots])).sum(axis=1)
        most = int(heard.max(initial=0))
        able = np.flatnonzero((heard == most) & (self._known >= LEAST_QUARTERS))
        if not able.size or most == 0:
            return np.full((3, DAY), np.nan)
        key = tuple(able.tolist())
        if key not in self._worth:
            self._worth[key] = self._weighed(key)
        weights, low, high = self._worth[key]
        likely = weights @ said[able]
        level = float(np.nanmean(np.abs(likely)))
        return np.array([likely, likely + level * low, likely + level * high])

    def _weighed(self, able: tuple[int, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the weights, and how far their blend was off per unit of its level."""
        said = self._said[list(able)]
        known = ~np.isnan(said).any(axis=0) & ~np.isnan(self._came)
        ages = np.arange(len(self._came), 0, -1)[:, None]
        counts = np.broadcast_to(np.exp(-ages / _FADES_DAYS), known.shape)
        weights = weigh(said[:, known].T, self._came[known], counts[known])
        blended = np.tensordot(weights, said, 1)
        spoken = ~np.isnan(blended)
        levels = np.abs(np.where(spoken, blended, 0.0)).sum(axis=1) / np.maximum(
            spoken.sum(axis=1), 1
        )
        off = np.full(blended.shape, np.nan)
        np.divide(self._came - blended, levels[:, None], out=off, where=levels[:, None] > 0)
        low, high = errors_by_slot(off)
        return weights, np.minimum(np.nan_to_num(low), 0.0), np.maximum(np.nan_to_num(high), 0.0)


def weigh(said: FloatArray, came: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the weights of experts, none negative, that make the absolute error least.

    By least squares weighed by one over the error of the round before, which comes to the least
    absolute error; a pull towards equal weights decides between experts who say the same.

    Args:
        said: What each expert said, shape ``(N, K)`` [kW].
        came: What came, shape ``(N,)`` [kW].
        counts: How much each quarter counts, shape ``(N,)``.
    """
    size = said.shape[1]
    equal = np.full(size, 1 / size)
    scale = max(float(np.abs(came).mean()), 1e-6)
    pull = _PULL * scale * np.sqrt(came.size)
    weights = equal
    for _ in range(_ROUNDS):
        each = counts / np.maximum(np.abs(came - said @ weights), _SMALL * scale)
        each /= each.mean()
        # Least squares over all quarters is least squares over its K x K triangle.
        square = (said * each[:, None]).T @ said + pull**2 * np.eye(size)
        lower = np.linalg.cholesky(square)
        right = said.T @ (each * came) + pull**2 * equal
        weights, _rest = nnls(lower.T, np.linalg.solve(lower, right))
    return weights


def nothing(steps: int) -> Forecast:
    """Return the forecast of who knows nothing: absent, never zero."""
    unknown = np.full(steps, np.nan)
    return Forecast(unknown, unknown, unknown, np.zeros(steps))


def fill(days: Days, row: int, slots: IntArray, likely: FloatArray) -> None:
    """Write what is expected of a day where it is not measured, for the day after it."""
    unknown = np.isnan(days.kw[row, slots])
    days.kw[row, slots[unknown]] = likely[unknown]


def _prints(days: Days, today: int) -> list[bytes]:
    """Return a fingerprint of each day: its date, what was told, and of days gone by what came."""
    parts = [part for part in (days.told_w_per_m2, days.told_c) if part is not None]
    told = [
        _print(str(days.first + row).encode(), *(part[row].tobytes() for part in parts))
        for row in range(today + 1)
    ]
    return [_print(one, days.kw[row].tobytes()) for row, one in enumerate(told[:today])] + told[
        today:
    ]


def _print(*parts: bytes) -> bytes:
    return blake2b(b"".join(parts), digest_size=16).digest()


def _remember(known: dict[bytes, Known], key: bytes, value: Known, most: int) -> None:
    """Keep a value, and let go of the oldest where there are too many."""
    while len(known) >= most:
        del known[next(iter(known))]
    known[key] = value
