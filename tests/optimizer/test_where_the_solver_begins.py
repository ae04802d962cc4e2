"""The solver begins with doing nothing, and ends where it would have ended anyway."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from optimizer.linear.directions import bounded, of_the_connection, with_directions
from optimizer.linear.idle_basis import idle_basis
from optimizer.linear.programme import Programme, programme_of
from optimizer.linear.solve import Solver
from optimizer.problem import BoolArray
from tests.optimizer.fleets import fleet
from tests.speed.families import family
from tests.speed.families import problem as of_family


def programmes() -> list[Programme]:
    problems = [fleet(seed) for seed in range(0, 60, 5)]
    return [bounded(problem, programme_of(problem)) for problem in problems]


def test_the_first_corner_breaks_no_equation() -> None:
    for programme in programmes():
        idle = idle_basis(programme)
        assert idle is not None

        assert int(idle.columns.sum() + idle.rows.sum()) == programme.row_low.size
        basic = programme.matrix[:, np.flatnonzero(idle.columns)].toarray()
        slack = -np.eye(programme.row_low.size)[:, idle.rows]
        x = np.linalg.solve(np.concatenate([basic, slack], axis=1), _right(programme, idle.rows))
        assert np.isfinite(x).all()


def _right(programme: Programme, slack: BoolArray) -> list[float]:
    return [float(low) for low in np.where(slack, 0.0, programme.row_low)]


def test_doing_nothing_is_a_plan_only_within_its_limits() -> None:
    problem = of_family(family("P1"))
    narrow = replace(problem, import_limit_kw=np.full(problem.steps, 0.1))
    outside = replace(problem, soc_start_kwh=problem.soc_max_kwh[:, 0] + 1.0)

    found = [idle_basis(programme_of(one)) for one in (problem, narrow, outside)]

    assert [one is not None and one.keeps_limits for one in found] == [True, False, False]


def test_a_programme_with_whole_numbers_begins_by_itself() -> None:
    problem = of_family(family("P1"))
    paid = replace(problem, sell_eur_per_kwh=problem.buy_eur_per_kwh + 0.1)
    programme = with_directions(programme_of(paid), paid, of_the_connection(paid))

    assert programme.has_whole
    assert idle_basis(programme) is None


def test_it_ends_at_the_cost_that_another_start_finds() -> None:
    for programme in programmes():
        one = Solver(15.0).solve(programme)
        other = Solver(15.0, through_scipy=True).solve(programme)

        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.cost == pytest.approx(other.cost, rel=1e-8, abs=1e-8)


def test_another_user_of_the_solver_with_more_threads_does_not_stop_it() -> None:
    code = (
        "import highspy, numpy as np\n"
        "other = highspy.Highs()\n"
        "other.setOptionValue('output_flag', False), other.setOptionValue('threads', 2)\n"
        "other.addVar(0, 1), other.run()\n"
        "from optimizer.linear.solve import GAP, End, new_highs\n"
        "from optimizer.linear.programme import programme_of\n"
        "from tests.speed.families import family, problem as of_family\n"
        "highs = new_highs(); highs.load(programme_of(of_family(family('P1'))))\n"
        "assert highs.run(15.0).end is End.OPTIMAL"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr
