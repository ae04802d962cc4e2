"""Where limits cannot all be met a plan still comes: it says which limit, where, by how much."""

from __future__ import annotations

from dataclasses import replace

import pytest

from optimizer.dispatch import plan
from optimizer.fallback import by_rule
from optimizer.plan import Plan, Status
from optimizer.problem import Grid, HeatPump, Home, Problem, Session, problem_of
from tests.optimizer.examples import OUTSIDE_BAND, PLAIN
from tests.optimizer.reference import least_grid_excess


def said(made: Plan) -> list[tuple[str, int, float]]:
    return [(one.limit, one.step, round(one.excess, 6)) for one in made.violations]


def test_more_use_than_the_connection_carries_is_named_by_step() -> None:
    problem = problem_of(1.0, [0.2] * 3, [0.1] * 3, [Home("h1", [1, 9, 1])], [], Grid(5.0))

    made = plan(problem)

    assert made.status is Status.RELAXED
    assert said(made) == [("grid.import_limit_kw", 1, 4.0)]
    assert made.cost_eur == pytest.approx(0.2 * 11)


def test_a_battery_first_takes_away_as_much_of_the_excess_as_it_can() -> None:
    problem = problem_of(
        1.0, [0.2] * 3, [0.1] * 3, [Home("h1", [4, 9, 1])], [PLAIN], Grid([5.0, 5.0, 5.0])
    )

    made = plan(problem)

    # One kW is free before the excess of four: three are left.
    assert said(made) == [("grid.import_limit_kw", 1, 3.0)]
    assert made.charge_kw[0, 0] == pytest.approx(1.0)


def test_panels_that_cannot_be_cut_push_over_the_export_limit() -> None:
    problem = problem_of(1.0, [0.2], [0.1], [Home("h1", [0], [7])], [], Grid(export_limit_kw=5.0))

    assert said(plan(problem)) == [("grid.export_limit_kw", 0, 2.0)]


def test_an_end_that_cannot_be_reached_is_missed_by_as_little_as_can_be() -> None:
    problem = problem_of(1.0, [0.2, 0.2], [0.1] * 2, [], [replace(PLAIN, soc_end_kwh=10.0)])

    made = plan(problem)

    assert said(made) == [("batteries.b1.soc_end_kwh", 1, 2.0)]
    assert made.soc_kwh[0].tolist() == pytest.approx([4.0, 8.0])


def test_the_connection_weighs_more_than_the_wanted_end() -> None:
    problem = problem_of(
        1.0, [0.2], [0.1], [Home("h1", [4])], [replace(PLAIN, soc_end_kwh=4.0)], Grid(5.0)
    )

    assert said(plan(problem)) == [("batteries.b1.soc_end_kwh", 0, 3.0)]


def test_a_start_outside_the_band_goes_back_as_fast_as_it_can() -> None:
    problem = problem_of(1.0, [0.2] * 3, [0.1] * 3, [], [OUTSIDE_BAND])

    made = plan(problem)

    assert said(made) == [
        ("batteries.b1.soc_start_kwh", 0, 7.0),
        ("batteries.b1.soc_min_kwh", 0, 3.0),
    ]
    assert made.soc_kwh[0, :2].tolist() == pytest.approx([5.0, 8.0])


def test_a_start_that_is_back_in_its_band_after_one_step_breaks_no_limit() -> None:
    problem = problem_of(1.0, [0.2], [0.1], [], [replace(OUTSIDE_BAND, soc_start_kwh=5.0)])

    made = plan(problem)

    assert (made.status, made.violations) == (Status.OPTIMAL, ())


def test_a_full_battery_is_never_filled_further_to_save_the_connection() -> None:
    problem = problem_of(
        1.0, [0.2], [0.1], [Home("h1", [0], [7])], [replace(PLAIN, soc_start_kwh=10.0)],
        Grid(export_limit_kw=5.0),
    )  # fmt: skip

    made = plan(problem)

    assert said(made) == [("grid.export_limit_kw", 0, 2.0)]
    assert made.soc_kwh.tolist() == [[10.0]]


def test_among_the_plans_that_break_least_the_cheapest_is_chosen() -> None:
    problem = problem_of(
        1.0, [0.3, 0.1, 0.2], [0.0] * 3, [Home("h1", [1, 1, 20])], [PLAIN], Grid(6.0)
    )

    made = plan(problem)

    # The battery can give 4 kW at the last step; those 4 kWh are bought at 0.10, not at 0.30.
    assert said(made) == [("grid.import_limit_kw", 2, 10.0)]
    assert made.charge_kw[0].tolist() == pytest.approx([0.0, 4.0, 0.0])


def burning(*, exclusive: bool) -> Problem:
    """Return a problem whose end asks to get rid of energy that has nowhere to go."""
    lossy = replace(
        PLAIN,
        soc_start_kwh=4.0,
        soc_end_kwh=2.0,
        charge_efficiency=0.5,
        discharge_efficiency=0.5,
    )
    nothing = Grid(import_limit_kw=0.0, export_limit_kw=0.0)
    return problem_of(1.0, [0.2], [0.1], [], [lossy], nothing, exclusive=exclusive)


