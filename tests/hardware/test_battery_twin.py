"""The virtual battery: exact energy, obedience, and its own revert timer."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.registers import Image, words_of
from hardware.sunspec import Points, find_chain, read_model
from hardware.sunspec_models import models
from hardware.twins.battery import BatteryTwin, Fault
from hardware.twins.cell import Cell, CellLimits
from kwartier.clock import VirtualClock

LIMITS = CellLimits(capacity_wh=10_000, charge_max_w=5_000, discharge_max_w=4_000)
NOON_S = 1_782_900_000.0


def control_address(twin: BatteryTwin) -> int:
    chain = find_chain(Image.of_blocks("twin", twin.spans()))
    assert chain is not None
    place = chain.first(704)
    assert place is not None
    return place.address


def points(twin: BatteryTwin, model: int) -> Points:
    image = Image.of_blocks("twin", twin.spans())
    chain = find_chain(image)
    assert chain is not None
    place = chain.first(model)
    assert place is not None
    return read_model(image, place).points


def command(twin: BatteryTwin, power_w: int, revert_s: int) -> int:
    """Write a set-point in SunSpec's sign, where positive discharges."""
    frame = [1, 1, *words_of(-power_w, 2), 0, 0, 0, 0, 0, *words_of(revert_s, 2)]
    return twin.write(control_address(twin) + models()[704].offset("WSetEna"), frame)


def test_it_starts_idle_with_the_charge_it_was_given() -> None:
    twin = BatteryTwin(VirtualClock(NOON_S), LIMITS, soc_permille=500)

    assert twin.power_w == 0
    assert points(twin, 713)["SoC"] == 50
    assert points(twin, 702)["WChaRteMax"] == 5000


def test_an_hour_of_charging_stores_what_the_losses_leave() -> None:
    clock = VirtualClock(NOON_S)
    twin = BatteryTwin(clock, LIMITS, soc_permille=100)
    command(twin, 2000, 7200)

    clock.advance(3600)

    assert twin.power_w == 2000
    assert twin.cell.charged_wh == 2000
    assert twin.cell.stored_wh == 1000 + 1920  # 96 % of 2000 Wh
    measured = points(twin, 701)
    assert (measured["W"], measured["TotWhAbs"], measured["TotWhInj"]) == (-2000, 2000, 0)


def test_it_reverts_by_itself_when_nobody_refreshes() -> None:
    clock = VirtualClock(NOON_S)
    twin = BatteryTwin(clock, LIMITS)
    command(twin, -1000, 90)

    clock.advance(89)
    assert (twin.power_w, points(twin, 704)["WSetRvrtRem"]) == (-1000, 1)
    clock.advance(1)

    assert (twin.power_w, points(twin, 704)["WSetEna"]) == (0, 0)
    clock.advance(3600)
    assert twin.cell.discharged_wh == 25  # 90 s of 1000 W, not a second more


def test_a_refresh_starts_the_timer_anew() -> None:
    clock = VirtualClock(NOON_S)
    twin = BatteryTwin(clock, LIMITS)
    command(twin, 1000, 90)
    clock.advance(60)
    command(twin, 1000, 90)

    clock.advance(60)

    assert twin.power_w == 1000


def test_a_wall_clock_that_jumps_does_not_end_a_set_point() -> None:
    clock = VirtualClock(NOON_S)
    twin = BatteryTwin(clock, LIMITS)
    command(twin, 1000, 90)

    clock.jump(3600)

    assert twin.power_w == 1000


def test_it_can_be_told_the_time_instead_of_asking_the_clock() -> None:
    twin = BatteryTwin(VirtualClock(NOON_S), LIMITS, soc_permille=100)
    command(twin, 1000, 1800)

    twin.advance(NOON_S + 3600)

    assert twin.cell.charged_wh == 500


def test_it_does_no_more_than_it_can() -> None:
    twin = BatteryTwin(VirtualClock(NOON_S), LIMITS)
    command(twin, 99_000, 90)

    assert twin.power_w == 5000


