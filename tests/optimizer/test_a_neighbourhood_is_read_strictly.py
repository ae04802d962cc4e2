"""What is said of cars, heat, machines, groups, calls and sharing is read strictly."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kwartier.errors import InputError
from kwartier.wire import Json
from optimizer.as_json.plan_json import json_of_plan
from optimizer.as_json.problem_json import problem_from_json
from optimizer.dispatch import plan
from optimizer.plan import Action, Because
from tests.optimizer.examples import document
from tests.optimizer.neighbourhood_problems import Document, Shape
from tests.optimizer.neighbourhood_problems import document as any_document

_PARTS: Document = {
    "sessions": [
        {"id": "car", "arrival": 0, "departure": 4, "energy_kwh": 4, "charge_max_kw": 11}
    ],
    "heat_pumps": [
        {
            "id": "hp", "home": "h1", "power_max_kw": 3, "cop": [3, 3, 3, 4],
            "capacity_kwh_per_k": 3, "loss_kw_per_k": 0.2, "outside_c": 5, "start_c": 20,
            "min_c": 19, "max_c": 22,
        }
    ],
    "runs": [{"id": "wash", "home": "h1", "power_kw": [2, 1], "earliest": 0, "latest_end": 4}],
    "groups": [
        {"id": "g", "homes": ["h1"], "batteries": ["b1"], "import_limit_kw": 60,
         "shares_kw": {"h1": 60}}
    ],
    "calls": [{"id": "c", "from": 1, "to": 2, "import_limit_kw": 35, "group": "g"}],
    "sharing": {"levy_eur_per_kwh": 0.05},
}  # fmt: skip


def street() -> Document:
    return copy.deepcopy({**document(), **_PARTS})


def changed(path: str, value: Json) -> Document:
    body = street()
    *parents, last = path.split(".")
    place: Json = body
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]  # type: ignore[index]  # a path into the document
    assert isinstance(place, dict)
    place[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("interval_hours", [0.25, 0.25, 0, 1], r"interval_hours\[2\] is 0"),
        ("interval_hours", [0.25], "interval_hours has 1 values where buy_eur_per_kwh has 4"),
        ("homes.0.import_limit_kw", -1, "homes.h1.import_limit_kw is -1"),
        ("homes.0.export_limit_kw", [1, 2, -3, 4], r"homes.h1.export_limit_kw\[2\] is -3"),
        ("batteries.0.home", "h9", "batteries.b1.home is 'h9': give the id of one of the homes"),
        ("batteries.0.home", 3, "batteries.b1.home is the number 3"),
        ("batteries.0.retention_per_hour", 1.2, "batteries.b1.retention_per_hour is 1.2"),
        ("batteries.0.reserve_kwh", -2, r"batteries.b1.reserve_kwh\[0\] is -2"),
        ("sessions.0.charge_efficiency", 1e308, r"sessions.car.charge_efficiency is 1e\+308"),
        ("batteries.0.reserve_kwh", 1000, "reserve_kwh is 1000, above soc_max_kwh"),
        ("batteries.0.reserve_kwh", [0, 0, 1000, 0], "reserve_kwh is 1000, above soc_max_kwh"),
        ("batteries.0.reserve_price_eur_per_kwh", -1, "reserve_price_eur_per_kwh is -1"),
        ("grid.peak_so_far_kw", -1, "grid.peak_so_far_kw is -1"),
        ("sessions.0.arrival", 4, "sessions.car.arrival is 4: give the number of a step, 0 to 3"),
        ("sessions.0.arrival", 1.5, "sessions.car.arrival is the number 1.5"),
        ("sessions.0.departure", 0, "sessions.car.departure is 0: give the number of a step, 1 to"),
        ("sessions.0.departure", 5, "sessions.car.departure is 5: give the number of a step, 1 to"),
        ("sessions.0.energy_kwh", None, "sessions.car.energy_kwh is missing"),
        ("sessions.0.energy_kwh", -1, "sessions.car.energy_kwh is -1"),
        ("sessions.0.charge_efficiency", 1.5, "sessions.car.charge_efficiency is 1.5"),
        ("sessions.0.soc", 3, r"sessions\[0\] has an unknown key 'soc'"),
        ("heat_pumps.0.cop", 0, "heat_pumps.hp.cop is 0: give heat per kWh from 0.1"),
        ("heat_pumps.0.capacity_kwh_per_k", 0, "heat_pumps.hp.capacity_kwh_per_k is 0"),
        ("heat_pumps.0.outside_c", [5, 5], "heat_pumps.hp.outside_c has 2 values"),
        ("heat_pumps.0.start_c", 500, "heat_pumps.hp.start_c is 500"),
        ("runs.0.earliest", 3, "runs.wash.earliest is 3: give the number of a step, 0 to 2"),
        ("runs.0.latest_end", 1, "runs.wash.latest_end is 1: give the number of a step, 2 to 4"),
        ("runs.0.power_kw", [2, -1], r"runs.wash.power_kw\[1\] is -1: give kW from 0"),
        ("runs.0.power_kw", [1] * 5, "runs.wash.power_kw has 5 values: give 1 to 4, one for"),
        ("runs.0.home", "h2", "runs.wash.home is 'h2'"),
        ("groups.0.homes", [], "groups.g.homes is empty"),
        ("groups.0.homes", ["h1", "h1"], "groups.g.homes has 'h1' twice"),
        ("groups.0.homes", ["h2"], "groups.g.homes is 'h2'"),
        ("groups.0.batteries", ["b2"], "groups.g.batteries is 'b2'"),
        ("groups.0.homes", ["h1"] * 10_001, "groups.g.homes has 10001 names: at most 10000"),
        ("groups.0.shares_kw", {"h2": 3}, "groups.g.shares_kw has 'h2'"),
        ("groups.0.shares_kw", {"h\n2": "3"}, r"groups.g.shares_kw has 'h\\n2'"),
        ("groups.0.shares_kw", {"h1": -3}, "groups.g.shares_kw.h1 is -3"),
        ("calls.0.from", 4, "calls.c.from is 4: give the number of a step, 0 to 3"),
        ("calls.0.to", 0, "calls.c.to is 0: give the number of a step, 1 to 3"),
        ("calls.0.group", "x", "calls.c.group is 'x'"),
        ("calls.0.import_limit_kw", None, "calls.c.import_limit_kw is missing"),
        ("sharing.levy_eur_per_kwh", -0.1, "sharing.levy_eur_per_kwh is -0.1"),
        ("sharing.key", 1, "sharing has an unknown key 'key'"),
        ("sharing", [], "sharing is a list"),
    ],
)
def test_nonsense_about_a_neighbourhood_is_refused(path: str, value: Json, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        problem_from_json(changed(path, value))

    assert ": " in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_battery_behind_another_home_is_not_of_the_group() -> None:
    body = changed("batteries.0.home", "h2")
    homes = body["homes"]
    assert isinstance(homes, list)
    assert isinstance(homes[0], dict)
    body["homes"] = [*homes, {**homes[0], "id": "h2"}]

    with pytest.raises(InputError, match=r"groups.g.batteries has 'b1', which stands behind a"):
        problem_from_json(body)


def test_a_member_s_own_battery_may_be_named_once_more() -> None:
    named, left_out = changed("batteries.0.home", "h1"), changed("batteries.0.home", "h1")
    groups = left_out["groups"]
    assert isinstance(groups, list)
    assert isinstance(groups[0], dict)
    groups[0]["batteries"] = []

    one, other = (plan(problem_from_json(body)).cost_eur for body in (named, left_out))

    assert one == other


@pytest.mark.parametrize("kind", ["sessions", "heat_pumps", "runs", "groups", "calls"])
def test_two_of_a_kind_need_two_names(kind: str) -> None:
    body = street()
    parts = body[kind]
    assert isinstance(parts, list)

    with pytest.raises(InputError, match=f"{kind} has the id '[a-z]+' twice"):
        problem_from_json({**body, kind: parts * 2})


def test_a_car_may_have_the_name_of_a_battery() -> None:
    made = problem_from_json(changed("sessions.0.id", "b1"))

    assert made.battery_ids == ("b1", "b1", "hp")


def test_an_answer_tells_only_of_what_was_asked() -> None:
    plain, whole = problem_from_json(document()), problem_from_json(street())

    more = set(json_of_plan(whole, plan(whole))) - set(json_of_plan(plain, plan(plain)))

    assert more - {"violations"} == {
        "sessions", "heat_pumps", "runs", "homes", "groups", "calls", "shared_kw",
        "beside_pays_eur",
    }  # fmt: skip


def test_null_is_the_same_as_nothing_said() -> None:
    body = document()
    nothing = dict.fromkeys(_PARTS)

    said = problem_from_json({**body, **nothing})

    assert json_of_plan(said, plan(said)) == json_of_plan(said, plan(problem_from_json(body)))


def keys_in(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            if key not in {"shares_kw", "curtailed_kw"}:
                yield from keys_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from keys_in(part)


def test_every_key_of_problem_and_answer_is_documented() -> None:
    told = (Path(__file__).parents[2] / "docs" / "plan.md").read_text(encoding="utf-8")
    asked = [document(), street(), *(any_document(seed, Shape.ALL) for seed in range(20))]

    answers = [
        json_of_plan(made, plan(made, stopwatch=time.perf_counter))
        for made in map(problem_from_json, asked[:4])
    ]

    found = {key for one in [*asked, *answers] for key in keys_in(one)} | {*Action, *Because}
    assert {"idle_costs_eur", "limit", "solve"} <= found
    words = set(told.replace("{", "`").replace("[]", "`").replace("*.", "`").split("`"))
    assert found - words == set()
