"""Devices with a least power for a day: a plan soon, and an honest word on how good it is."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pytest

from kwartier.wire import Json
from optimizer.as_json.plan_json import json_of_plan
from optimizer.as_json.problem_json import problem_from_json
from optimizer.dispatch import plan, planned_by
from optimizer.linear.many_whole import MANY
from optimizer.linear.solve import HAS_HIGHSPY, Solver
from optimizer.plan import Plan, Status
from tests.optimizer.judge_of_json import judged

Document: TypeAlias = dict[str, Json]
pytestmark = pytest.mark.skipif(not HAS_HIGHSPY, reason="only highspy begins at a solution")


def pumps(count: int, steps: int = 96) -> Document:
    """Return homes with panels, a battery and heat pumps that run with a least power."""
    chance = np.random.default_rng(count)
    hour = np.arange(steps) / 4

    def listed(values: np.typing.NDArray[np.float64]) -> list[Json]:
        return [round(float(value), 3) for value in values]

    buy = 0.25 + 0.1 * np.sin((hour - 14) * np.pi / 6) + 0.02 * chance.standard_normal(steps)
    sun = np.clip(np.sin((hour - 6) * np.pi / 12), 0, None)
    return {
        "interval_hours": 0.25,
        "buy_eur_per_kwh": listed(buy),
        "sell_eur_per_kwh": listed(buy - 0.12),
        "exclusive": True,
        "homes": [
            {
                "id": f"h{number}",
                "load_kw": listed(chance.uniform(0.2, 1.0, steps)),
                "pv_kw": listed(3 * sun * chance.uniform(0.5, 1, steps)),
                "import_limit_kw": 5.75,
            }
            for number in range(count)
        ],
        "batteries": [
            {
                "id": "b0",
                "soc_min_kwh": 0.5,
                "soc_max_kwh": 8.0,
                "soc_start_kwh": 3.0,
                "soc_end_kwh": 3.0,
                "charge_max_kw": 3.0,
                "discharge_max_kw": 3.0,
                "charge_efficiency": 0.95,
                "discharge_efficiency": 0.95,
                "wear_eur_per_kwh": 0.01,
                "home": "h0",
            }
        ],
        "heat_pumps": [
            {
                "id": f"p{number}",
                "home": f"h{number}",
                "power_max_kw": 2.5,
                "power_min_kw": 0.6,
                "cop": 3.0,
                "capacity_kwh_per_k": round(float(chance.uniform(2, 5)), 2),
                "loss_kw_per_k": 0.15,
                "outside_c": 5.0,
                "start_c": 20.0,
                "min_c": 19.0,
                "max_c": 22.0,
            }
            for number in range(count)
        ],
        "grid": {"import_limit_kw": 14.0, "peak_price_eur_per_kw": 0.35},
    }


@pytest.fixture(scope="module")
def asked() -> Document:
    return pumps(4)


@pytest.fixture(scope="module")
def made(asked: Document) -> Plan:
    return plan(problem_from_json(asked))


def test_a_day_of_many_switches_is_planned_within_its_limits(asked: Document, made: Plan) -> None:
    problem = problem_from_json(asked)

    found = judged(asked, json_of_plan(problem, made))

    assert (problem.charge_min_kw > 0).sum() > MANY
    assert found.wrong == []
    assert found.broken == {}


def test_it_says_how_much_less_another_plan_could_cost(made: Plan) -> None:
    assert made.status is Status.FEASIBLE
    assert made.gap_eur is not None
    assert 0 < made.gap_eur <= 0.005 * made.cost_eur


def test_the_same_switches_are_chosen_each_time(asked: Document, made: Plan) -> None:
    again = plan(problem_from_json(asked))

    assert again.charge_kw.tobytes() == made.charge_kw.tobytes()
    assert again.cost_eur == made.cost_eur


def test_no_clock_is_needed_for_it_to_end(asked: Document, made: Plan) -> None:
    patient = planned_by(Solver(600.0), problem_from_json(asked))

    assert patient.charge_kw.tobytes() == made.charge_kw.tobytes()


def test_fewer_switches_are_proven_the_cheapest() -> None:
    few = plan(problem_from_json(pumps(3, steps=24)))

    assert few.status is Status.OPTIMAL
    assert few.gap_eur == 0
