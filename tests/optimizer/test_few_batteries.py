"""A few batteries with one direction each: planned by counts, so the same plan in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import count

import pytest

from optimizer.check import may_give_way
from optimizer.dispatch import plan, planned_by
from optimizer.fleet.few import few_one_way
from optimizer.fleet.one_way import one_way_flows
from optimizer.linear.answer import End
from optimizer.linear.directions import bounded, of_batteries, risky_cells, with_directions
from optimizer.linear.programme import programme_of
from optimizer.linear.solve import Solver, Stopwatch, new_highs, nodes_within
from optimizer.plan import Plan, Status
from optimizer.problem import Problem
from optimizer.rolling import Rolling
from tests.optimizer.judge import judged_plan
from tests.optimizer.test_a_fleet_at_negative_prices import least_with_whole_numbers, sunny
from tests.optimizer.test_the_same_plan import fingerprint
from tests.speed.families import family, parts, problem

ENDLESS_S = 1e6
ROUNDING = 1e-6
_CODE = "from tests.optimizer.test_few_batteries import printed, {0}; printed({0}())"


def hours(name: str, first: int, behind: int) -> Problem:
    """Return some steps of the second street of a family."""
    one, here = family(name, 2), slice(first, behind)
    return problem(
        replace(
            one, buy=one.buy[here], sell=one.sell[here], load=one.load[:, here], pv=one.pv[:, here]
        )
    )


def asked() -> Problem:
    """Return noon of 17 batteries, searched in windows and not proven optimal."""
    return hours("P3-16n", 44, 57)


def searched() -> Problem:
    """Return half a day of three batteries, searched in windows and as a whole, yet not proven."""
    return hours("P3-2n", 28, 76)


def printed(few: Problem) -> None:
    """Print the fingerprint of this process, on whose stopwatch every look takes long."""
    sys.stdout.write(fingerprint(plan(few, time_limit_s=ENDLESS_S, stopwatch=ticking(9.0))))


def elsewhere(name: str) -> str:
    """Return what another process prints, in which names have other hashes."""
    return subprocess.run(
        [sys.executable, "-c", _CODE.format(name)],
        capture_output=True,
        text=True,
        timeout=250,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "77", "OPENBLAS_NUM_THREADS": "1"},
    ).stdout


def ticking(seconds: float) -> Stopwatch:
    """Return a stopwatch on which every look takes so long."""
    looks = count()
    return lambda: seconds * next(looks)


@pytest.fixture(scope="module")
def here() -> Plan:
    return plan(asked())


def test_no_clock_and_no_process_changes_the_plan_of_a_few_batteries(here: Plan) -> None:
    assert here.status is Status.FEASIBLE  # a search ended before it had proven anything
    assert elsewhere("asked") == fingerprint(here)


@pytest.mark.nightly
def test_no_clock_and_no_process_changes_a_plan_that_was_searched_as_a_whole() -> None:
    made = plan(searched())

    assert made.status is Status.FEASIBLE
    assert elsewhere("searched") == fingerprint(made)


def test_what_was_planned_before_changes_nothing(here: Plan) -> None:
    rolling = Rolling(time_limit_s=ENDLESS_S)
    rolling.plan(replace(asked(), buy_eur_per_kwh=asked().buy_eur_per_kwh + 0.5, exclusive=False))

    made = rolling.plan(asked())

    assert fingerprint(replace(made, reasons=here.reasons)) == fingerprint(here)


@pytest.mark.parametrize(
    ("batteries", "seed", "steps"),
    [(2, 1, 48), pytest.param(6, 1, 24, marks=pytest.mark.nightly)],
)
def test_the_optimum_of_a_few_lies_between_the_bound_and_the_plan(
    batteries: int, seed: int, steps: int
) -> None:
    few = replace(sunny(batteries, seed, steps=steps, peak_eur=0.3), peak_so_far_kw=1.0)
    least = least_with_whole_numbers(few)

    found = few_one_way(few, bounded(few, programme_of(few)), Solver(ENDLESS_S))

    assert found is not None
    objective = least - 0.3 * 1.0  # a programme counts the peak that was there already
    room = ROUNDING * max(1.0, abs(objective))
    assert objective - room <= found.cost_eur <= objective + found.gap_eur + room


@pytest.mark.nightly
def test_few_batteries_that_the_way_of_fleets_gave_no_plan_get_one_near_the_best() -> None:
    street = parts(family("P3-2n"))

    made = plan(street.problem())

    verdict = judged_plan(street, made)
    assert verdict.laws == {}
    assert verdict.excess == {}
    assert made.gap_eur is not None
    # A search of 7.6 s found EUR 0.2669, with a bound of 0.2598.
    assert made.cost_eur <= 0.2675
    assert made.gap_eur <= 0.0125


def test_searches_make_the_plan_of_a_few_better_and_its_gap_smaller(here: Plan) -> None:
    begun = one_way_flows(asked(), again=6)  # more find nothing better

    assert begun is not None
    assert here.gap_eur is not None
    assert here.cost_eur - here.end_value_eur < begun.cost_eur
    assert here.gap_eur < begun.gap_eur


@pytest.mark.parametrize("limit_s", [1.0, 40.0])
def test_a_plan_of_a_few_whose_time_runs_out_keeps_every_law(limit_s: float, here: Plan) -> None:
    made = planned_by(Solver(limit_s, ticking(1.0)), asked())

    assert all(may_give_way(broken) for broken in made.violations)
    if made.gap_eur is not None and not made.violations:
        assert made.cost_eur - made.gap_eur <= here.cost_eur + ROUNDING


def test_a_plan_of_a_few_comes_within_its_limits_where_time_is_only_for_a_first(here: Plan) -> None:
    # A second a look: the way of fleets gives no plan in what the linear plan leaves of eight.
    made = planned_by(Solver(8.0, ticking(1.0)), asked())

    assert made.status is Status.FEASIBLE
    assert made.violations == ()
    assert made.gap_eur is not None
    assert made.cost_eur - made.gap_eur <= here.cost_eur + ROUNDING
    assert made.cost_eur >= here.cost_eur - ROUNDING


def test_a_search_under_no_clock_ends_after_so_many_nodes() -> None:
    few = hours("P3-2n", 44, 58)
    whole = with_directions(programme_of(few), few, of_batteries(few, risky_cells(few)))
    highs = new_highs()
    highs.load(whole)
    highs.hold_to(1)

    found = highs.run(ENDLESS_S)

    assert found.end is End.OUT_OF_TIME
    assert found.x is not None
    assert found.bound < float(whole.cost @ found.x)


@pytest.mark.parametrize("through_scipy", [False, True])
def test_what_a_search_found_until_its_last_node_is_kept(through_scipy: bool) -> None:
    few = hours("P3-2n", 44, 58)
    whole = with_directions(programme_of(few), few, of_batteries(few, risky_cells(few)))

    found = Solver(ENDLESS_S, through_scipy=through_scipy, effort=1.0).solve(whole)

    assert found is not None
    assert not found.is_proven
    assert found.bound < found.cost


def test_a_larger_programme_is_searched_for_fewer_nodes() -> None:
    small, large = (programme_of(problem(family(name))) for name in ("P3-2n", "P3-20n"))

    assert nodes_within(1e7, small) > nodes_within(1e7, large) >= 1
    assert nodes_within(1.0, large) == 1