def test_it_stops_when_full_and_the_counter_stops_with_it() -> None:
    clock = VirtualClock(NOON_S)
    twin = BatteryTwin(clock, LIMITS, soc_permille=900)
    command(twin, 5000, 3600)

    clock.advance(1800)

    assert twin.power_w == 0
    assert twin.cell.soc_permille == 950
    assert twin.cell.charged_wh == Fraction(500 * 1000, 960)


def test_what_is_no_set_point_is_refused() -> None:
    twin = BatteryTwin(VirtualClock(NOON_S), LIMITS)

    assert twin.write(40000, [1]) == 2
    assert twin.write(control_address(twin), [1]) == 2


@pytest.mark.parametrize(
    ("fault", "code", "power_w"),
    [(Fault.BUSY, 6, 0), (Fault.REFUSES, 4, 0), (Fault.FORGETS, 0, 0), (Fault.DEAF, 0, 0)],
)
def test_a_fault_keeps_a_set_point_from_working(fault: Fault, code: int, power_w: int) -> None:
    twin = BatteryTwin(VirtualClock(NOON_S), LIMITS)
    address = control_address(twin) + models()[704].offset("WSetEna")
    twin.faults.add(fault)

    assert twin.write(address, [1, 1, *words_of(-1000, 2)]) == code
    assert twin.power_w == power_w


def test_a_battery_without_a_timer_holds_for_ever() -> None:
    clock = VirtualClock(NOON_S)
    twin = BatteryTwin(clock, LIMITS, soc_permille=100)
    twin.faults.add(Fault.NO_TIMER)
    command(twin, 100, 90)

    clock.advance(3600)

    assert twin.power_w == 100
    assert points(twin, 704)["WSetRvrtTms"] is None
    twin.faults.clear()
    assert points(twin, 704)["WSetRvrtTms"] == 0


def test_a_blind_battery_measures_nothing() -> None:
    twin = BatteryTwin(VirtualClock(NOON_S), LIMITS)
    twin.faults.add(Fault.BLIND)

    assert points(twin, 701)["W"] is None
    assert points(twin, 713)["SoC"] is None


def test_a_large_battery_scales_its_registers() -> None:
    limits = CellLimits(capacity_wh=2_000_000, charge_max_w=250_000, discharge_max_w=250_000)
    twin = BatteryTwin(VirtualClock(NOON_S), limits)
    command(twin, 250_000, 90)

    assert points(twin, 701)["W"] == -250_000
    assert points(twin, 702)["WDisChaRteMaxRtg"] == 250_000
    assert points(twin, 713)["WHRtg"] == 2_000_000


@given(
    steps=st.lists(
        st.tuples(st.integers(-6_000, 6_000), st.integers(1, 7_200_000)), min_size=1, max_size=30
    ),
    soc_permille=st.integers(50, 950),
)
def test_no_energy_is_lost_or_made(steps: list[tuple[int, int]], soc_permille: int) -> None:
    cell = Cell(LIMITS, soc_permille)
    start_wh = cell.stored_wh

    for power_w, span_ms in steps:
        cell.run(power_w, span_ms)

    gained = cell.charged_wh * 960 / 1000 - cell.discharged_wh * 1000 / 955
    assert cell.stored_wh - start_wh == gained
    assert 500 <= cell.stored_wh <= 9500


@given(cuts=st.lists(st.integers(0, 7_200), max_size=8), power_w=st.integers(-4_000, 5_000))
def test_looking_more_often_changes_nothing(cuts: list[int], power_w: int) -> None:
    once_clock, often_clock = VirtualClock(NOON_S), VirtualClock(NOON_S)
    once, often = BatteryTwin(once_clock, LIMITS), BatteryTwin(often_clock, LIMITS)
    command(once, power_w, 3600)
    command(often, power_w, 3600)

    for cut in sorted(cuts):
        often.advance(NOON_S + cut)
    once_clock.advance(7200)
    often_clock.advance(7200)

    assert often.cell.stored_wh == once.cell.stored_wh
    assert often.cell.charged_wh == once.cell.charged_wh
