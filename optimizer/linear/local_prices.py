"""What one more kWh is worth: at the connection, and in a battery, step by step.

Both follow from the prices (dual values) with which a solver proves its plan.
"""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.linear.programme import Layout
from optimizer.problem import FloatArray, Problem


@dataclass(frozen=True, slots=True, eq=False)
class LocalPrices:
    """Prices of a proven plan [EUR/kWh].

    Attributes:
        used: What one more kWh used at the connection adds to the cost, shape ``(T,)``.
        stored: What one more kWh put into a battery in a step takes off it, shape ``(B, T)``.
    """

    used: FloatArray
    stored: FloatArray


def local_prices(problem: Problem, layout: Layout, row_price: FloatArray) -> LocalPrices:
    """Return the prices of a programme's rows in the words of the problem.

    Where a plan may move either way at the same cost, or only one way, a price lies between what
    one kWh more costs and what one kWh less saves.

    Args:
        problem: What was planned.
        layout: Where the rows of its programme stand.
        row_price: What one more on the right of a row adds to the cost; rows after those of the
            layout are left alone.
    """
    balance = row_price[layout.balance_row() : layout.balance_row() + layout.steps]
    stored = row_price[: layout.cells].reshape(layout.batteries, layout.steps)
    return LocalPrices(balance / problem.step_h, -stored)
