"""Each block of a plan says why, in words a neighbour uses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings

from optimizer.dispatch import plan
from optimizer.plan import Action, Because
from optimizer.problem import Grid, HeatPump, Home, Problem, Run, Session, problem_of
from tests.optimizer.examples import OUTSIDE_BAND, PLAIN
from tests.optimizer.neighbourhoods import problems


def why(problem: Problem) -> list[tuple[int, int, Action, Because]]:
    return [(one.first, one.last, one.action, one.because) for one in plan(problem).reasons]


def test_sun_that_is_left_over_is_stored_and_used_at_night() -> None:
    homes = [Home("h1", [0.0, 0.0, 1.0, 2.0], [3.0, 1.0, 1.0, 0.0])]
    problem = problem_of(1.0, [0.2] * 4, [0.05] * 4, homes, [replace(PLAIN, soc_max_kwh=4.0)])

    reasons = plan(problem).reasons

    assert [(one.because, one.first, one.last) for one in reasons][-1] == (Because.OWN_USE, 3, 3)
    assert reasons[0].text_nl == "De batterij laadt: er is meer zon dan we gebruiken."
    assert reasons[0].text_en == "The battery charges: there is more sun than we use."


def test_power_is_stored_because_it_is_cheap_and_given_because_it_is_dear() -> None:
    problem = problem_of(1.0, [0.1, 0.2, 0.4], [0.0] * 3, [Home("h1", [1.0, 0.0, 4.0])], [PLAIN])

    assert why(problem) == [
        (0, 0, Action.CHARGE, Because.PRICE_LOW),
        (1, 1, Action.HOLD, Because.PRICE_LATER),
        (2, 2, Action.DISCHARGE, Because.PRICE_HIGH),
    ]


def test_a_peak_is_the_reason_where_the_price_is_flat() -> None:
    problem = problem_of(
        1.0, [0.2] * 2, [0.0] * 2, [Home("h1", [0.0, 6.0])], [PLAIN],
        Grid(peak_price_eur_per_kw=1.0),
    )  # fmt: skip

    assert why(problem) == [
        (0, 0, Action.CHARGE, Because.PEAK),
        (1, 1, Action.DISCHARGE, Because.PEAK),
    ]


def test_a_negative_price_is_a_reason_to_take_power() -> None:
    problem = problem_of(1.0, [-0.1], [-0.2], [], [PLAIN])

    assert why(problem) == [(0, 0, Action.CHARGE, Because.NEGATIVE_PRICE)]


def test_a_connection_at_its_limit_is_the_reason() -> None:
    no_way_out = problem_of(
        1.0, [0.2], [0.1], [Home("h1", [0.0], [5.0])], [PLAIN], Grid(export_limit_kw=1.0)
    )
    half = replace(PLAIN, soc_start_kwh=4.0, soc_end_kwh=2.0)
    no_way_in = problem_of(1.0, [0.2], [0.1], [Home("h1", [5.0])], [half], Grid(3.0))

    assert why(no_way_out) == [(0, 0, Action.CHARGE, Because.LIMIT)]
    assert why(no_way_in) == [(0, 0, Action.DISCHARGE, Because.LIMIT)]


def test_a_battery_under_its_band_fills_its_reserve() -> None:
    problem = problem_of(1.0, [0.2, 0.2], [0.1] * 2, [], [OUTSIDE_BAND])

    assert why(problem) == [(0, 1, Action.CHARGE, Because.RESERVE)]


def test_a_battery_waits_because_it_is_empty_or_because_nothing_is_gained() -> None:
    half = replace(PLAIN, soc_start_kwh=5.0, soc_end_kwh=5.0)

    assert why(problem_of(1.0, [0.2], [0.1], [], [PLAIN])) == [(0, 0, Action.HOLD, Because.EMPTY)]
    assert why(problem_of(1.0, [0.2], [0.1], [], [half])) == [(0, 0, Action.HOLD, Because.NO_GAIN)]


@settings(max_examples=100, deadline=None)
@given(problems())
def test_the_blocks_of_a_battery_tile_the_steps_and_tell_the_truth(problem: Problem) -> None:
    made = plan(problem)

    net_kw = made.charge_kw - made.discharge_kw
    for row, battery in enumerate(problem.battery_ids):
        blocks = [one for one in made.reasons if one.battery == battery]
        covered = [step for one in blocks for step in range(one.first, one.last + 1)]
        assert covered == list(range(problem.steps))
        for block in blocks:
            sign = {Action.CHARGE: 1, Action.DISCHARGE: -1, Action.HOLD: 0}[block.action]
            for power in net_kw[row, block.first : block.last + 1]:
                assert (0 if abs(power) <= 1e-6 else 1 if power > 0 else -1) == sign
            if block.because is Because.SOLAR_SURPLUS:
                left_kw = problem.pv_kw.sum(axis=0) - made.curtailed_kw.sum(axis=0)
                left_kw -= problem.load_kw.sum(axis=0)
                assert left_kw[block.first : block.last + 1].min() > 0
            if block.because is Because.OWN_USE:
                short_kw = problem.load_kw.sum(axis=0) + made.curtailed_kw.sum(axis=0)
                short_kw -= problem.pv_kw.sum(axis=0)
                assert short_kw[block.first : block.last + 1].min() > 0
            if block.because is Because.OTHER_BATTERY:
                others_kw = np.delete(net_kw, row, axis=0)[:, block.first : block.last + 1]
                assert others_kw.max(axis=0, initial=0.0).min() > 0


def test_what_goes_from_one_battery_into_another_is_said_so() -> None:
    gives = replace(PLAIN, soc_start_kwh=4.0, soc_end_kwh=0.0)
    takes = replace(PLAIN, id="b2", soc_end_kwh=4.0)

    told = plan(problem_of(1.0, [0.2], [0.0], [], [gives, takes])).reasons

    assert [(one.battery, one.because) for one in told] == [
        ("b1", Because.OTHER_BATTERY),
        ("b2", Because.RESERVE),
    ]
    assert told[0].text_nl == "De batterij geeft stroom terug: een andere batterij laadt ermee."
    assert told[0].text_en == "The battery gives power back: another battery charges with it."


def test_power_that_is_sold_at_a_low_price_is_not_said_to_be_dear() -> None:
    flat = replace(PLAIN, soc_start_kwh=4.0)

    assert why(problem_of(1.0, [0.2], [0.1], [], [flat])) == [
        (0, 0, Action.DISCHARGE, Because.NO_GAIN)
    ]
    assert why(problem_of(1.0, [0.2] * 2, [0.1, 0.2], [], [flat]))[-1] == (
        1, 1, Action.DISCHARGE, Because.PRICE_HIGH,
    )  # fmt: skip


def test_power_that_is_kept_or_sold_later_is_said_to_be_worth_more_then() -> None:
    kept = replace(PLAIN, end_value_eur_per_kwh=0.3)
    is_kept = problem_of(1.0, [0.2], [0.0], [], [kept])
    is_sold = problem_of(1.0, [0.2, 0.2], [0.0, 0.4], [], [PLAIN])

    assert why(is_kept) == [(0, 0, Action.CHARGE, Because.NEEDED_LATER)]
    assert why(is_sold)[0] == (0, 0, Action.CHARGE, Because.NEEDED_LATER)


def test_power_that_is_only_sold_later_is_not_needed_later() -> None:
    full = replace(PLAIN, soc_start_kwh=4.0)
    problem = problem_of(1.0, [0.5, 0.2], [0.0, 0.1], [], [full])

    assert why(problem)[0] == (0, 0, Action.HOLD, Because.NO_GAIN)


def test_a_peak_that_is_paid_already_is_no_reason() -> None:
    half = replace(PLAIN, soc_start_kwh=2.0)
    homes = [Home("h1", [2.0])]
    grid = Grid(peak_price_eur_per_kw=1.0, peak_so_far_kw=9.0)

    assert why(
        problem_of(1.0, [0.2], [0.0], homes, [replace(half, discharge_max_kw=1.0)], grid)
    ) == [(0, 0, Action.DISCHARGE, Because.OWN_USE)]


def test_a_car_that_gives_back_for_good_has_more_than_it_needs() -> None:
    car = Session("auto", 0, 1, 1.0, 4.0, start_kwh=3.0, discharge_max_kw=2.0, capacity_kwh=9.0)
    problem = problem_of(1.0, [0.3], [0.1], [Home("h", [5.0])], [], sessions=[car])

    assert why(problem) == [(0, 0, Action.DISCHARGE, Because.NO_GAIN)]


def test_a_car_that_leaves_with_too_little_is_not_said_to_have_enough() -> None:
    car = Session("auto", 0, 1, 4.0, 4.0)
    problem = problem_of(1.0, [0.3], [0.0], [Home("h", [2.0])], [], Grid(2.0), sessions=[car])

    assert why(problem) == [(0, 0, Action.HOLD, Because.LIMIT)]


def test_a_machine_that_cannot_wait_for_the_cheapest_hour_does_not_say_so() -> None:
    wash = Run("was", [2.0], 0, 3)
    homes = [Home("h", [0.0, 2.0, 0.0])]
    problem = problem_of(1.0, [0.2, 0.1, 0.3], [0.0] * 3, homes, [], Grid(3.0), runs=[wash])

    assert why(problem) == [(0, 0, Action.CHARGE, Because.SCHEDULE)]


def test_a_car_says_why_it_waits_and_why_it_charges() -> None:
    car = Session("auto", 0, 3, 4.0, 4.0)
    problem = problem_of(1.0, [0.3, 0.1, 0.2], [0.0] * 3, [], [], sessions=[car])

    told = plan(problem).reasons

    assert [(one.battery, one.first, one.because) for one in told] == [
        ("auto", 0, Because.PRICE_LOWER_LATER),
        ("auto", 1, Because.PRICE_LOW),
        ("auto", 2, Because.FULL),
    ]
    assert told[0].text_nl == "De auto wacht: straks is stroom goedkoper."


def test_a_car_in_a_hurry_charges_to_be_ready_in_time() -> None:
    car = Session("auto", 1, 2, 4.0, 4.0)
    problem = problem_of(1.0, [0.1, 0.3, 0.1], [0.0] * 3, [], [], sessions=[car])

    assert why(problem) == [
        (0, 0, Action.HOLD, Because.AWAY),
        (1, 1, Action.CHARGE, Because.SCHEDULE),
        (2, 2, Action.HOLD, Because.AWAY),
    ]


def test_what_a_battery_feeds_at_night_is_not_fed_by_the_sun() -> None:
    car, wash = Session("auto", 1, 2, 2.0, 4.0), Run("was", [1.0], 1, 2)
    full = replace(PLAIN, soc_start_kwh=4.0)
    problem = problem_of(
        1.0, [0.1, 0.4], [0.0] * 2, [Home("h", [0.0, 1.0])], [full], sessions=[car], runs=[wash]
    )

    told = {(one.battery, one.first): one.because for one in plan(problem).reasons}

    assert told["auto", 1] is Because.SCHEDULE
    assert told["was", 1] is Because.SCHEDULE


def test_a_machine_says_why_it_runs_when_it_does() -> None:
    wash = Run("was", [2.0], 0, 3)
    problem = problem_of(1.0, [0.3, 0.1, 0.2], [0.0] * 3, [Home("h", [1.0] * 3)], [], runs=[wash])

    assert why(problem) == [(1, 1, Action.CHARGE, Because.PRICE_LOW)]


def test_a_battery_at_its_reserve_keeps_it_for_an_outage() -> None:
    keeps = replace(PLAIN, soc_start_kwh=3.0, reserve_kwh=3.0)
    problem = problem_of(1.0, [0.3], [0.0], [Home("h", [2.0])], [keeps])

    assert why(problem) == [(0, 0, Action.HOLD, Because.RESERVE)]


def test_a_price_too_little_higher_for_the_losses_is_no_reason() -> None:
    # At 90 % one way, 20 cents later are worth 18 now: the peak is why it charges at 19.
    lossy = replace(PLAIN, discharge_efficiency=0.9)
    problem = problem_of(
        1.0, [0.19, 0.20], [0.0] * 2, [Home("h", [0.0, 6.0])], [lossy],
        Grid(peak_price_eur_per_kw=1.0),
    )  # fmt: skip

    assert why(problem)[0][3] is Because.PEAK


def test_a_house_that_began_too_cold_is_not_said_to_lack_heat_once_it_is_warm() -> None:
    cold = HeatPump("hp", 2.0, 3.0, 1.0, 0.0, 0.0, start_c=10.0, min_c=20.0, max_c=30.0)

    told = why(problem_of(1.0, [0.3] * 4, [0.1] * 4, heat_pumps=[cold]))

    # Six degrees an hour: it is too cold after the first, and nothing is lost after the second.
    assert told == [
        (0, 1, Action.CHARGE, Because.SCHEDULE),
        (2, 3, Action.HOLD, Because.NO_GAIN),
    ]


def test_a_house_under_a_comfort_band_that_contradicts_itself_is_not_said_to_be_warm() -> None:
    warm = HeatPump("hp", 4.0, 3.0, 1.0, 0.0, 0.0, start_c=20.0, min_c=22.0, max_c=19.0)

    told = why(problem_of(1.0, [0.3, 0.3], [0.1] * 2, heat_pumps=[warm]))

    assert told == [(0, 1, Action.HOLD, Because.LIMIT)]


def test_a_car_that_should_have_charged_at_once_is_not_said_to_have_time() -> None:
    car = Session("car", 0, 3, 4.0, 4.0, minimum_kwh=4.0)
    full = [Home("h1", [8, 0, 0])]

    told = why(problem_of(1.0, [0.3] * 3, [0.1] * 3, full, [], Grid(8.0), sessions=[car]))

    assert told == [
        (0, 0, Action.HOLD, Because.LIMIT),
        (1, 1, Action.CHARGE, Because.SCHEDULE),
        (2, 2, Action.HOLD, Because.FULL),
    ]


def test_a_car_that_gives_back_for_the_connection_says_so() -> None:
    car = Session("car", 0, 2, 6.0, 4.0, discharge_max_kw=4.0, start_kwh=6.0, capacity_kwh=10.0)
    homes = [Home("h1", [8, 12])]

    told = why(problem_of(1.0, [0.3] * 2, [0.1] * 2, homes, [], Grid(10.0), sessions=[car]))

    assert told[-1] == (1, 1, Action.DISCHARGE, Because.LIMIT)


def test_a_car_that_gives_back_for_the_peak_says_so() -> None:
    car = Session("car", 0, 2, 6.0, 4.0, discharge_max_kw=4.0, start_kwh=6.0, capacity_kwh=10.0)
    grid = Grid(peak_price_eur_per_kw=1.0)

    told = why(
        problem_of(1.0, [0.3] * 2, [0.1] * 2, [Home("h1", [12, 8])], [], grid, sessions=[car])
    )

    # Two kW out and in again make ten in both hours; power costs the same in each.
    assert told[0] == (0, 0, Action.DISCHARGE, Because.PEAK)


def test_power_that_costs_nothing_is_not_said_to_be_dear() -> None:
    battery = replace(PLAIN, soc_max_kwh=4.0, soc_start_kwh=4.0, discharge_max_kw=2.0)
    homes = [Home("h1", [2, 0])]

    told = why(problem_of(1.0, [0.0, -0.1], [0.0, -0.1], homes, [battery]))

    # Free power is used from the battery, so that two kWh more are paid for taking them.
    assert told == [
        (0, 0, Action.DISCHARGE, Because.OWN_USE),
        (1, 1, Action.CHARGE, Because.NEGATIVE_PRICE),
    ]
