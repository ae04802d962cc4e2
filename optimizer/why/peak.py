"""Where a plan takes as much from the grid as it pays a peak for."""

from __future__ import annotations

import numpy as np

from optimizer.plan import Plan
from optimizer.problem import BoolArray, Problem

_AT_LIMIT = 1e-6


def is_at_peak(problem: Problem, plan: Plan) -> BoolArray:
    """Return where the import is as high as the peak that is paid, shape ``(T,)``."""
    if problem.peak_price_eur_per_kw <= 0:
        return np.zeros(problem.steps, dtype=np.bool_)
    # Below a peak that was there before, nothing is paid for one.
    paid_kw = max(plan.peak_kw, problem.peak_so_far_kw)
    at_peak: BoolArray = plan.import_kw >= paid_kw - _AT_LIMIT * max(1.0, paid_kw)
    return at_peak
