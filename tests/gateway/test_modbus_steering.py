"""A set-point reaches a battery in one write, is read back, and ends by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.modbus.link import DeviceBusyError, LinkSettings, ModbusLink, ModbusUnit
from gateway.modbus.poll import Role, SunSpecPoll
from gateway.steer.scale import ScaleUnknownError
from gateway.steer.steering import (
    Applied,
    Held,
    NoRevertTimerError,
    Ratings,
    SetpointNotHeldError,
    Steering,
    find_steering,
    follows,
)
from hardware.registers import HOLDING, RegistersRefusedError, Words
from hardware.sunspec import find_chain
from hardware.sunspec_models import models
from hardware.twins.battery import BatteryTwin, Fault
from hardware.twins.cell import CellLimits
from hardware.twins.modbus_server import ModbusServer
from hardware.twins.sunspec_image import device_words, model_words
from kwartier.clock import VirtualClock
from kwartier.errors import LinkDownError

NOON_S = 1_782_900_000.0
LIMITS = CellLimits(capacity_wh=10_000, charge_max_w=5_000, discharge_max_w=4_000)


class Watched:
    """A unit whose writes are counted."""

    def __init__(self, unit: ModbusUnit) -> None:
        self.unit = unit
        self.writes: list[tuple[int, int]] = []

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        return self.unit.read(address, count, function_code)

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        self.writes.append((address, len(words)))
        self.unit.write(address, words, function_code)


class Memory:
    """A device that keeps whatever is written into it, for models no twin has."""

    unit = 1

    def __init__(self, words: list[int]) -> None:
        self.words = words

    def spans(self) -> list[tuple[int, list[int]]]:
        return [(40000, self.words)]

    def read_refusal(self) -> int:
        return 0

    def write(self, address: int, words: Words) -> int:
        self.words[address - 40000 : address - 40000 + len(words)] = words
        return 0


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON_S)


@pytest.fixture
def twin(clock: VirtualClock) -> BatteryTwin:
    return BatteryTwin(clock, LIMITS, soc_permille=500)


@pytest.fixture
def unit(twin: BatteryTwin) -> Iterator[Watched]:
    with ModbusServer([twin]) as server:
        settings = LinkSettings("127.0.0.1", server.port, timeout_s=20.0, busy_wait_s=0.0)
        link = ModbusLink(settings)
        yield Watched(link.unit(1))
        link.close()


@pytest.fixture
def steering(unit: Watched) -> Steering:
    return steered(unit)


def steered(unit: Watched) -> Steering:
    chain = find_chain(unit)
    assert chain is not None
    found = find_steering(unit, chain)
    assert found is not None
    return found


@pytest.mark.parametrize("power_w", [1500, -1500, 0, 5000, -4000])
def test_a_set_point_is_one_write_and_is_read_back(
    steering: Steering, unit: Watched, twin: BatteryTwin, power_w: int
) -> None:
    applied = steering.setpoint(power_w, 90)

    assert applied == Applied(power_w, 90, Held(None, 0))
    assert [count for _, count in unit.writes] == [11]
    assert steering.read_back() == Held(power_w, 90)
    assert twin.power_w == power_w


def test_the_battery_falls_back_by_itself(
    steering: Steering, twin: BatteryTwin, clock: VirtualClock
) -> None:
    steering.setpoint(2000, 90)

    clock.advance(60)
    assert steering.read_back() == Held(2000, 30)
    clock.advance(30)

    assert steering.read_back() == Held(None, 0)
    assert twin.power_w == 0


def test_a_refresh_keeps_it_going_and_tells_what_was_held(
    steering: Steering, twin: BatteryTwin, clock: VirtualClock
) -> None:
    steering.setpoint(2000, 90)
    clock.advance(30)

    applied = steering.setpoint(-500, 90)
    clock.advance(80)

    assert applied.before == Held(2000, 60)
    assert twin.power_w == -500


def test_a_release_ends_it_at_once(steering: Steering, unit: Watched, twin: BatteryTwin) -> None:
    steering.setpoint(2000, 90)

    steering.release()

    assert twin.power_w == 0
    assert steering.read_back().power_w is None


def test_the_device_tells_its_limits(steering: Steering) -> None:
    assert steering.ratings() == Ratings(charge_max_w=5000, discharge_max_w=4000)


def test_a_busy_battery_is_reported(steering: Steering, twin: BatteryTwin) -> None:
    twin.faults.add(Fault.BUSY)

    with pytest.raises(DeviceBusyError):
        steering.setpoint(1000, 90)


def test_a_refused_set_point_is_reported(steering: Steering, twin: BatteryTwin) -> None:
    twin.faults.add(Fault.REFUSES)

    with pytest.raises(RegistersRefusedError):
        steering.setpoint(1000, 90)


def test_a_set_point_that_was_not_kept_is_reported(steering: Steering, twin: BatteryTwin) -> None:
    twin.faults.add(Fault.FORGETS)

    with pytest.raises(SetpointNotHeldError, match="1000 W was acknowledged") as caught:
        steering.setpoint(1000, 90)
    assert caught.value.held == Held(None, 0)


def test_a_battery_that_does_not_act_is_seen_in_its_power(
    steering: Steering, unit: Watched, twin: BatteryTwin, clock: VirtualClock
) -> None:
    twin.faults.add(Fault.DEAF)
    applied = steering.setpoint(1000, 90)

    measured_w = SunSpecPoll(unit, "battery", Role.BATTERY, clock).read().values["battery_w"]

    assert not follows(applied.power_w, measured_w, 5000)


def test_a_battery_that_acts_is_seen_in_its_power(
    steering: Steering, unit: Watched, clock: VirtualClock
) -> None:
    applied = steering.setpoint(1000, 90)

    measured_w = SunSpecPoll(unit, "battery", Role.BATTERY, clock).read().values["battery_w"]

    assert follows(applied.power_w, measured_w, 5000)


def test_a_battery_without_a_timer_is_not_steered(
    steering: Steering, unit: Watched, twin: BatteryTwin
) -> None:
    twin.faults.add(Fault.NO_TIMER)

    with pytest.raises(NoRevertTimerError):
        steering.setpoint(1000, 90)
    assert unit.writes == []


def test_a_battery_that_went_silent_is_reported(twin: BatteryTwin) -> None:
    with ModbusServer([twin]) as server:
        settings = LinkSettings("127.0.0.1", server.port, timeout_s=0.5, retries=0)
        link = ModbusLink(settings)
        twin.faults.add(Fault.SILENT)

        with pytest.raises(LinkDownError, match="no answer"):
            find_chain(link.unit(1))
        link.close()


@contextmanager
def remembered(*parts: list[int]) -> Iterator[tuple[Memory, Watched]]:
    """Serve a device of these models; its memory and a unit to reach it."""
    memory = Memory(device_words(parts))
    with ModbusServer([memory]) as server:
        link = ModbusLink(LinkSettings("127.0.0.1", server.port, timeout_s=20.0))
        yield memory, Watched(link.unit(1))
        link.close()


@pytest.mark.parametrize(("power_w", "held_w"), [(1234, 1230), (-1239, -1230), (9, 0)])
def test_a_coarse_scale_rounds_towards_zero_and_says_so(power_w: int, held_w: int) -> None:
    control = model_words(
        704, {"WSetEna": 0, "WSet": 0, "WSetRvrtTms": 0, "WSet_SF": 1, "WSetRvrtRem": 0}
    )
    with remembered(control) as (_, unit):
        assert steered(unit).setpoint(power_w, 60).power_w == held_w


def test_other_controls_of_the_model_are_left_alone() -> None:
    given = {
        "WMaxLimPctEna": 1,
        "WMaxLimPct": 70,
        "WSetPct": 33,
        "WSetPctRvrt": 44,
        "WSet": 0,
        "WSetRvrtTms": 0,
        "WSet_SF": 0,
        "VarSetEna": 1,
    }
    with remembered(model_words(704, given)) as (memory, unit):
        steered(unit).setpoint(500, 60)

    group = models()[704]
    for point in ("WMaxLimPctEna", "WMaxLimPct", "WSetPct", "WSetPctRvrt", "VarSetEna"):
        assert memory.words[2 + group.offset(point)] == given[point]


STORAGE = {
    "WChaMax": 500,
    "WChaMax_SF": 1,
    "StorCtl_Mod": 0,
    "ChaState": 4200,
    "ChaState_SF": -2,
    "OutWRte": 10000,
    "InWRte": 10000,
    "InOutWRte_WinTms": 0,
    "InOutWRte_RvrtTms": 0,
    "InOutWRte_SF": -2,
}


@pytest.mark.parametrize(
    ("power_w", "out_rate", "in_rate"),
    [(2500, -5000, 5000), (-1000, 2000, -2000), (0, 0, 0)],
)
def test_storage_control_sets_both_rates_against_each_other(
    power_w: int, out_rate: int, in_rate: int
) -> None:
    group = models()[124]
    with remembered(model_words(124, STORAGE)) as (memory, unit):
        steering = steered(unit)

        applied = steering.setpoint(power_w, 90)
        steering.setpoint(power_w, 90)

        assert applied == Applied(power_w, 90, Held(None, None))
        assert steering.ratings() == Ratings(5000, 5000)
        written = {
            point: memory.words[2 + group.offset(point)]
            for point in ("OutWRte", "InWRte", "InOutWRte_RvrtTms", "StorCtl_Mod")
        }
        assert written == {
            "OutWRte": out_rate % 65536,
            "InWRte": in_rate % 65536,
            "InOutWRte_RvrtTms": 90,
            "StorCtl_Mod": 3,
        }
        assert [count for _, count in unit.writes] == [4, 1, 4]  # the mode is written once
        steering.release()
        assert steering.read_back().power_w is None


def test_a_percentage_that_does_not_come_out_even_is_rounded_towards_zero() -> None:
    with remembered(model_words(124, {**STORAGE, "InOutWRte_SF": 0})) as (_, unit):
        applied = steered(unit).setpoint(2499, 90)

    assert applied.power_w == 2450  # 49 % of 5000 W


WATTS = {"WSetEna": 0, "WSetMod": 1, "WSet": 250, "WSetRvrtTms": 0, "WSetRvrtRem": 0, "WSet_SF": 1}


@pytest.mark.parametrize(
    ("model", "values", "scale"),
    [
        (704, WATTS, "WSet_SF"),
        (124, STORAGE, "WChaMax_SF"),
        (124, STORAGE, "InOutWRte_SF"),
    ],
)
@pytest.mark.parametrize("is_now", [None, 11, -11])
def test_nothing_is_written_while_a_scale_factor_says_nothing_and_then_it_is(
    model: int, values: dict[str, int], scale: str, is_now: int | None
) -> None:
    with remembered(model_words(model, {**values, scale: is_now})) as (memory, unit):
        steering = steered(unit)
        with pytest.raises(ScaleUnknownError, match=scale):
            steering.setpoint(1000, 90)
        assert unit.writes == []

        at = 2 + models()[model].offset(scale)
        memory.words[at] = values[scale] % 65536

        assert steering.setpoint(1000, 90).power_w == 1000


@pytest.mark.parametrize(
    ("model", "values", "scale"),
    [
        (704, {**WATTS, "WSetEna": 1}, "WSet_SF"),
        (124, {**STORAGE, "StorCtl_Mod": 3}, "WChaMax_SF"),
        (124, {**STORAGE, "StorCtl_Mod": 3}, "InOutWRte_SF"),
        (124, {**STORAGE, "StorCtl_Mod": 2}, "InOutWRte_SF"),
    ],
)
def test_a_set_point_in_force_whose_scale_factor_says_nothing_is_neither_none_nor_a_number(
    model: int, values: dict[str, int], scale: str
) -> None:
    with (
        remembered(model_words(model, {**values, scale: None})) as (_, unit),
        pytest.raises(ScaleUnknownError),
    ):
        steered(unit).read_back()


def test_ratings_without_their_scale_factor_bound_nothing_and_are_asked_again() -> None:
    ratings = model_words(702, {"WMax": 500, "WChaRteMax": 400, "WDisChaRteMax": 300})
    with remembered(ratings, model_words(704, WATTS)) as (memory, unit):
        steering = steered(unit)
        with pytest.raises(ScaleUnknownError, match="WChaRteMax in model 702"):
            steering.ratings()

        memory.words[2 + models()[702].offset("W_SF")] = 1

        assert steering.ratings() == Ratings(4000, 3000)


def test_a_device_without_a_control_model_cannot_be_steered() -> None:
    with remembered(model_words(1, {})) as (_, unit):
        chain = find_chain(unit)
        assert chain is not None

        assert find_steering(unit, chain) is None