def test_an_exclusive_battery_cannot_burn_what_it_should_lose() -> None:
    burned, kept = plan(burning(exclusive=False)), plan(burning(exclusive=True))

    assert burned.status is Status.OPTIMAL
    assert kept.status is Status.RELAXED
    assert said(kept) == [("batteries.b1.soc_end_kwh", 0, 2.0)]


def test_no_saving_on_losses_is_bought_with_the_connection() -> None:
    full = replace(
        PLAIN,
        soc_min_kwh=2.0,
        soc_max_kwh=2.0,
        soc_start_kwh=6.0,
        charge_max_kw=[3.25, 8.25, 2.25, 5.5, 5.5, 7.0, 0.5],
        discharge_max_kw=2.5,
        discharge_efficiency=0.97,
    )
    roomy = replace(
        full,
        id="b2",
        soc_min_kwh=3.0,
        soc_max_kwh=10.0,
        soc_start_kwh=4.0,
        charge_max_kw=[0.0, 4.0, 7.75, 6.25, 9.5, 1.75, 7.25],
        discharge_max_kw=10.0,
    )
    problem = problem_of(
        1.0,
        [-0.07, 0.02, 0.08, 0.14, 0.46, 0.19, -0.09],
        [0.28, -0.06, 0.09, 0.0, 0.24, 0.36, 0.13],
        [Home("h1", [1.75, 1.75, 5.75, 3.5, 5.25, 1.5, 3.25])],
        [full, roomy],
        Grid([7.75, 5.0, 5.0, 0.75, 0.25, 1.0, 9.75]),
    )

    over = [one.excess for one in plan(problem).violations if one.limit.startswith("grid.")]

    # Weights once chose 1.0164 kW here, to be inside the band 1.4 kWh-steps sooner.
    assert sum(over) == pytest.approx(least_grid_excess(problem), abs=1e-6)


def test_a_band_whose_edges_contradict_each_other_is_named_and_planned_around() -> None:
    battery = replace(PLAIN, soc_min_kwh=[0, 9, 0], soc_max_kwh=[10, 6, 10], discharge_max_kw=8.0)

    made = plan(problem_of(1.0, [0.1, 0.2, 0.3], [0.1] * 3, [Home("h1", [0, 0, 8])], [battery]))

    # Between 6 and 9 it is 3 kWh off whatever it does, so the cheapest of those is chosen.
    assert made.status is Status.RELAXED
    assert {one.limit for one in made.violations} == {
        "batteries.b1.soc_min_kwh", "batteries.b1.soc_max_kwh"
    }  # fmt: skip
    assert sum(one.excess for one in made.violations) == pytest.approx(3.0)
    assert made.soc_kwh[0, 1] == pytest.approx(8.0)


def test_a_car_asked_for_more_than_it_holds_is_filled() -> None:
    car = Session("car", 0, 3, 9.0, 4.0, capacity_kwh=6.0)

    made = plan(problem_of(1.0, [0.3, 0.1, 0.2], [0.1] * 3, sessions=[car]))

    assert said(made) == [("sessions.car.energy_kwh", 2, 3.0)]
    assert made.charge_kw[0].tolist() == pytest.approx([0.0, 4.0, 2.0])


def test_a_comfort_band_that_contradicts_itself_still_gets_a_plan() -> None:
    warm = HeatPump("hp", 4.0, 3.0, 1.0, 0.0, 0.0, start_c=20.0, min_c=22.0, max_c=19.0)

    made = plan(problem_of(1.0, [0.3, 0.3], [0.1] * 2, heat_pumps=[warm]))

    # It need not warm: at 20 degrees it is as near to both edges as anywhere between them.
    assert made.charge_kw.tolist() == [[0.0, 0.0]]
    assert {name: excess for name, _, excess in said(made)} == {
        "heat_pumps.hp.min_c": 2.0, "heat_pumps.hp.max_c": 1.0
    }  # fmt: skip


def test_a_battery_between_edges_that_contradict_each_other_still_helps_the_connection() -> None:
    battery = replace(PLAIN, soc_min_kwh=9.0, soc_max_kwh=6.0, soc_start_kwh=7.0)
    homes = [Home("h1", [10, 11])]

    made = plan(problem_of(1.0, [0.2] * 2, [0.1] * 2, homes, [battery], Grid(10.0)))

    # At 6 it is no further off than at 7: 3 kWh after each step.
    assert not [one for one in made.violations if one.limit.startswith("grid.")]
    assert made.soc_kwh[0, 1] == pytest.approx(6.0)
    assert sum(one.excess for one in made.violations if "soc_m" in one.limit) == pytest.approx(6.0)


def test_the_simple_rule_fills_no_car_beyond_what_it_holds() -> None:
    car = Session("car", 0, 3, 9.0, 4.0, capacity_kwh=6.0)

    made = by_rule(problem_of(1.0, [0.3] * 3, [0.1] * 3, sessions=[car]))

    assert made.charge_kw.tolist() == [[4.0, 2.0, 0.0]]
