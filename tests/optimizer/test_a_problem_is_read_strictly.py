"""Nonsense is refused with the key it stands under and what to do; everything optional may lack."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kwartier.errors import InputError
from kwartier.wire import Json
from optimizer.as_json.plan_json import json_of_plan
from optimizer.as_json.problem_json import problem_from_json
from optimizer.dispatch import plan
from optimizer.model.nonsense import MAX_STEPS
from optimizer.plan import Status
from tests.optimizer.examples import document


def changed(path: str, value: Json) -> dict[str, Json]:
    body = document()
    *parents, last = path.split(".")
    place: Json = body
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]  # type: ignore[index]  # a path into the document
    assert isinstance(place, dict)
    place[last] = value
    return body


def without(path: str) -> dict[str, Json]:
    body = changed(path, None)
    *parents, last = path.split(".")
    place: Json = body
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]  # type: ignore[index]  # a path into the document
    assert isinstance(place, dict)
    del place[last]
    return body


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("interval_hours", 0, "interval_hours is 0"),
        ("interval_hours", -0.25, "interval_hours is -0.25"),
        ("interval_hours", "0.25", "interval_hours is text"),
        ("interval_hours", True, "interval_hours is true or false"),
        ("buy_eur_per_kwh", [], "buy_eur_per_kwh has 0 values"),
        ("buy_eur_per_kwh", 0.3, "buy_eur_per_kwh is the number 0.3"),
        ("buy_eur_per_kwh", [0.1] * (MAX_STEPS + 1), f"has {MAX_STEPS + 1} values"),
        ("buy_eur_per_kwh", [0.1, None, 0.1, 0.1], r"buy_eur_per_kwh\[1\] is missing"),
        ("sell_eur_per_kwh", [0.1] * 3, "sell_eur_per_kwh has 3 values .* has 4"),
        ("sell_eur_per_kwh", [0.1, float("nan"), 0, 0], r"sell_eur_per_kwh\[1\] is nan"),
        ("sell_eur_per_kwh", [0.1, 1e400, 0, 0], r"sell_eur_per_kwh\[1\] is inf"),
        ("sell_eur_per_kwh", [0.1, 10**400, 0, 0], r"sell_eur_per_kwh\[1\] is inf"),
        ("sell_eur_per_kwh", [0.1, "1", 0, 0], r"sell_eur_per_kwh\[1\] is text"),
        ("homes", {}, "homes is an object"),
        ("homes", [3], r"homes\[0\] is the number 3"),
        ("homes.0.load_kw", [1, 2], "homes.h1.load_kw has 2 values"),
        ("homes.0.load_kw", [1, -2, 1, 1], r"homes.h1.load_kw\[1\] is -2"),
        ("homes.0.pv_kw", [1, -2, 1, 1], r"homes.h1.pv_kw\[1\] is -2"),
        ("homes.0.pv_curtailable", 1, "homes.h1.pv_curtailable is the number 1"),
        ("homes.0.id", "", r"homes\[0\].id is text"),
        ("homes.0.pvkw", [1], r"homes\[0\] has an unknown key 'pvkw'"),
        ("batteries.0.soc_max_kwh", -1, "batteries.b1.soc_max_kwh.* is -1"),
        ("batteries.0.soc_start_kwh", -1, "batteries.b1.soc_start_kwh is -1"),
        ("batteries.0.soc_end_kwh", -1, "batteries.b1.soc_end_kwh is -1"),
        ("batteries.0.soc_end_kwh", float("inf"), "batteries.b1.soc_end_kwh is inf"),
        ("batteries.0.charge_max_kw", -15, r"batteries.b1.charge_max_kw\[0\] is -15"),
        ("batteries.0.discharge_max_kw", [1, 2, 3], "batteries.b1.discharge_max_kw has 3"),
        ("batteries.0.charge_efficiency", 0, "batteries.b1.charge_efficiency is 0"),
        ("batteries.0.charge_efficiency", 1.01, "batteries.b1.charge_efficiency is 1.01"),
        ("batteries.0.discharge_efficiency", 96, "batteries.b1.discharge_efficiency is 96"),
        ("batteries.0.wear_eur_per_kwh", -0.1, "batteries.b1.wear_eur_per_kwh is -0.1"),
        ("batteries.0.capacity", 3, "unknown key 'capacity': there are id, soc_min_kwh"),
        ("grid.import_limit_kw", -1, r"grid.import_limit_kw\[0\] is -1"),
        ("grid.export_limit_kw", [1, 2], "grid.export_limit_kw has 2 values"),
        ("grid.peak_price_eur_per_kw", -1, "grid.peak_price_eur_per_kw is -1"),
        ("grid.limit", 1, "grid has an unknown key 'limit'"),
        ("grid", 12, "grid is the number 12"),
        ("exclusive", "yes", "exclusive is text"),
        ("objective", 1, "unknown key 'objective'"),
    ],
)
def test_nonsense_is_refused_under_its_own_name(path: str, value: Json, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        problem_from_json(changed(path, value))

    assert ": " in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "path",
    [
        "interval_hours",
        "buy_eur_per_kwh",
        "sell_eur_per_kwh",
        "homes.0.id",
        "homes.0.load_kw",
        "batteries.0.id",
        "batteries.0.soc_min_kwh",
        "batteries.0.soc_max_kwh",
        "batteries.0.soc_start_kwh",
        "batteries.0.charge_max_kw",
        "batteries.0.discharge_max_kw",
        "batteries.0.charge_efficiency",
        "batteries.0.discharge_efficiency",
    ],
)
def test_a_key_that_must_be_there_is_asked_for(path: str) -> None:
    with pytest.raises(InputError, match=f"{path.rpartition('.')[2]} is missing: give"):
        problem_from_json(without(path))


@pytest.mark.parametrize(
    "path",
    [
        "homes",
        "homes.0.pv_kw",
        "homes.0.pv_curtailable",
        "batteries",
        "batteries.0.soc_end_kwh",
        "batteries.0.wear_eur_per_kwh",
        "grid",
        "grid.import_limit_kw",
        "grid.export_limit_kw",
        "grid.peak_price_eur_per_kw",
        "exclusive",
    ],
)
def test_what_may_be_left_out_may_also_be_null(path: str) -> None:
    left_out = plan(problem_from_json(without(path)))
    null = plan(problem_from_json(changed(path, None)))

    assert left_out.status in {Status.OPTIMAL, Status.RELAXED}
    assert left_out.cost_eur == null.cost_eur


@pytest.mark.parametrize("body", [None, 3, "text", [], [{}], True])
def test_what_is_no_object_is_refused(body: Json) -> None:
    with pytest.raises(InputError, match="give an object with interval_hours"):
        problem_from_json(body)


def test_two_batteries_need_two_names() -> None:
    body = document()
    assert isinstance(body["batteries"], list)
    body["batteries"] *= 2

    with pytest.raises(InputError, match="batteries has the id 'b1' twice"):
        problem_from_json(body)


def test_a_limit_is_one_number_or_one_a_step() -> None:
    problem = problem_from_json(changed("grid.import_limit_kw", [40.5, 30, 20, 10]))

    assert problem.import_limit_kw.tolist() == [40.5, 30.0, 20.0, 10.0]
    assert problem.export_limit_kw.tolist() == [8.0] * 4


def test_panels_are_left_alone_unless_it_is_said_that_they_can_be_cut() -> None:
    assert not problem_from_json(without("homes.0.pv_curtailable")).curtailable.any()


def test_the_worth_of_the_end_stands_with_a_battery_or_for_all() -> None:
    body = without("batteries.0.soc_end_kwh")
    for_all = problem_from_json({**body, "end_value_eur_per_kwh": 0.2})
    own = problem_from_json(
        {**changed("batteries.0.end_value_eur_per_kwh", 0.1), "end_value_eur_per_kwh": 0.2}
    )

    assert for_all.end_value_eur_per_kwh.tolist() == [0.2]
    assert np.isnan(for_all.soc_end_kwh).all()
    assert own.end_value_eur_per_kwh.tolist() == [0.1]


def test_the_answer_has_the_keys_of_the_contract() -> None:
    problem = problem_from_json(document())
    answer = json_of_plan(problem, plan(problem, stopwatch=iter(range(100)).__next__))

    assert list(answer) == [
        "status", "cost_eur", "batteries", "grid", "curtailed_kw", "reasons", "seconds",
    ]  # fmt: skip
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert answer["status"] == "optimal"


def test_a_broken_limit_is_written_with_its_unit() -> None:
    problem = problem_from_json(changed("grid.import_limit_kw", 20))
    answer = json_of_plan(problem, plan(problem))

    assert answer["status"] == "relaxed"
    # 40 used, 15 given by the battery, 20 allowed.
    assert {"limit": "grid.import_limit_kw", "step": 3, "excess_kw": 5.0} in _list(answer)


def _list(answer: dict[str, Json]) -> list[Json]:
    violations = answer["violations"]
    assert isinstance(violations, list)
    return violations
