"""Fills groups of steps to one level each: every step the same, unless its range forbids it."""

from __future__ import annotations

import numpy as np

from optimizer.linear.programme import IntArray
from optimizer.problem import FloatArray

_MOST_STEPS = 100
_ENOUGH = 1e-12


def level(now: FloatArray, low: FloatArray, high: FloatArray, group: IntArray) -> FloatArray:
    """Return numbers with the same sum in each group and the smallest sum of squares.

    Args:
        now: Within their ranges, shape ``(N,)``.
        low: Shape ``(N,)``.
        high: Shape ``(N,)``.
        group: The group of each, from zero on, shape ``(N,)``.
    """
    count = int(group.max(initial=-1)) + 1
    wanted = np.bincount(group, now, count)
    bottom, top = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(bottom, group, low)
    np.maximum.at(top, group, high)
    enough = _ENOUGH * (1.0 + np.abs(wanted))
    height = wanted / np.bincount(group, minlength=count)
    height = np.where(wanted >= np.bincount(group, high, count) - enough, top, height)
    height = np.where(wanted <= np.bincount(group, low, count) + enough, bottom, height)
    for _ in range(_MOST_STEPS):
        at = height[group]
        missing = wanted - np.bincount(group, np.clip(at, low, high), count)
        if (np.abs(missing) <= enough).all():
            break
        bottom = np.where(missing > 0, height, bottom)
        top = np.where(missing < 0, height, top)
        moving = np.bincount(group, (low < at) & (at < high), count)
        ahead = height + missing / np.maximum(moving, 1.0)
        inside = (moving > 0) & (bottom < ahead) & (ahead < top)
        height = np.where(inside, ahead, (bottom + top) / 2)
    return np.clip(height[group], low, high)
