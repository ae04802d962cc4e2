"""What a plan says of itself holds when it is planned again under what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings

from optimizer.dispatch import plan
from optimizer.linear.flows import Flows, cost_eur
from optimizer.model.part import part_of
from optimizer.plan import Action, Plan, Reason, Status
from optimizer.problem import Home, Problem, Session, problem_of
from optimizer.why.members import net_cost_eur
from optimizer.why.reason_facts import Facts, bound_eur, facts_of
from tests.optimizer.examples import PLAIN
from tests.optimizer.neighbourhoods import problems

EUR = 1e-6


def idle(problem: Problem, reason: Reason) -> Problem:
    """Return the problem in which a battery can do nothing in a block."""
    row = problem.battery_ids.index(reason.battery)
    charge, discharge = problem.charge_max_kw.copy(), problem.discharge_max_kw.copy()
    charge[row, reason.first : reason.last + 1] = 0.0
    discharge[row, reason.first : reason.last + 1] = 0.0
    return replace(problem, charge_max_kw=charge, discharge_max_kw=discharge)


def with_price(problem: Problem, step: int, eur_per_kwh: float) -> Problem:
    buy = problem.buy_eur_per_kwh.copy()
    buy[step] = eur_per_kwh
    return replace(problem, buy_eur_per_kwh=buy)


def cost_of(problem: Problem, made: Plan) -> float:
    """Return what the flows of a plan cost under the prices of a problem."""
    flows = Flows(made.charge_kw, made.discharge_kw, made.curtailed_kw.sum(axis=0))
    return cost_eur(problem, flows) - made.end_value_eur


def test_idling_costs_what_was_saved() -> None:
    # Ten cents now, fifty later: four kWh moved save 1.60 euro, and nothing else can move them.
    problem = problem_of(1.0, [0.1, 0.5], [0.0] * 2, [Home("h", [0.0, 9.0])], [PLAIN])

    first, last = facts_of(problem, plan(problem))

    # One of the two blocks earns it at the prices, or each a part of it.
    assert first.idle_costs_eur is not None
    assert last.idle_costs_eur is not None
    assert first.idle_costs_eur + last.idle_costs_eur == pytest.approx(1.6, abs=1e-5)


def test_a_battery_says_until_which_price_it_goes_on() -> None:
    # One hour's use can be moved: from 10 cents to 50, and 45 are left after losses in charging.
    lossy = replace(PLAIN, charge_efficiency=0.9, soc_max_kwh=20.0)
    problem = problem_of(
        1.0, [0.1, 0.5], [0.0] * 2, [Home("h", [0.0, 9.0])], [lossy]
    )  # fmt: skip

    facts = facts_of(problem, plan(problem))[0]

    assert facts.charges_below_eur_per_kwh == pytest.approx(0.45)
    assert facts.limit == "batteries.b1.charge_max_kw"


def test_a_car_with_the_name_of_a_battery_has_none_of_its_facts() -> None:
    car = Session("b1", arrival=0, departure=2, energy_kwh=1.0, charge_max_kw=2.0)
    problem = problem_of(1.0, [0.1, 0.3], [0.0] * 2, [], [PLAIN], sessions=[car])
    made = plan(problem)

    told = dict(zip(made.reasons, facts_of(problem, made), strict=True))

    cars = [facts for reason, facts in told.items() if "car" in reason.text_en]
    assert cars == [Facts()] * 2
    assert any(facts.price_eur_per_kwh is not None for facts in told.values())


def test_without_prices_there_is_nothing_to_tell() -> None:
    problem = problem_of(1.0, [0.1], [0.0], [], [PLAIN])
    made = replace(plan(problem), local_price_eur_per_kwh=None)

    assert [one.idle_costs_eur for one in facts_of(problem, made)] == [None]


@settings(max_examples=12, deadline=None)
@given(problems())
def test_an_idle_block_costs_at_least_what_was_said(problem: Problem) -> None:
    made = plan(problem)

    for reason, facts in zip(made.reasons, facts_of(problem, made), strict=True):
        if facts.idle_costs_eur and made.status is Status.OPTIMAL:
            again = plan(idle(problem, reason))
            if again.status is Status.OPTIMAL:
                lost = net_cost_eur(again) - net_cost_eur(made)
                assert lost >= facts.idle_costs_eur - EUR


@settings(max_examples=12, deadline=None)
@given(problems(), problems())
def test_no_price_at_all_bounds_a_plan_too_high(problem: Problem, other: Problem) -> None:
    made = plan(problem)
    assume(made.status is Status.OPTIMAL)
    steps, batteries = problem.steps, len(problem.battery_ids)
    price = np.resize(other.buy_eur_per_kwh, steps)
    worth = np.resize(other.sell_eur_per_kwh, (batteries, steps))

    assert bound_eur(problem, price, worth) <= net_cost_eur(made) + EUR


@settings(max_examples=12, deadline=None)
@given(problems(exclusive=False, dear_selling=False, negative=False))
def test_the_prices_of_a_linear_plan_prove_it(problem: Problem) -> None:
    made = plan(problem)
    price, worth = made.local_price_eur_per_kwh, made.stored_value_eur_per_kwh
    assume(made.status is Status.OPTIMAL and price is not None)
    assert price is not None
    assert worth is not None

    assert bound_eur(problem, price, worth) == pytest.approx(net_cost_eur(made), abs=EUR)


@settings(max_examples=15, deadline=None)
@given(problems(exclusive=False, dear_selling=False, negative=False))
def test_a_battery_goes_on_until_the_price_it_named(problem: Problem) -> None:
    # With others at hand one of them may take over first.
    problem = replace(
        part_of(problem, problem.home_ids, problem.battery_ids[:1]), peak_price_eur_per_kw=0.0
    )
    made = plan(problem)
    if made.status is not Status.OPTIMAL:
        return

    for reason, facts in zip(made.reasons, facts_of(problem, made), strict=True):
        until = facts.charges_below_eur_per_kwh
        if reason.action is not Action.CHARGE or until is None:
            continue
        for step in range(reason.first, reason.last + 1):
            bought = made.import_kw[step]
            if bought < EUR or bought > problem.import_limit_kw[step] - EUR:
                continue
            if until > problem.buy_eur_per_kwh[step]:
                dearer = with_price(problem, step, until)
                assert cost_of(dearer, made) <= net_cost_eur(plan(dearer)) + EUR
