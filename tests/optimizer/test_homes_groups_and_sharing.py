"""Fuses of homes, contracts of groups, calls of the grid and meters that share, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kwartier.wire import Json
from optimizer.as_json.plan_json import json_of_plan
from optimizer.dispatch import plan
from optimizer.plan import Plan, Status
from optimizer.problem import (
    Call,
    Grid,
    Group,
    Home,
    Problem,
    Run,
    Sharing,
    problem_of,
)
from tests.optimizer.examples import PLAIN

AT_HOME = replace(PLAIN, home="h1", soc_start_kwh=4.0)
GIVES, TAKES = Home("h1", [0.0], [4.0]), Home("h2", [6.0])


def said(made: Plan) -> list[tuple[str, int, float]]:
    return [(one.limit, one.step, round(one.excess, 6)) for one in made.violations]


def part(asked: Problem, made: Plan, key: str, place: int = 0) -> dict[str, Json]:
    parts = json_of_plan(asked, made)[key]
    assert isinstance(parts, list)
    one = parts[place]
    assert isinstance(one, dict)
    return one


def test_a_battery_behind_a_fuse_charges_no_faster_than_the_fuse_allows() -> None:
    home = Home("h1", [1.0, 1.0, 1.0], import_limit_kw=3.0)
    empty = replace(AT_HOME, soc_start_kwh=0.0, soc_end_kwh=5.0)

    made = plan(problem_of(1.0, [0.1, 0.2, 0.3], [0.0] * 3, [home], [empty]))

    # Two kW are left beside what the home uses; without the fuse four would go first.
    assert made.charge_kw[0].tolist() == pytest.approx([2.0, 2.0, 1.0])
    assert made.status is Status.OPTIMAL


def test_a_battery_elsewhere_does_not_relieve_the_fuse_of_a_home() -> None:
    home = Home("h1", [5.0], import_limit_kw=3.0)
    own, shared = AT_HOME, replace(AT_HOME, home=None)

    relieved = plan(problem_of(1.0, [0.2], [0.0], [home], [own]))
    blown = plan(problem_of(1.0, [0.2], [0.0], [home], [shared]))

    assert relieved.violations == ()
    assert said(blown) == [("homes.h1.import_limit_kw", 0, 2.0)]
    assert blown.status is Status.RELAXED


def test_only_the_home_over_its_limit_cuts_its_panels() -> None:
    tight = Home("h1", [0.0], [4.0], pv_curtailable=True, export_limit_kw=1.0)
    roomy = Home("h2", [0.0], [4.0], pv_curtailable=True)

    made = plan(problem_of(1.0, [0.2], [0.1], [tight, roomy]))

    assert made.curtailed_kw[:, 0].tolist() == pytest.approx([3.0, 0.0])


def test_a_machine_waits_for_room_behind_its_own_fuse() -> None:
    home = Home("h1", [2.0, 0.0], import_limit_kw=3.0)
    run = Run("wash", [2.0], 0, 2, home="h1")

    made = plan(problem_of(1.0, [0.1, 0.4], [0.0] * 2, [home], runs=[run]))

    assert made.starts == (1,)


GROUP = Group("g", ["h1", "h2"], import_limit_kw=5.0, shares_kw={"h1": 3.0, "h2": 2.0})


def test_a_member_uses_room_that_others_leave_and_the_answer_says_whose() -> None:
    homes = [Home("h1", [1.0, 3.0]), Home("h2", [4.0, 2.0])]

    asked = problem_of(0.5, [0.2] * 2, [0.0] * 2, homes, groups=[GROUP])
    made = plan(asked)
    told = part(asked, made, "groups")

    # In the first half hour the second home takes two kW more than its share, and the first home
    # takes two less: one kWh of room.
    assert made.status is Status.OPTIMAL
    assert told["import_kw"] == [5.0, 5.0]
    assert told["loans"] == [{"from": "h1", "to": "h2", "kwh": 1.0}]
    assert told["members"] == [
        {
            "home": "h1", "share_kw": 3.0, "over_kw": [0.0, 0.0], "borrowed_kw": [0.0, 0.0],
            "lent_kw": [2.0, 0.0],
        },
        {
            "home": "h2", "share_kw": 2.0, "over_kw": [2.0, 0.0], "borrowed_kw": [2.0, 0.0],
            "lent_kw": [0.0, 0.0],
        },
    ]  # fmt: skip


def test_a_group_keeps_its_contract_with_its_own_battery_alone() -> None:
    homes = [Home("h1", [3.0]), Home("h2", [4.0]), Home("h3", [9.0])]
    own, other = (replace(PLAIN, id=name, soc_start_kwh=4.0) for name in ("own", "other"))
    group = replace(GROUP, batteries=["own"])

    made = plan(problem_of(1.0, [0.0], [0.0], homes, [own, other], groups=[group]))

    assert made.violations == ()
    assert made.discharge_kw[0, 0] >= 2.0 - 1e-6


def test_a_call_lowers_the_limit_for_as_long_as_it_lasts() -> None:
    homes = [Home("h1", [4.0, 4.0, 4.0])]
    call = Call("c1", 1, 1, import_limit_kw=3.0, reward_eur_per_kwh=0.5)
    grid = Grid(import_limit_kw=10.0)

    asked = problem_of(1.0, [0.1, 0.2, 0.9], [0.0] * 3, homes, [PLAIN], grid, calls=[call])
    made = plan(asked)

    # Four kWh charged at 0.10 belong in the last hour, but one goes where the call is.
    assert made.import_kw.tolist() == pytest.approx([8.0, 3.0, 1.0])
    # Room for seven kW was given up for an hour.
    assert part(asked, made, "calls") == {"id": "c1", "reward_eur": 3.5}


def test_a_call_that_cannot_be_kept_is_named() -> None:
    call = Call("c1", 0, 0, import_limit_kw=3.0)

    made = plan(
        problem_of(1.0, [0.1], [0.0], [Home("h1", [4.0])], [], Grid(10.0), calls=[call])
    )  # fmt: skip

    assert said(made) == [("calls.c1.import_limit_kw", 0, 1.0)]


def test_a_call_on_a_group_leaves_the_others_alone() -> None:
    homes = [Home("h1", [2.0]), Home("h2", [2.0]), Home("h3", [9.0])]
    call = Call("c1", 0, 0, import_limit_kw=3.0, group="g")

    made = plan(problem_of(1.0, [0.1], [0.0], homes, groups=[GROUP], calls=[call]))

    assert said(made) == [("calls.c1.import_limit_kw", 0, 1.0)]


def test_what_is_shared_costs_the_levy_and_the_price_moves_between_members() -> None:
    asked = problem_of(
        1.0, [0.30], [0.05], [GIVES, TAKES], sharing=Sharing(0.10, price_eur_per_kwh=0.12)
    )
    made = plan(asked)
    answer = json_of_plan(asked, made)

    # Four of the six kWh come from the neighbour: 4 x 0.10 of levy and 2 x 0.30 bought.
    assert made.cost_eur == pytest.approx(1.0)
    assert answer["shared_kw"] == [4.0]
    # Who gives gets 4 x 0.12; who takes pays 4 x (0.12 + 0.10) and buys two.
    assert part(asked, made, "homes", 0)["pays_eur"] == pytest.approx(-0.48)
    assert part(asked, made, "homes", 1)["pays_eur"] == pytest.approx(1.48)
    assert answer["beside_pays_eur"] == 0.0
    assert answer["grid"] == {"import_kw": [2.0], "export_kw": [0.0], "peak_kw": 2.0}


def test_nobody_shares_where_that_costs_more_than_buying_and_selling() -> None:
    asked = problem_of(1.0, [0.30], [0.25], [GIVES, TAKES], sharing=Sharing(0.10))
    made = plan(asked)

    assert json_of_plan(asked, made)["shared_kw"] == [0.0]
    assert made.cost_eur == pytest.approx(6 * 0.30 - 4 * 0.25)


def test_a_levy_keeps_a_battery_for_the_home_it_stands_behind() -> None:
    own = replace(AT_HOME, charge_efficiency=1.0)
    homes = [Home("h1", [0.0, 4.0]), Home("h2", [4.0, 0.0])]

    asked = problem_of(1.0, [0.30, 0.28], [0.05] * 2, homes, [own], sharing=Sharing(0.10))
    made = plan(asked)

    # To the neighbour it would replace 0.30 but cost 0.10 of levy: 0.28 of its own home is more.
    assert made.discharge_kw[0].tolist() == pytest.approx([0.0, 4.0])
    assert made.cost_eur == pytest.approx(4 * 0.30)


def test_meters_that_sell_above_the_buying_price_still_run_one_way() -> None:
    asked = problem_of(1.0, [0.10], [0.30], [Home("h1", [2.0])], [AT_HOME], sharing=Sharing(0.0))

    made = plan(asked)

    # Of the four kWh stored two are used and two sold; not four sold and two bought.
    assert made.cost_eur == pytest.approx(-2 * 0.30)
