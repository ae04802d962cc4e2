"""What a plan says it may be off is never less than it is: held against the true optimum.

Prices below zero and batteries that may not charge while they discharge: here plans end with a gap
when time runs out. The optimum comes from a programme written apart, with a whole number for every
battery and step; where its own search takes too long, from between what it has closed in on.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.dispatch import plan
from optimizer.plan import Status
from tests.optimizer.apart import searched_objective
from tests.optimizer.judge import judged_plan
from tests.optimizer.streets import Street
from tests.speed.families import family, parts

ROUNDING = 1e-6
SEARCH_S = 20.0
"""What the search for the optimum may take [s]."""
ENOUGH_S = 1.0
"""A plan that had so long has a bound beside it [s]."""


def noon(batteries: int, seed: int, steps: int) -> Street:
    """Return the hours around noon of a fleet at prices below zero."""
    one = family(f"P3-{batteries}n", seed)
    here = np.arange(steps) + 52 - steps // 2
    around = replace(
        one,
        buy=one.buy[here],
        sell=one.sell[here],
        load=one.load[:, here],
        pv=one.pv[:, here],
        # Nearly full when prices are lowest: only an overlap could take more.
        start=np.clip(one.start + 0.5 * one.capacity, one.least, one.capacity),
    )
    return parts(around)


def optimum(asked: Street) -> tuple[float, float]:
    """Return what the optimum lies between."""
    found = searched_objective(asked, SEARCH_S)
    assert found is not None
    return found


def held(asked: Street, limit_s: float, between: tuple[float, float]) -> Status:
    """Hold cost and gap of a plan against the optimum; return how good it says it is."""
    made = plan(asked.problem(), time_limit_s=limit_s)
    verdict = judged_plan(asked, made)

    bound, best = between
    room = ROUNDING * max(1.0, abs(bound))
    assert verdict.laws == {}
    if made.status is Status.FALLBACK:
        assert made.gap_eur is None
        return made.status
    assert verdict.excess == {}
    assert verdict.objective_eur >= bound - room
    if made.gap_eur is None:  # stopped before anything was proven
        assert limit_s < ENOUGH_S
        assert made.status is Status.FEASIBLE
        return made.status
    assert verdict.objective_eur - made.gap_eur <= best + room
    if made.status is Status.OPTIMAL:
        assert verdict.objective_eur <= best + room
    return made.status


@pytest.mark.parametrize(("seed", "limit_s"), [(1, 0.02), (2, 5.0)])
def test_the_gap_of_a_small_fleet_holds_the_optimum(seed: int, limit_s: float) -> None:
    asked = noon(1, seed, 6)

    held(asked, limit_s, optimum(asked))


@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_the_gaps_of_sixty_fleets_hold_their_optima() -> None:
    statuses: dict[float, set[Status]] = {0.02: set(), 0.1: set(), 1.0: set()}
    for seed in range(60):
        asked = noon(1 + seed % 4, seed, 6 + 2 * (seed % 4))
        between = optimum(asked)
        for limit_s, found in statuses.items():
            found.add(held(asked, limit_s, between))

    assert all(Status.OPTIMAL in found for found in statuses.values())
