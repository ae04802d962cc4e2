"""When the solver is silent a simple rule plans; and the checker sees every law that is broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from optimizer.check import may_give_way, violations_of
from optimizer.dispatch import plan
from optimizer.plan import Plan, Status
from optimizer.problem import Grid, Home, Problem, problem_of
from tests.optimizer.examples import PLAIN
from tests.optimizer.neighbourhoods import problems

SUNNY = problem_of(
    1.0,
    [0.2, 0.2, 0.2],
    [0.1, 0.1, -0.1],
    [Home("h1", [1.0, 5.0, 0.0], [6.0, 0.0, 9.0], True)],
    [replace(PLAIN, soc_max_kwh=6.0), replace(PLAIN, id="b2", soc_max_kwh=6.0)],
    Grid(export_limit_kw=3.0),
)


def test_no_time_for_the_solver_gives_the_plan_of_a_rule() -> None:
    made = plan(SUNNY, time_limit_s=0.0)

    assert made.status is Status.FALLBACK
    assert made.gap_eur is None
    # Five left over are stored, five short come back, nine left over fill both to 4 kW each, and
    # the last one is cut: giving it would cost money.
    assert made.charge_kw.tolist() == [[2.5, 0.0, 4.0], [2.5, 0.0, 4.0]]
    assert made.discharge_kw.tolist() == [[0.0, 2.5, 0.0], [0.0, 2.5, 0.0]]
    assert made.import_kw.tolist() == [0.0, 0.0, 0.0]
    assert made.curtailed_kw.tolist() == [[0.0, 0.0, 1.0]]
    assert made.violations == ()


@pytest.mark.parametrize(
    ("stored_kwh", "residual_kw", "steered_kw"),
    [
        # Two kWh are missing. Of the four kW homes take three, then all and more, then three.
        (0.0, [3.0, 5.0, 3.0], [1.0, 0.0, 1.0]),
        # Two kWh are too many. Of the four kW homes give three, then all, then three.
        (10.0, [-3.0, -4.0, -3.0], [-1.0, 0.0, -1.0]),
    ],
)
def test_the_rule_brings_a_battery_back_through_the_room_of_the_connection(
    stored_kwh: float, residual_kw: list[float], steered_kw: list[float]
) -> None:
    battery = replace(PLAIN, soc_min_kwh=2.0, soc_max_kwh=8.0, soc_start_kwh=stored_kwh)
    use_kw, made_kw = np.maximum(residual_kw, 0.0), np.maximum(np.negative(residual_kw), 0.0)
    asked = problem_of(
        1.0, [0.2] * 3, [0.1] * 3, [Home("h1", use_kw, made_kw)], [battery], Grid(4.0, 4.0)
    )

    made = plan(asked, time_limit_s=0.0)

    assert (made.charge_kw - made.discharge_kw).tolist() == [steered_kw]


@settings(max_examples=150, deadline=None)
@given(problems())
def test_the_rule_keeps_every_law_of_the_devices(problem: Problem) -> None:
    made = plan(problem, time_limit_s=0.0)

    assert [one for one in made.violations if not may_give_way(one)] == []


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"charge_kw": [[5.0, 0, 0], [0, 0, 0]]}, "batteries.b1.charge_max_kw"),
        ({"charge_kw": [[-0.5, 0, 0], [0, 0, 0]]}, "batteries.b1.charge_max_kw"),
        ({"discharge_kw": [[0, 0, 0], [0, 4.5, 0]]}, "batteries.b2.discharge_max_kw"),
        ({"soc_kwh": [[7.0, 7, 7], [0, 0, 0]]}, "batteries.b1.soc_max_kwh"),
        ({"soc_kwh": [[-1.0, 0, 0], [0, 0, 0]]}, "batteries.b1.soc_min_kwh"),
        ({"soc_kwh": [[0, 2.0, 2], [0, 0, 0]]}, "batteries.b1.soc_kwh"),
        ({"import_kw": [1.0, 5, 0]}, "grid.balance_kw"),
        ({"import_kw": [1.0, 5, 0], "export_kw": [6.0, 0, 9]}, "grid.one_way_kw"),
        ({"export_kw": [5.0, 0, 9]}, "grid.export_limit_kw"),
        ({"peak_kw": 4.0}, "grid.peak_kw"),
        ({"curtailed_kw": [[0, 0, 9.5]]}, "homes.h1.curtailed_kw"),
        ({"curtailed_kw": [[0, np.nan, 0]]}, "homes.h1.curtailed_kw"),
        ({"cost_eur": -3.0}, "cost_eur"),
    ],
)
def test_the_checker_sees_each_broken_law(changes: dict[str, object], limit: str) -> None:
    still = Plan(
        status=Status.OPTIMAL,
        cost_eur=5 * 0.2 - 5 * 0.1 + 9 * 0.1,
        end_value_eur=0.0,
        charge_kw=np.zeros((2, 3)),
        discharge_kw=np.zeros((2, 3)),
        soc_kwh=np.zeros((2, 3)),
        import_kw=np.array([0.0, 5, 0]),
        export_kw=np.array([5.0, 0, 9]),
        curtailed_kw=np.zeros((1, 3)),
        peak_kw=5.0,
    )
    arrays = {
        name: np.array(value, dtype=float) if isinstance(value, list) else value
        for name, value in changes.items()
    }

    before = {one.limit for one in violations_of(SUNNY, still)}
    after = {
        one.limit
        for one in violations_of(SUNNY, replace(still, **arrays))  # type: ignore[arg-type]  # by name
    }

    assert before == {"grid.export_limit_kw"}
    assert limit in after


def test_the_checker_sees_charging_and_discharging_at_once() -> None:
    exclusive = replace(SUNNY, exclusive=True)
    made = plan(exclusive)
    more = np.zeros((2, 3))
    more[0, 1] = 1.0

    bent = replace(made, charge_kw=made.charge_kw + more, discharge_kw=made.discharge_kw + more)

    assert violations_of(exclusive, made) == ()
    assert "batteries.b1.exclusive_kw" in {one.limit for one in violations_of(exclusive, bent)}
