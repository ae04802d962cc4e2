"""The neighbourhood's sun as its exports show it, and how a series goes with another.

Floating point is allowed here: nothing of it reaches a bill, only the question whether somebody
should look.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kwartier.interval import QUARTER_S
from optimizer.settling.matrix import ReadingMatrix

Series: TypeAlias = NDArray[np.float64]
"""One number a quarter, shape ``(Q,)``."""

WEEK = 7 * 96
"""Quarters of a week."""
_DAY = 96


def given_together(readings: ReadingMatrix) -> Series:
    """Return what all connections gave in each quarter [Wh]; less one's own it is its sun."""
    return np.asarray(readings.given.energy_wh.sum(axis=0), np.float64)


def permille(one: Series, other: Series) -> int | None:
    """Return the correlation of two series in thousandths; None when one of them stands still."""
    if one.size < 2 or not one.std() or not other.std():
        return None
    left, right = one - one.mean(), other - other.mean()
    return round(1000 * float(left @ right / np.sqrt((left @ left) * (right @ right))))


def solar_permille(readings: ReadingMatrix, row: int) -> int | None:
    """Return how a connection's net use goes with the neighbourhood's sun, -1000 to 1000.

    A roof gives when the sun shines, so its net use falls: below zero is what is expected.
    """
    net = (readings.taken.energy_wh[row] - readings.given.energy_wh[row]).astype(np.float64)
    return permille(net, given_together(readings) - readings.given.energy_wh[row])


def weeks(quarters: int) -> Iterator[tuple[int, int]]:
    """Yield the columns of each week; what is left over belongs to the last one."""
    starts = list(range(0, max(quarters - WEEK, 0) + 1, WEEK)) or [0]
    for start in starts:
        yield start, quarters if start == starts[-1] else start + WEEK


def weather(readings: ReadingMatrix, series: Series, start: int, end: int) -> Series:
    """Return how a series differs from its own mean at the same time of the day.

    What a roof's direction makes of a day falls out of it; what the clouds make of it stays, and
    clouds pass over all roofs of a neighbourhood at once.
    """
    slots = (readings.first.start_s // QUARTER_S + np.arange(start, end)) % _DAY
    inside = series[start:end]
    days = np.bincount(slots, minlength=_DAY)
    means = np.bincount(slots, weights=inside, minlength=_DAY) / np.maximum(days, 1)
    return np.asarray(inside - means[slots], np.float64)
