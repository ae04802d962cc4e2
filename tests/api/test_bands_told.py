"""What a gateway at the meter is told may pass there, and what one is told that knows no bands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from api.planning.asked import problem_asked
from api.planning.steps import near_a_limit, steps_told
from kwartier.model import Community, Group
from kwartier.reading import MeterBand, Schedule, Step
from kwartier.schedule import decode_schedule, encode_schedule
from optimizer.dispatch import plan
from optimizer.problem import FloatArray
from tests.api.test_planner_limits import RETAIL, STEPS, known, street_of

LOAD_KW = np.full(STEPS, 4.0)
HUNGRY_KW = np.full(STEPS, 30.0)
"""In three hours more than is stored."""
DEAR_LATER = np.repeat([0.05, 0.20], STEPS // 2)
"""It buys at 18 cents, covers at 33, and does not sell at 19 what cost 18 and two losses."""


def told(
    street: Community, load_kw: FloatArray, market: FloatArray, spread_kw: float = 0.0
) -> tuple[Step, ...]:
    asked = known(street, load_kw, market=market, spread_kw=spread_kw)
    problem = problem_asked(asked, RETAIL, batteries=True)
    return steps_told(asked, problem, plan(problem), "wijkbatterij")


def test_it_covers_what_lacks_where_that_pays_and_holds_its_power_where_it_buys() -> None:
    steps = told(street_of(follows_meter=True), HUNGRY_KW, DEAR_LATER)
    buying = [step for step in steps if step.power_w > 0]
    dear = steps[STEPS // 2 :]

    assert buying
    assert {step.band for step in buying} == {None}
    # Sun that nobody expects is sold at 19 cents: in store it saves 18, less a loss.
    assert {step.band for step in dear} == {MeterBand(None, 0)}


def test_inside_of_a_band_it_rests_where_neither_pays() -> None:
    # A cent up and down pays for no losses.
    steps = told(street_of(follows_meter=True), LOAD_KW, np.resize([0.20, 0.21], STEPS))
    resting = [step for step in steps if step.power_w == 0]

    assert resting
    assert {step.band for step in resting} <= {MeterBand(0, None), MeterBand(None, None)}
    assert {step.grid_w for step in resting} == {None}


def test_what_may_pass_ends_at_the_connections_limits() -> None:
    street = replace(street_of(follows_meter=True), import_limit_w=60_000, export_limit_w=50_000)

    steps = told(street, LOAD_KW, np.resize([0.20, 0.21], STEPS))

    outer = [step.band for step in steps if step.power_w == 0 and step.band is not None]
    assert outer
    assert {band.high_w for band in outer} == {60_000}
    assert {band.low_w for band in outer} <= {0, -50_000}


def test_near_a_limit_the_planned_exchange_is_followed_and_no_band() -> None:
    street = replace(street_of(follows_meter=True), import_limit_w=20_000)
    asked = known(street, LOAD_KW, spread_kw=1.0)  # cheap hours between dear ones
    problem = problem_asked(asked, RETAIL, batteries=True)
    found = plan(problem)
    near = near_a_limit(asked, problem, found)

    steps = steps_told(asked, problem, found, "wijkbatterij")

    assert near.any()
    for step, is_near in zip(steps, near, strict=True):
        assert not is_near or (step.band is None and step.grid_w is not None)


def test_a_battery_elsewhere_and_one_in_a_group_are_told_no_bands() -> None:
    grouped = replace(
        street_of(group="flat", follows_meter=True), groups={"flat": Group("flat", 60_000)}
    )

    for street in (street_of(), grouped):
        assert {step.band for step in told(street, LOAD_KW, DEAR_LATER)} == {None}


def test_a_day_of_bands_is_small_on_the_wire_and_comes_as_it_was_sent() -> None:
    market = 0.1 + 0.1 * np.sin(np.arange(STEPS))
    steps = told(street_of(follows_meter=True), LOAD_KW, market)
    schedule = Schedule("battery", 1, "p", steps)

    payload = encode_schedule(schedule)

    assert decode_schedule(payload) == schedule
    assert len(payload) < 1_000
