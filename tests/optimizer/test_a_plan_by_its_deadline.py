"""All programmes of one plan share one deadline, and a plan comes in any case."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from optimizer.check import may_give_way, violations_of
from optimizer.plan import Status
from optimizer.problem import Battery, Grid, Home, Problem, problem_of
from optimizer.rolling import Rolling

STEPS = 96


def problem() -> Problem:
    """Return a home that cannot keep its connection's limit: several programmes in a row."""
    price = 0.2 + 0.1 * np.sin(np.arange(STEPS) / 7)
    return problem_of(
        0.25,
        price,
        price - 0.05,
        [Home("h", np.full(STEPS, 6.0))],
        [Battery("b", 1.0, 9.0, 5.0, 5.0, 5.0, 0.95, 0.95)],
        Grid(5.0, 5.0),
        exclusive=True,
    )


@pytest.mark.parametrize("seconds_a_look", [0.0, 0.5, 2.0, 100.0])
def test_a_plan_comes_however_little_time_is_left(seconds_a_look: float) -> None:
    looks = count()
    rolling = Rolling(time_limit_s=5.0, stopwatch=lambda: seconds_a_look * next(looks))

    made = rolling.plan(problem())

    assert all(may_give_way(each) for each in violations_of(problem(), made))
    assert made.status is (Status.RELAXED if seconds_a_look < 1 else made.status)


def test_the_next_plan_has_all_its_time_again() -> None:
    now_s = 0.0
    rolling = Rolling(time_limit_s=5.0, stopwatch=lambda: now_s)
    first = rolling.plan(problem())
    now_s = 1_000.0

    second = rolling.plan(problem())

    assert first.status is second.status is Status.RELAXED
    assert second.cost_eur == pytest.approx(first.cost_eur)
