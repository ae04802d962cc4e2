"""What a forecast is made of: what was measured until now, and what a weather service told.

A time of day is that of the wall clock, so a day has 92, 96 or 100 quarters; people get up by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from kwartier.errors import InputError
from kwartier.interval import HOME_ZONE, QUARTER_S, Zone
from optimizer.forecast import DAY, WINDOW_DAYS, Forecast, check_steps
from optimizer.problem import FloatArray

IntArray = npt.NDArray[np.int64]
MAX_QUARTERS = 3 * 366 * DAY
"""The longest history: three years."""
_UTC_DAY_S = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class Weather:
    """What was told of the weather, for the quarters of a history and those after it.

    For the past this is best what was told the day before, as it is for what is to come.

    Attributes:
        sun_w_per_m2: Sunlight on the flat ground, shape ``(N + T,)`` [W/m²]; NaN where unknown.
        outside_c: The air, shape ``(N + T,)`` [°C]; NaN where unknown.
    """

    sun_w_per_m2: FloatArray
    outside_c: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What was measured of one connection, one roof or one group, quarter after quarter.

    Attributes:
        start_s: The start of the first quarter [s since 1970 UTC].
        kw: Mean power of each quarter, shape ``(N,)`` [kW]; NaN where it is missing.
        weather: What was told, for at least N quarters; those after N are the ones to come.
        zone: Whose clock people live by.
    """

    start_s: int
    kw: FloatArray
    weather: Weather | None = None
    zone: Zone = HOME_ZONE

    def __post_init__(self) -> None:
        if self.start_s % QUARTER_S:
            raise InputError(f"a history starts at {self.start_s} s: start on a quarter-hour")
        if self.kw.size > MAX_QUARTERS:
            raise InputError(f"a history has {self.kw.size} quarters: give at most {MAX_QUARTERS}")
        if np.isinf(self.kw).any():
            raise InputError("the history has an infinite value: leave out what is not known")

    @property
    def end_s(self) -> int:
        """The start of the first quarter that is not known yet [s]."""
        return self.start_s + QUARTER_S * self.kw.size

    def clock(self, steps: int = 0) -> LocalQuarters:
        """Return day and time of day of each quarter, and of some after them."""
        return local_quarters(self.start_s, self.kw.size + steps, self.zone)

    def until(self, count: int) -> History:
        """Return what was known after the first ``count`` quarters; the weather told stays."""
        return History(self.start_s, self.kw[:count], self.weather, self.zone)


class Method(Protocol):
    """One way to forecast."""

    @property
    def name(self) -> str:
        """What it is called in books and on pages: lower case and dashes."""

    def forecast(self, history: History, steps: int) -> Forecast:
        """Return what to expect right after a history.

        Args:
            history: What is known.
            steps: For how many quarters, 1 to 2688.

        Returns:
            Likely, low and high, shape ``(steps,)`` [kW]; NaN where nothing can be said.

        Raises:
            InputError: The number of steps is out of range.
        """


@dataclass(frozen=True, slots=True, eq=False)
class LocalQuarters:
    """When quarters are by the wall clock.

    Attributes:
        day: Days since 1970-01-01 by the wall clock, shape ``(N,)``.
        slot: Quarter of the day, 0 to 95, shape ``(N,)``: an hour that comes twice has its slots
            twice, one that is skipped has none.
    """

    day: IntArray
    slot: IntArray

    @property
    def weekday(self) -> IntArray:
        """0 is Monday, 6 Sunday, shape ``(N,)``."""
        # 1970-01-01 was a Thursday.
        return (self.day + 3) % 7


def local_quarters(start_s: int, count: int, zone: Zone = HOME_ZONE) -> LocalQuarters:
    """Return day and time of day of ``count`` quarters from ``start_s`` on."""
    starts_s = start_s + QUARTER_S * np.arange(count, dtype=np.int64)
    hours = starts_s // 3600
    first, last = (int(hours[0]), int(hours[-1])) if count else (0, -1)
    offsets = [
        offset
        for utc_day in range(first // 24, last // 24 + 1)
        for offset in _offsets_s(utc_day, zone)
    ]
    local_s = starts_s + np.array(offsets, dtype=np.int64)[hours - first // 24 * 24]
    return LocalQuarters(local_s // _UTC_DAY_S, local_s % _UTC_DAY_S // QUARTER_S)


def days_before(history: History, steps: int, window: int = WINDOW_DAYS) -> FloatArray:
    """Return what was at the same time of day on the days before each step.

    Args:
        history: What is known.
        steps: For how many quarters after it.
        window: How many days back.

    Returns:
        Shape ``(window, steps)`` [kW], the day before first; NaN where it is missing or not yet
        past. Of an hour that came twice it is the mean.

    Raises:
        InputError: The number of steps is out of range.
    """
    check_steps(steps)
    clock = history.clock(steps)
    now = history.kw.size
    first = max(0, now - (window + 1) * (DAY + 4))
    table = by_day(clock, history.kw, first, now)
    rows = clock.day[None, now:] - np.arange(1, window + 1)[:, None] - clock.day[first]
    inside = (rows >= 0) & (rows < len(table))
    slots = np.broadcast_to(clock.slot[now:], rows.shape)
    found = np.full(rows.shape, np.nan)
    found[inside] = table[rows[inside], slots[inside]]
    return found


def by_day(clock: LocalQuarters, values: FloatArray, first: int, end: int) -> FloatArray:
    """Return quarters ``first`` to ``end`` as one local day a row, shape ``(D, 96)``.

    NaN where a value is missing; of an hour that comes twice it is the mean.
    """
    if end <= first:
        return np.empty((0, DAY))
    row, slot, part = (
        clock.day[first:end] - clock.day[first],
        clock.slot[first:end],
        values[first:end],
    )
    known = ~np.isnan(part)
    place = row[known] * DAY + slot[known]
    size = (int(row[-1]) + 1) * DAY
    counted = np.bincount(place, minlength=size)
    summed = np.bincount(place, weights=part[known], minlength=size)
    with np.errstate(invalid="ignore"):
        mean: FloatArray = summed / counted
    return mean.reshape(-1, DAY)


@lru_cache(maxsize=4096)
def _offsets_s(utc_day: int, zone: Zone) -> tuple[int, ...]:
    """Return how far the wall clock is ahead of UTC in each hour of a day [s]."""
    return tuple(_offset_s(utc_day * _UTC_DAY_S + hour * 3600, zone) for hour in range(24))


def _offset_s(at_s: int, zone: Zone) -> int:
    offset = datetime.fromtimestamp(at_s, zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())
