"""The door to highspy: HiGHS by its own interface, with prices, and kept warm where asked.

Imported only by :mod:`optimizer.linear.solve` and only where highspy is installed.
"""

from __future__ import annotations

import highspy
import numpy as np
from highspy import HighsBasisStatus, HighsModelStatus, HighsStatus

from optimizer.linear.answer import Answer, End
from optimizer.linear.idle_basis import idle_basis
from optimizer.linear.programme import Matrix, Programme
from optimizer.problem import FloatArray

_BY_COLUMN = int(highspy.MatrixFormat.kColwise)
_MINIMISE = int(highspy.ObjSense.kMinimize)
_DUAL, _PRIMAL, _DEVEX = 1, 4, 1
_FEW_WHOLE = 64
_STATUS = np.array([HighsBasisStatus.kLower, HighsBasisStatus.kBasic], dtype=np.object_)


class Highs:
    """One HiGHS object: a model at a time, on one thread, without a word."""

    def __init__(self, gap: float) -> None:
        """Prepare it.

        Args:
            gap: At which a search over whole numbers ends, relative.
        """
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]  # it has no annotations
        self._highs.setOptionValue("output_flag", False)
        # The scheduler starts once a process: one thread each, processes side by side.
        self._highs.setOptionValue("threads", 1)
        self._highs.setOptionValue("mip_rel_gap", gap)
        self._matrix: Matrix | None = None

    def load(self, programme: Programme) -> None:
        """Take a programme; whatever was there before is forgotten, its basis too."""
        self._matrix = matrix = programme.matrix
        integer = programme.integrality.astype(np.int32) * int(highspy.HighsVarType.kInteger)
        # There is little to presolve in a linear plan, and in one with the directions of a single
        # home: leaving it out saves 30 to 60 % of the time [measured].
        presolve = "on" if np.count_nonzero(integer) > _FEW_WHOLE else "off"
        self._highs.setOptionValue("presolve", presolve)
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
        self._begin(programme)

    def hold_to(self, nodes: int) -> None:
        """Hold a search over whole numbers to so few nodes."""
        self._highs.setOptionValue("mip_max_nodes", nodes)

    def begin_search(self, gap: float, nodes: int, start: FloatArray, *, looks: bool) -> None:
        """Hold a search over whole numbers to so few nodes, from a solution that is known.

        Its own searches for solutions are left out unless it looks for them: who knows a good one
        spends most of the time there for nothing [measured]. What is settled already is left out
        before it begins.
        """
        self._highs.setOptionValue("presolve", "on")
        for heuristic in ("rins", "rens", "root_reduced_cost", "feasibility_jump"):
            self._highs.setOptionValue(f"mip_heuristic_run_{heuristic}", looks)
        self._highs.setOptionValue("mip_rel_gap", gap)
        self.hold_to(nodes)
        known = highspy.HighsSolution()
        known.col_value = start.tolist()
        known.value_valid = True
        self._highs.setSolution(known)

    def change_to(self, programme: Programme) -> None:
        """Take a programme without whole numbers and begin where the last one of its shape ended.

        Costs and bounds change in place; where the matrix differs it is loaded anew, with the
        basis of the last.
        """
        kept = self._matrix
        if kept is None or not _same_shape(kept, programme.matrix):
            self.load(programme)
            return
        if kept is not programme.matrix and not np.array_equal(kept.data, programme.matrix.data):
            basis = self._highs.getBasis()
            self.load(programme)
            self._highs.setBasis(basis)
            self._walk_by(primal=False)
            return
        self._walk_by(primal=False)
        columns = np.arange(programme.cost.size, dtype=np.int32)
        rows = np.arange(programme.row_low.size, dtype=np.int32)
        self._highs.changeColsCost(columns.size, columns, programme.cost)
        self._highs.changeColsBounds(columns.size, columns, programme.low, programme.high)
        self._highs.changeRowsBounds(  # type: ignore[attr-defined]  # there, if not in its types
            rows.size, rows, programme.row_low, programme.row_high
        )

    def _begin(self, programme: Programme) -> None:
        """Begin where nothing is done: by way of plans, if that is one, else by way of prices."""
        idle = idle_basis(programme)
        if idle is None:
            return
        basis = highspy.HighsBasis()
        basis.col_status = _STATUS[idle.columns.astype(np.intp)].tolist()
        basis.row_status = _STATUS[idle.rows.astype(np.intp)].tolist()
        basis.valid, basis.alien = True, False
        self._highs.setBasis(basis)
        self._walk_by(primal=idle.keeps_limits)

    def _walk_by(self, *, primal: bool) -> None:
        strategy = _PRIMAL if primal else _DUAL
        self._highs.setOptionValue("simplex_strategy", strategy)
        # Steepest edges cost more to keep than they save in so few steps [measured].
        self._highs.setOptionValue("simplex_dual_edge_weight_strategy", _DEVEX)

    def run(self, time_limit_s: float) -> Answer:
        """Return the best solution of what is loaded."""
        # Its clock runs on from one programme to the next.
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + max(time_limit_s, 0.0))
        if self._highs.run() == HighsStatus.kError:
            # Another user of the library in this process has started it with more threads.
            self._highs.setOptionValue("threads", 0)
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


def _same_shape(one: Matrix, other: Matrix) -> bool:
    return one is other or (
        one.shape == other.shape
        and np.array_equal(one.indptr, other.indptr)
        and np.array_equal(one.indices, other.indices)
    )


_ENDS = {
    HighsModelStatus.kOptimal: End.OPTIMAL,
    HighsModelStatus.kTimeLimit: End.OUT_OF_TIME,
    HighsModelStatus.kIterationLimit: End.OUT_OF_TIME,
    HighsModelStatus.kSolutionLimit: End.OUT_OF_TIME,
    HighsModelStatus.kInfeasible: End.INFEASIBLE,
}
