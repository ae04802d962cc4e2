"""The door to highspy: HiGHS by its own interface, with prices, and kept warm where asked.

Imported only by :mod:`optimizer.solve`, which does without it where it is not installed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import highspy
import numpy as np
from highspy import HighsModelStatus, HighsStatus

from optimizer.problem import FloatArray
from optimizer.programme import Programme

_BY_COLUMN = int(highspy.MatrixFormat.kColwise)
_MINIMISE = int(highspy.ObjSense.kMinimize)


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


class Highs:
    """One HiGHS object: a model at a time, on one thread, without a word."""

    def __init__(self, gap: float) -> None:
        """Prepare it.

        Args:
            gap: At which a search over whole numbers ends, relative.
        """
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]  # it has no annotations
        self._set("output_flag", False)
        # The scheduler starts once a process: one thread each, processes side by side.
        self._set("threads", 1)
        self._set("mip_rel_gap", gap)

    def load(self, programme: Programme) -> None:
        """Take a programme; whatever was there before is forgotten, its basis too."""
        matrix = programme.matrix
        integer = np.zeros(programme.cost.size, dtype=np.int32)
        integer[integer.size - programme.integer :] = int(highspy.HighsVarType.kInteger)
        # A linear plan has little to presolve: leaving it out saves 30 to 50 % [measured].
        self._set("presolve", "on" if programme.integer else "off")
        self._highs.passModel(
            programme.cost.size,
            programme.row_low.size,
            matrix.data.size,
            _BY_COLUMN,
            _MINIMISE,
            0.0,
            programme.cost,
            programme.low,
            programme.high,
            programme.row_low,
            programme.row_high,
            matrix.indptr,
            matrix.indices,
            matrix.data,
            integer,
        )

    def run(self, time_limit_s: float) -> Answer:
        """Return the best solution of what is loaded."""
        # Its clock runs on from one programme to the next.
        self._set("time_limit", self._highs.getRunTime() + max(time_limit_s, 0.0))
        if self._highs.run() == HighsStatus.kError:
            # Another user of the library in this process has started it with more threads.
            self._set("threads", 0)
            self._highs.run()
        status = self._highs.getModelStatus()
        end = _ENDS.get(status, End.FAILED)
        message = self._highs.modelStatusToString(status)
        info = self._highs.getInfo()
        if end not in {End.OPTIMAL, End.OUT_OF_TIME} or (
            info.primal_solution_status != int(highspy.SolutionStatus.kSolutionStatusFeasible)
        ):
            return Answer(end, None, None, -np.inf, message)
        solution = self._highs.getSolution()
        prices = np.array(solution.row_dual) if solution.dual_valid else None
        return Answer(end, np.array(solution.col_value), prices, info.mip_dual_bound, message)

    def _set(self, option: str, value: bool | float | str) -> None:
        self._highs.setOptionValue(option, value)


_ENDS = {
    HighsModelStatus.kOptimal: End.OPTIMAL,
    HighsModelStatus.kTimeLimit: End.OUT_OF_TIME,
    HighsModelStatus.kIterationLimit: End.OUT_OF_TIME,
    HighsModelStatus.kInfeasible: End.INFEASIBLE,
}
