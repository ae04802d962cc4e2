"""How far a forecast may be off: from how far it was off."""

from __future__ import annotations

import numpy as np

from optimizer.problem import FloatArray

LOW, HIGH = 0.1, 0.9
"""The range leaves out one time in ten on either side."""
_BESIDE = 2


def column_quantile(rows: FloatArray, quantile: float) -> FloatArray:
    """Return a quantile of what is known in each column, by a straight line; NaN where nothing is.

    As ``numpy.nanquantile`` and many times as fast, which matters where it is asked every night.
    """
    if not len(rows):
        return np.full(rows.shape[1], np.nan)
    ordered = np.sort(rows, axis=0)  # what is not known goes last
    last = (~np.isnan(rows)).sum(axis=0) - 1
    place = quantile * np.maximum(last, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(last, 0))
    columns = np.arange(rows.shape[1])
    part = place - below
    mixed: FloatArray = ordered[below, columns] * (1 - part) + ordered[above, columns] * part
    return mixed


def errors_by_slot(errors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the 10 and 90 % quantile of errors per slot of the day, with the slots beside it.

    Args:
        errors: What was less what was expected, a day a row, shape ``(D, 96)``; NaN where unknown.

    Returns:
        Low and high, shape ``(96,)``; NaN where no error is known.
    """
    pooled = np.concatenate([np.roll(errors, by, axis=1) for by in range(-_BESIDE, _BESIDE + 1)])
    counts = np.maximum((~np.isnan(pooled)).sum(axis=0), 1)
    # A quantile of few errors is too narrow by about one of them on each side.
    wider = float(np.median(1 / counts))
    return (
        column_quantile(pooled, max(0.0, LOW - LOW * wider)),
        column_quantile(pooled, min(1.0, HIGH + LOW * wider)),
    )
