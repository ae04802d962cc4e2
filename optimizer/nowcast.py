"""A forecast that follows the day: what the last hour was, against what was expected of it.

A median of four weeks does not know that today is grey. How much the last quarters differ from what
was expected says most about the next ones, and less about those further on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.problem import FloatArray


@dataclass(frozen=True, slots=True)
class Follow:
    """How one forecast follows what is measured.

    Attributes:
        quarters: Over how many of the last quarters it looks.
        fades: After how many quarters the difference counts for 1/e.
        most: It makes a forecast at most so many times larger.
        part: How much of the difference is believed; 0 follows nothing.
    """

    quarters: int
    fades: float
    most: float
    part: float = 1.0


@dataclass(frozen=True, slots=True)
class Nowcast:
    """How the forecasts of sun and of use follow the day."""

    solar: Follow
    use: Follow


DEFAULT_NOWCAST = Nowcast(Follow(2, 16.0, 2.0), Follow(2, 8.0, 2.0))
"""Half an hour back: on a street of 39 homes two quarters did better than four and eight, on weeks
they were chosen on and on others; one did better still, but it may come in late."""


def corrected(expected_kw: FloatArray, measured_kw: FloatArray, follow: Follow) -> FloatArray:
    """Return a forecast with the last quarters' ratio of measured to expected carried on.

    Args:
        expected_kw: The forecast from the start of the day on, shape ``(T,)`` [kW].
        measured_kw: What was measured of its first quarters, shape ``(N,)``, N < T [kW]; NaN where
            it is not known.
        follow: How much and how long it follows.

    Returns:
        The forecast from quarter N on corrected, before it as it was, shape ``(T,)`` [kW].
    """
    told = expected_kw.copy()
    now = measured_kw.size
    ratio = ratio_of_late(expected_kw, measured_kw, follow)
    if ratio is not None:
        fading = np.exp(-np.arange(expected_kw.size - now) / follow.fades)
        told[now:] *= 1 + follow.part * (ratio - 1) * fading
    return told


def ratio_of_late(expected_kw: FloatArray, measured_kw: FloatArray, follow: Follow) -> float | None:
    """Return measured to expected over the last quarters; None when that says nothing.

    Args:
        expected_kw: The forecast from the start of the day on, shape ``(T,)`` [kW].
        measured_kw: What was measured of its first quarters, shape ``(N,)``, N < T [kW]; NaN where
            it is not known.
        follow: Over how many quarters, and how large it may be.
    """
    now = measured_kw.size
    recent = slice(max(0, now - follow.quarters), now)
    known = ~np.isnan(measured_kw[recent]) & ~np.isnan(expected_kw[recent])
    if not known.any():
        return None
    expected = float(expected_kw[recent][known].sum())
    # At dawn a ratio of two small numbers would say nothing about noon.
    if expected <= 0.05 * follow.quarters * float(np.nanmax(expected_kw, initial=0.0)):
        return None
    return min(follow.most, max(0.0, float(measured_kw[recent][known].sum()) / expected))
