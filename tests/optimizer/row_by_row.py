"""A linear programme with whole numbers, column by column and row by row, solved by SciPy's HiGHS.

What planners that were written apart have in common: no more than how SciPy is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

Terms = dict[int, float]


@dataclass
class RowByRow:
    """A programme under construction: columns and rows, one by one."""

    cost: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    rows: list[tuple[Mapping[int, float], float, float]] = field(default_factory=list)

    def column(self, low: float, high: float, cost: float = 0.0, *, whole: bool = False) -> int:
        self.cost.append(cost)
        self.low.append(low)
        self.high.append(high)
        self.whole.append(int(whole))
        return len(self.cost) - 1

    def row(self, terms: Mapping[int, float], low: float, high: float) -> None:
        self.rows.append((terms, low, high))

    def one_way(self, one: int, most_one: float, other: int, most_other: float) -> None:
        """Let at most one of two columns be above zero."""
        switch = self.column(0, 1, whole=True)
        self.row({one: 1, switch: -most_one}, -np.inf, 0)
        self.row({other: 1, switch: most_other}, -np.inf, most_other)

    def least(self) -> float | None:
        """Return the least cost, or None where the rows cannot all hold."""
        found = self.searched(np.inf)
        return None if found is None else found[1]

    def searched(self, limit_s: float) -> tuple[float, float] | None:
        """Return between what the least cost lies after a search of so long [s], or None."""
        if any(low > high for low, high in zip(self.low, self.high, strict=True)):
            return None
        entries = [
            (number, column, value)
            for number, (terms, _, _) in enumerate(self.rows)
            for column, value in terms.items()
        ]
        where = ([entry[0] for entry in entries], [entry[1] for entry in entries])
        values = np.array([entry[2] for entry in entries])
        shape = (len(self.rows), len(self.cost))
        found = milp(
            np.array(self.cost),
            integrality=np.array(self.whole),
            bounds=Bounds(np.array(self.low), np.array(self.high)),
            constraints=LinearConstraint(
                csr_array((values, where), shape=shape),
                np.array([low for _, low, _ in self.rows]),
                np.array([high for _, _, high in self.rows]),
            ),
            options={"mip_rel_gap": 1e-9, "time_limit": limit_s},
        )
        if found.status == 2:
            return None
        assert found.status in {0, 1}, found.message
        assert found.status == 0 or np.isfinite(limit_s), found.message
        best = np.inf if found.fun is None else float(found.fun)
        bound = found.mip_dual_bound
        return best if bound is None else min(float(bound), best), best
