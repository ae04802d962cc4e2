"""Asked why a battery does not do something else, the plan says what that would cost and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kwartier.errors import InputError
from optimizer.dispatch import plan
from optimizer.plan import Action, Status
from optimizer.problem import Grid, Home, Problem, Session, problem_of
from optimizer.why.why_not import COSTS, WORDS, Why, WhyNot, why_not
from tests.optimizer.examples import PLAIN
from tests.optimizer.neighbourhoods import problems


def asked(problem: Problem, step: int, action: Action) -> WhyNot:
    return why_not(problem, plan(problem), "b1", step, action)


def dip() -> Problem:
    """Return three hours: 20 cents, 10 cents, and 50 when four kWh are used."""
    homes = [Home("h", [0.0, 0.0, 4.0])]
    return problem_of(1.0, [0.2, 0.1, 0.5], [0.0] * 3, homes, [PLAIN])


def test_charging_now_costs_more_as_power_is_cheaper_later() -> None:
    found = asked(dip(), 0, Action.CHARGE)

    # Four kWh at 20 instead of 10 cents.
    assert (found.why, found.power_kw, found.other_step) == (Why.CHEAPER_LATER, 4.0, 1)
    assert found.costs_eur == pytest.approx(0.40, abs=1e-5)
    assert found.text_nl.startswith("Laden kost de wijk dan ongeveer € 0,40 meer dan het plan.")
    assert found.text_en.startswith("Charging then costs the neighbourhood about €0.40 more")


def test_waiting_where_it_charges_costs_what_it_would_have_saved() -> None:
    found = asked(dip(), 1, Action.HOLD)

    # The first hour is gone by then, and the course up to it stays: four kWh at 50 for 10 cents.
    assert (found.does, found.why) == (Action.CHARGE, Why.WORKS)
    assert found.costs_eur == pytest.approx(1.60, abs=1e-5)


def test_it_says_so_where_it_does_that_already() -> None:
    assert asked(dip(), 1, Action.CHARGE).why is Why.DOES


def test_an_empty_battery_gives_nothing_and_a_full_one_takes_nothing() -> None:
    full = replace(PLAIN, soc_start_kwh=10.0, soc_end_kwh=10.0)
    waits = problem_of(1.0, [0.2], [0.1], [], [full])

    assert asked(dip(), 0, Action.DISCHARGE).why is Why.EMPTY
    assert asked(waits, 0, Action.CHARGE).why is Why.FULL


def test_a_connection_without_room_is_the_reason() -> None:
    homes = [Home("h", [3.0, 0.0])]
    problem = problem_of(1.0, [0.2, 0.1], [0.0] * 2, homes, [PLAIN], Grid(import_limit_kw=3.0))

    found = asked(problem, 0, Action.CHARGE)

    assert (found.why, found.costs_eur) == (Why.NO_ROOM, None)


def test_giving_back_now_costs_more_as_power_is_dearer_later() -> None:
    half = replace(PLAIN, soc_start_kwh=4.0)
    homes = [Home("h", [4.0, 4.0])]
    found = asked(problem_of(1.0, [0.3, 0.5], [0.0] * 2, homes, [half]), 0, Action.DISCHARGE)

    # Four kWh save 30 cents each instead of 50.
    assert (found.why, found.other_step) == (Why.DEARER_LATER, 1)
    assert found.costs_eur == pytest.approx(0.80, abs=1e-5)


def test_sun_to_come_is_a_reason_to_wait() -> None:
    homes = [Home("h", [1.0, 0.0, 4.0], [0.0, 8.0, 0.0])]
    problem = problem_of(1.0, [0.3, 0.3, 0.3], [0.05] * 3, homes, [PLAIN])

    assert asked(problem, 0, Action.CHARGE).why is Why.SUN_LATER


def test_what_another_battery_feeds_later_is_no_sun() -> None:
    early, late = replace(PLAIN, soc_end_kwh=4.0), replace(PLAIN, id="b2", soc_start_kwh=4.0)
    late = replace(late, soc_end_kwh=0.0, discharge_max_kw=[0.0, 4.0])
    problem = problem_of(1.0, [0.3, 0.2], [0.05] * 2, [], [early, late])

    found = asked(problem, 0, Action.CHARGE)

    # What is not stored then is sold then: 5 cents a kWh.
    assert (found.why, found.other_step, found.other_eur_per_kwh) == (Why.CHEAPER_LATER, 1, 0.05)


def test_what_is_not_worth_it_is_said_the_same_way_for_both() -> None:
    kept = replace(PLAIN, soc_start_kwh=4.0, end_value_eur_per_kwh=0.3)
    waits = problem_of(1.0, [0.4], [0.1], [], [kept])

    charge, give = asked(waits, 0, Action.CHARGE), asked(waits, 0, Action.DISCHARGE)

    assert (charge.why, give.why) == (Why.NOT_WORTH, Why.NOT_WORTH)
    assert give.text_nl.endswith("Dat levert minder op dan het kost.")
    assert give.text_en.endswith("That brings less than it costs.")


def test_a_price_below_zero_is_written_as_each_language_does() -> None:
    sunny = problem_of(
        1.0, [0.3, -0.2, 0.3], [0.05, -0.3, 0.05], [Home("h", [1.0, 0.0, 4.0])], [PLAIN]
    )

    found = asked(sunny, 0, Action.CHARGE)

    assert "€ -0,20" in found.text_nl
    assert "-€0.20" in found.text_en


def test_what_costs_nothing_is_said_to_make_no_difference() -> None:
    problem = problem_of(1.0, [0.1, 0.1, 0.5], [0.0] * 3, [Home("h", [0.0, 0.0, 4.0])], [PLAIN])
    made = plan(problem)

    assert why_not(problem, made, "b1", 0, Action.HOLD).why is Why.SAME


def test_only_what_is_in_the_plan_can_be_asked() -> None:
    made = plan(dip())

    with pytest.raises(InputError, match="'b9'"):
        why_not(dip(), made, "b9", 0, Action.HOLD)
    with pytest.raises(InputError, match="0 to 2"):
        why_not(dip(), made, "b1", 3, Action.HOLD)


def test_a_car_is_no_battery_to_ask_about() -> None:
    car = Session("car", arrival=0, departure=2, energy_kwh=1.0, charge_max_kw=2.0)
    problem = problem_of(1.0, [0.1, 0.3], [0.0] * 2, [], [PLAIN], sessions=[car])

    with pytest.raises(InputError, match="'car' is not in the plan"):
        why_not(problem, plan(problem), "car", 0, Action.HOLD)


def test_every_answer_has_words_in_both_languages() -> None:
    assert set(WORDS) == set(Why)
    assert set(COSTS) == set(Action)


@settings(max_examples=12, deadline=None)
@given(problems(exclusive=True), st.integers(0, 7), st.sampled_from(Action))
def test_no_other_action_is_ever_cheaper_than_the_plan(
    problem: Problem, step: int, action: Action
) -> None:
    made = plan(problem)
    if made.status is not Status.OPTIMAL or not problem.battery_ids or step >= problem.steps:
        return

    found = why_not(problem, made, problem.battery_ids[0], step, action)

    assert found.text_nl
    assert found.text_en
    assert (found.costs_eur is None) == (
        found.why in {Why.DOES, Why.FULL, Why.EMPTY, Why.NO_POWER, Why.NO_ROOM, Why.BREAKS}
    )
