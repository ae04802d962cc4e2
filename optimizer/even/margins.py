"""The most even table of numbers with given sums of its rows and columns, each within a range."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from optimizer.problem import FloatArray

_MOST_STEPS = 40
_LONGEST = 3.0
"""A longer Newton step than this, in units of log odds, trusts the curvature too far."""
_TIGHT = 1e-11
"""Sums are met once they miss this part of the largest."""


def even_table(rows: FloatArray, columns: FloatArray, most: FloatArray) -> FloatArray | None:
    """Return the table between zero and ``most`` with these sums, or None where it is not found.

    Of all such tables it has the largest entropy, of what is in each cell and of what is left of
    its range: rows that are alike are filled alike, and no cell is fuller than its row and column
    ask for. It is one table, however a worse one was come by.

    Args:
        rows: What each row adds up to, shape ``(N,)``.
        columns: What each column adds up to, shape ``(M,)``.
        most: The top of each cell's range, shape ``(N, M)``; zero closes it.

    Source:
        J. N. Darroch and D. Ratcliff, Generalized iterative scaling for log-linear models, Annals
        of Mathematical Statistics 43 (1972), for the form of the answer; it is found by Newton's
        method on the sums.
    """
    share = np.clip(rows / most.sum(axis=1), 1e-6, 1 - 1e-6)
    by_row = np.log(share / (1 - share))
    by_column = np.zeros_like(columns)
    enough = _TIGHT * max(1.0, float(columns.max()))
    table = np.empty_like(most)
    for _ in range(_MOST_STEPS):
        part = 1 / (1 + np.exp(-(by_row[:, None] + by_column)))
        np.multiply(most, part, out=table)
        off_row, off_column = rows - table.sum(axis=1), columns - table.sum(axis=0)
        if max(np.abs(off_row).max(), np.abs(off_column).max()) <= enough:
            return table
        bend = table * (1 - part)
        step = _newton(bend, off_row, off_column)
        if step is None:
            return None
        scale = min(1.0, _LONGEST / max(np.abs(step[0]).max(), np.abs(step[1]).max(), 1e-300))
        by_row += scale * step[0]
        by_column += scale * step[1]
    return None


def _newton(
    bend: FloatArray, off_row: FloatArray, off_column: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Return the step of rows and columns; the first row's is kept at zero, as one is free."""
    across, down = bend.sum(axis=1), bend.sum(axis=0)
    if not (down > 0).all():
        return None
    weighed = bend / down
    matrix = np.diag(across[1:]) - weighed[1:] @ bend[1:].T
    right = off_row - weighed @ off_column
    by_row = np.zeros_like(off_row)
    try:
        by_row[1:] = cho_solve(cho_factor(matrix, check_finite=False), right[1:])
    except (LinAlgError, ValueError):
        return None
    return by_row, (off_column - bend.T @ by_row) / down
