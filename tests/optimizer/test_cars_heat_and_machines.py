"""Cars, heat pumps, machines and reserves, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from optimizer.dispatch import plan
from optimizer.model.stores import temperature_c
from optimizer.plan import Plan, Status
from optimizer.problem import Battery, Grid, HeatPump, Home, Problem, Run, Session, problem_of
from tests.optimizer.examples import PLAIN

CAR = Session("car", arrival=1, departure=4, energy_kwh=6.0, charge_max_kw=4.0)
PUMP = HeatPump(
    "hp",
    power_max_kw=2.0,
    cop=3.0,
    capacity_kwh_per_k=1.0,
    loss_kw_per_k=0.0,
    outside_c=0.0,
    start_c=20.0,
    min_c=20.0,
    max_c=24.0,
    demand_kw=3.0,
)
"""Three kW of heat are drawn, and one electric kW makes them; nothing else is lost."""


def asked(
    *prices: float, batteries: tuple[Battery, ...] = (), grid: Grid | None = None, **parts: object
) -> Problem:
    return problem_of(
        1.0, prices, [0.0] * len(prices), [], batteries, grid, **parts  # type: ignore[arg-type]  # by name
    )  # fmt: skip


def said(made: Plan) -> list[tuple[str, int, float]]:
    return [(one.limit, one.step, round(one.excess, 6)) for one in made.violations]


def test_a_car_charges_where_it_is_cheapest_while_it_is_there() -> None:
    made = plan(asked(0.1, 0.4, 0.2, 0.3, 0.1, sessions=[CAR]))

    # Cheap before it comes and after it has gone, that is of no use to it.
    assert made.charge_kw[0].tolist() == pytest.approx([0.0, 0.0, 4.0, 2.0, 0.0])
    assert made.cost_eur == pytest.approx(4 * 0.2 + 2 * 0.3)


def test_a_car_that_may_be_needed_is_filled_to_its_minimum_at_once() -> None:
    made = plan(asked(0.1, 0.4, 0.2, 0.3, sessions=[replace(CAR, minimum_kwh=3.0)]))

    assert made.charge_kw[0].tolist() == pytest.approx([0.0, 3.0, 3.0, 0.0])


def test_energy_that_cannot_be_had_is_told_and_the_rest_is_charged() -> None:
    made = plan(asked(0.1, 0.1, 0.1, 0.1, sessions=[replace(CAR, energy_kwh=15.0)]))

    # Three hours at four kW: twelve of the fifteen.
    assert made.status is Status.RELAXED
    assert said(made) == [("sessions.car.energy_kwh", 3, 3.0)]
    assert made.charge_kw[0].tolist() == pytest.approx([0.0, 4.0, 4.0, 4.0])


def test_a_car_that_holds_more_than_was_said_is_told_while_it_is_there() -> None:
    car = Session("car", 1, 3, 5.0, 4.0, capacity_kwh=6.0, start_kwh=8.0)

    told = said(plan(asked(0.2, 0.2, 0.2, 0.2, sessions=[car])))

    assert told == [("sessions.car.capacity_kwh", 1, 2.0), ("sessions.car.capacity_kwh", 2, 2.0)]


def test_a_charger_with_a_least_power_runs_with_it_or_not_at_all() -> None:
    car = replace(CAR, energy_kwh=5.0, charge_min_kw=3.0, capacity_kwh=10.0)

    made = plan(asked(0.1, 0.4, 0.2, 0.3, sessions=[car]))

    # Four kW in the cheapest hour and one beside it would do, but one is less than it can: three
    # and three are the least that comes to five.
    assert made.charge_kw[0].tolist() == pytest.approx([0.0, 0.0, 3.0, 3.0])
    assert made.cost_eur == pytest.approx(3 * 0.2 + 3 * 0.3)


def test_a_car_gives_back_what_it_can_do_without() -> None:
    car = Session(
        "car", 0, 2, 2.0, 4.0, discharge_max_kw=4.0, capacity_kwh=8.0, start_kwh=6.0
    )  # fmt: skip

    made = plan(problem_of(1.0, [0.4, 0.1], [0.0, 0.0], [Home("h1", [5.0, 0.0])], sessions=[car]))

    # It comes with 6 and leaves with 2: 4 of the 5 kW used at 0.40 are its own.
    assert made.discharge_kw[0].tolist() == pytest.approx([4.0, 0.0])
    assert made.cost_eur == pytest.approx(0.4)


def test_a_house_is_warmed_ahead_of_a_dear_hour() -> None:
    made = plan(asked(0.1, 0.4, 0.4, heat_pumps=[PUMP]))

    # One kW makes up for what is drawn, another stores three degrees: enough for one dear hour.
    assert made.charge_kw[0].tolist() == pytest.approx([2.0, 0.0, 1.0])
    assert made.cost_eur == pytest.approx(2 * 0.1 + 0.4)
    assert temperature_c(PUMP, made.soc_kwh[0]).tolist() == pytest.approx([23.0, 20.0, 20.0])


def test_a_house_cools_towards_the_temperature_outside() -> None:
    pump = replace(PUMP, loss_kw_per_k=0.5, min_c=0.0, demand_kw=0.0, outside_c=[10.0, 5.0])

    made = plan(asked(0.3, 0.3, heat_pumps=[pump]))

    part = math.exp(-0.5)
    first = 10 + 10 * part
    expected = [first, 5 + (first - 5) * part]
    assert temperature_c(pump, made.soc_kwh[0]).tolist() == pytest.approx(expected)
    assert made.cost_eur == 0.0


def test_comfort_gives_way_by_as_little_as_can_be() -> None:
    made = plan(asked(0.3, 0.3, heat_pumps=[replace(PUMP, power_max_kw=0.5)]))

    # Half of what is drawn is made: 1.5 degrees are lost in each hour.
    assert said(made) == [("heat_pumps.hp.min_c", 0, 1.5), ("heat_pumps.hp.min_c", 1, 3.0)]
    assert made.violations[0].unit == "k"


def test_a_summer_day_above_the_comfort_band_is_no_reason_not_to_plan() -> None:
    warm = replace(PUMP, demand_kw=0.0, loss_kw_per_k=1.0, outside_c=34.0, start_c=24.0)

    made = plan(asked(0.3, batteries=(PLAIN,), heat_pumps=[warm]))

    # Ten degrees warmer outside: 1 - 1/e of them come in.
    assert said(made) == [("heat_pumps.hp.max_c", 0, round(10 * (1 - math.exp(-1)), 6))]


def test_a_machine_starts_where_its_run_costs_least() -> None:
    run = Run("wash", [2.0, 1.0], earliest=0, latest_end=4)

    made = plan(asked(0.3, 0.1, 0.2, 0.2, 0.0, runs=[run]))

    # From the second hour: 2 x 0.10 + 0.20. The free hour comes too late.
    assert made.starts == (1,)
    assert made.import_kw.tolist() == pytest.approx([0.0, 2.0, 1.0, 0.0, 0.0])
    assert made.cost_eur == pytest.approx(0.4)


def test_two_machines_are_kept_apart_by_a_price_for_the_peak() -> None:
    runs = [Run(name, [2.0], 0, 2) for name in ("wash", "dry")]

    made = plan(asked(0.1, 0.1, runs=runs, grid=Grid(peak_price_eur_per_kw=1.0)))

    # Halves of both in both hours would cost the same: whole machines take one hour each.
    assert sorted(made.starts) == [0, 1]
    assert made.cost_eur == pytest.approx(0.4 + 2.0)


def test_only_import_above_the_peak_so_far_costs_anything() -> None:
    battery = replace(PLAIN, soc_start_kwh=4.0)
    grid = Grid(peak_price_eur_per_kw=1.0, peak_so_far_kw=3.0)

    made = plan(problem_of(1.0, [0.2, 0.2], [0.0] * 2, [Home("h1", [5.0, 6.0])], [battery], grid))

    # Eleven kWh, four of them stored: 3.5 an hour, half a kW above what is paid for already.
    assert made.peak_kw == pytest.approx(3.5)
    assert made.cost_eur == pytest.approx(7 * 0.2 + 0.5)


def test_steps_may_have_lengths_of_their_own() -> None:
    made = plan(
        problem_of(
            [0.5, 2.0], [0.1, 0.3], [0.0] * 2, [Home("h1", [0.0, 1.0])], [PLAIN], Grid(4.0)
        )
    )  # fmt: skip

    # Half an hour at four kW stores the two kWh that are used over two hours.
    assert made.charge_kw[0].tolist() == pytest.approx([4.0, 0.0])
    assert made.cost_eur == pytest.approx(2 * 0.1)


def test_a_battery_that_loses_by_itself_is_filled_late() -> None:
    battery = replace(PLAIN, retention_per_hour=0.5, charge_max_kw=8.0)
    home = Home("h1", [0.0, 0.0, 2.0])

    made = plan(problem_of(1.0, [0.1, 0.1, 0.9], [0.0] * 3, [home], [battery]))

    # What is needed in the third hour is half of what there is after the second.
    assert made.charge_kw[0].tolist() == pytest.approx([0.0, 4.0, 0.0])
    assert made.soc_kwh[0].tolist() == pytest.approx([0.0, 4.0, 0.0])


RESERVED = replace(PLAIN, soc_start_kwh=6.0, reserve_kwh=4.0)


def test_a_reserve_is_not_sold() -> None:
    made = plan(problem_of(1.0, [0.9], [0.9], [], [RESERVED]))

    assert made.discharge_kw[0].tolist() == pytest.approx([2.0])
    assert (made.status, made.violations) == (Status.OPTIMAL, ())


def test_a_reserve_gives_way_to_a_limit_and_that_is_no_worse_a_plan() -> None:
    made = plan(problem_of(1.0, [0.2], [0.0], [Home("h1", [8.0])], [RESERVED], Grid(5.0)))

    assert said(made) == [("batteries.b1.reserve_kwh", 0, 1.0)]
    assert made.status is Status.OPTIMAL


def test_a_reserve_with_a_price_is_sold_for_more() -> None:
    cheap = replace(RESERVED, reserve_price_eur_per_kwh=0.5, discharge_max_kw=10.0)
    dear = replace(cheap, reserve_price_eur_per_kwh=1.0)

    sold, kept = (plan(problem_of(1.0, [0.9], [0.9], [], [one])) for one in (cheap, dear))

    # A kWh earns 0.90, and what is short of the reserve costs its price for an hour.
    assert [sold.discharge_kw[0, 0], kept.discharge_kw[0, 0]] == pytest.approx([6.0, 2.0])
    assert said(sold) == [("batteries.b1.reserve_kwh", 0, 4.0)]
    assert [sold.cost_eur, kept.cost_eur] == pytest.approx([-5.4, -1.8])
