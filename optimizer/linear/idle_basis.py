"""Where a simplex method begins: with a plan in which no battery does anything.

Without a start of its own the solver begins with all equations broken, and its first pivots only
mend that. Doing nothing is a corner too, and one without broken equations: stored energy stays, the
connection takes what the homes ask, and the peak is the highest of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.linear.programme import Programme
from optimizer.problem import BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class IdleBasis:
    """Which columns and rows are basic where nothing is done; as many as there are rows.

    Attributes:
        columns: One a column.
        rows: One a row.
        keeps_limits: Whether doing nothing keeps to all of them, and so is a plan.
    """

    columns: BoolArray
    rows: BoolArray
    keeps_limits: bool


def idle_basis(programme: Programme) -> IdleBasis | None:
    """Return the basis of doing nothing, or None where a programme has more than its layout."""
    layout = programme.layout
    if programme.has_whole or programme.matrix.shape != (layout.rows, layout.columns):
        return None
    balance = slice(layout.balance_row(), layout.peak_row())
    net = programme.row_low[balance]
    imports = net >= 0
    columns = np.zeros(layout.columns, dtype=np.bool_)
    rows = np.zeros(layout.rows, dtype=np.bool_)
    columns[layout.stored] = True
    columns[layout.imported] = imports
    columns[layout.exported] = ~imports
    if layout.has_peak:
        rows[layout.peak_row() :] = True
        rows[layout.peak_row(int(np.argmax(net)))] = False
        columns[-1] = True
    reach = np.where(imports, programme.high[layout.imported], programme.high[layout.exported])
    shape = (layout.batteries, layout.steps)
    stored = np.cumsum(programme.row_low[: layout.cells].reshape(shape), axis=1).ravel()
    in_band = (programme.low[layout.stored] <= stored) & (stored <= programme.high[layout.stored])
    return IdleBasis(columns, rows, bool((np.abs(net) <= reach).all() and in_band.all()))
