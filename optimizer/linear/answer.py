"""How a run of a solver ended, and what it gave."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from optimizer.problem import FloatArray


class End(Enum):
    """How a run ended."""

    OPTIMAL = auto()
    OUT_OF_TIME = auto()
    INFEASIBLE = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What HiGHS gave.

    Attributes:
        end: How the run ended.
        x: One number a column; None where there is none within all bounds.
        row_price: What one more on the right of each row costs; None for whole numbers.
        bound: No solution costs less; minus infinity where it is not known.
        message: The solver's own word for its end.
    """

    end: End
    x: FloatArray | None
    row_price: FloatArray | None
    bound: float
    message: str
