"""A set-point reaches a battery of another make in its own words, and ends by itself."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.modbus.link import DeviceBusyError
from gateway.steer.profile_steering import find_profile_steering
from gateway.steer.steering import Held, NoRevertTimerError, Ratings, SetpointNotHeldError
from hardware.profile import load_profile, profile_names
from hardware.registers import Image, RegistersRefusedError, Words
from hardware.twins.battery import Fault
from hardware.twins.vendor_battery import (
    VendorBattery,
)
from kwartier.cli import main
from kwartier.clock import VirtualClock
from tests.gateway.vendor_bench import BY_TIMER, EVERY, LEASES_S, LIMITS, NOON_S, TWINS, bench


def test_every_profile_that_steers_has_a_battery_to_prove_it_on() -> None:
    steerable = set()
    for name in profile_names():
        control = load_profile(name).control
        if control is not None and control.steerable:
            steerable.add(name)

    assert steerable == set(TWINS)


@EVERY
def test_a_set_point_is_obeyed_read_back_and_seen_in_the_reading(name: str) -> None:
    with bench(name) as at:
        steering = at.steering()
        for power_w in (1500, -1500, 2000, 0, -4000, 0, 5000):
            applied = steering.setpoint(power_w, 90)

            assert (applied.power_w, applied.revert_s) == (power_w, LEASES_S[name])
            assert at.twin.power_w == power_w
            if power_w or name != "victron_multiplus":  # its zero is also its neutral
                assert steering.read_back().power_w == power_w
            assert at.stored()["battery_w"] == power_w
            assert at.stored()["soc_permille"] == 500


@EVERY
def test_the_battery_falls_back_by_itself(name: str) -> None:
    with bench(name) as at:
        at.steering().setpoint(-2000, 90)

        at.clock.advance(LEASES_S[name] - 1)
        assert at.twin.power_w == -2000
        at.clock.advance(1)

        assert at.twin.power_w == 0


class Direct:
    """A unit without a link between, for many tries in little time."""

    def __init__(self, twin: VendorBattery) -> None:
        self.twin = twin

    def read(self, address: int, count: int, function_code: int = 3) -> Words:
        del function_code
        return Image.of_blocks("twin", self.twin.spans()).read(address, count)

    def write(self, address: int, words: Words, function_code: int = 16) -> None:
        assert function_code == 16 or len(words) == 1
        if self.twin.write(address, words):
            raise RegistersRefusedError("twin", address, len(words), "refused")


MOMENTS = st.lists(
    st.one_of(
        st.integers(-(10**9), 10**9),
        st.sampled_from([Fault.FORGETS, Fault.REFUSES, Fault.NO_TIMER, None]),
        st.just("release"),
        st.floats(0.5, 200.0),
    ),
    max_size=12,
)


@EVERY
@given(moments=MOMENTS)
@settings(max_examples=25)
def test_whatever_is_asked_and_whatever_fails_it_stays_in_bounds_and_comes_to_rest(
    name: str, moments: list[int | Fault | str | float | None]
) -> None:
    knows = name in ("solaredge_hybrid", "huawei_luna2000")
    low_w, high_w = (-4000, 5000) if knows else (-32_000, 32_000)
    clock = VirtualClock(NOON_S)
    twin = TWINS[name](clock, LIMITS)
    steering = find_profile_steering(Direct(twin), load_profile(name))
    assert steering is not None

    for moment in moments:
        if moment is Fault.NO_TIMER and twin.TIMER is None:
            continue  # no register tells, so nothing could notice
        if isinstance(moment, Fault) or moment is None:
            twin.faults = set() if moment is None else {Fault(moment)}
        elif isinstance(moment, float):
            clock.advance(moment)
        else:
            with suppress(NoRevertTimerError, SetpointNotHeldError, RegistersRefusedError):
                if isinstance(moment, int):
                    steering.setpoint(moment, 90)
                else:
                    steering.release()
        assert low_w <= twin.asked_w() <= high_w

    clock.advance(90)
    assert twin.power_w == 0


@EVERY
def test_a_refresh_renews_it_with_as_few_writes_as_the_make_allows(name: str) -> None:
    few = {"solaredge_hybrid": 1, "huawei_luna2000": 2, "sungrow_sh": 1, "victron_multiplus": 1}
    with bench(name) as at:
        steering = at.steering()
        steering.setpoint(2000, 90)
        at.twin.writes.clear()
        for _ in range(6):
            at.clock.advance(30)
            stored = steering.stored_writes
            applied = steering.setpoint(2000, 90)
            assert applied.before.power_w == 2000
            assert steering.stored_writes == stored

        assert at.twin.power_w == 2000
        assert len(at.twin.writes) == 6 * few[name]


@EVERY
def test_a_power_beyond_what_it_can_do_is_cut_down(name: str) -> None:
    knows = name in ("solaredge_hybrid", "huawei_luna2000")
    with bench(name) as at:
        steering = at.steering()

        applied = (steering.setpoint(200_000, 90).power_w, steering.setpoint(-200_000, 90).power_w)

        control = load_profile(name).control
        assert control is not None
        most_w = control.power_max_w
        assert applied == ((5000, -4000) if knows else (most_w, -most_w))
        assert steering.ratings() == (Ratings(5000, 4000) if knows else Ratings(None, None))
        assert at.twin.power_w == -4000


@EVERY
def test_a_release_ends_it_at_once_and_leaves_every_register_as_it_was(name: str) -> None:
    with bench(name) as at:
        twin = at.twin
        addresses = {"solaredge_hybrid": [0xE004, 0xE00A, 0xE00D], "sungrow_sh": [13049, 13050]}
        before = [twin.get(address) for address in addresses.get(name, [])]
        steering = at.steering()
        steering.setpoint(2000, 90)
        assert twin.power_w == 2000

        steering.release()

        assert twin.power_w == 0
        assert steering.read_back().power_w is None
        assert [twin.get(address) for address in addresses.get(name, [])] == before
        assert steering.prior == {}


def test_a_restart_gives_back_what_the_journal_remembers() -> None:
    with bench("solaredge_hybrid") as at:
        at.twin.put(0xE004, 2)  # the resident used the maker's time of use
        first = at.steering()
        first.setpoint(1000, 90)
        noted = first.prior
        assert noted == {"control_mode": 2}

        again = find_profile_steering(at.unit, load_profile(at.name), noted)
        assert again is not None
        again.release()

        assert at.twin.get(0xE004) == [2]


def test_nothing_is_taken_for_prior_that_we_wrote_ourselves() -> None:
    with bench("solaredge_hybrid") as at:
        steering = at.steering()
        steering.setpoint(1000, 90)
        steering.setpoint(-1000, 90)

        assert steering.prior == {"control_mode": 1}


@EVERY
def test_a_set_point_that_was_not_kept_is_reported(name: str) -> None:
    with bench(name) as at:
        steering = at.steering()
        steering.ratings()
        at.twin.faults.add(Fault.FORGETS)

        with pytest.raises((SetpointNotHeldError, NoRevertTimerError)):
            steering.setpoint(1000, 90)
        assert at.twin.power_w == 0


@pytest.mark.parametrize("name", BY_TIMER)
def test_a_battery_that_does_not_take_the_timer_is_let_go_at_once(name: str) -> None:
    with bench(name) as at:
        at.twin.faults.add(Fault.NO_TIMER)

        with pytest.raises(NoRevertTimerError, match=r"it\s+was released"):
            at.steering().setpoint(1000, 90)
        at.clock.advance(3600)

        assert at.twin.power_w == 0
        assert at.steering().read_back().power_w is None


@EVERY
def test_busy_and_refusing_batteries_are_reported(name: str) -> None:
    with bench(name) as at:
        at.twin.faults.add(Fault.BUSY)
        with pytest.raises(DeviceBusyError):
            at.steering().setpoint(1000, 90)
        at.twin.faults.clear()
        at.twin.faults.add(Fault.REFUSES)
        with pytest.raises(RegistersRefusedError):
            at.steering().setpoint(1000, 90)
        assert at.twin.writes == []


@EVERY
def test_a_reading_never_writes(name: str) -> None:
    with bench(name) as at:
        at.stored()
        at.steering().read_back()
        at.steering().ratings()

        assert at.twin.writes == []


def test_a_scan_by_profile_never_writes(capsys: pytest.CaptureFixture[str]) -> None:
    with bench("sungrow_sh") as at:
        words = [at.unit.link.where, "--unit", "1", "--profile", "sungrow_sh", "--timeout", "20"]

        assert main(["modbus", "scan", *words]) == 0

        values = json.loads(capsys.readouterr().out)["units"]["1"]["values"]
        assert values["battery_soc_percent"] == 50
        assert at.twin.writes == []


def test_a_device_that_drops_a_set_point_early_says_how_often_to_renew_it() -> None:
    wanted = dict.fromkeys(TWINS, 0) | {"victron_multiplus": 5}

    for name, renew_s in wanted.items():
        with bench(name) as at:
            assert at.steering().renew_s == renew_s


def test_the_time_left_is_told_where_the_device_shows_it() -> None:
    with bench("sungrow_sh") as at:
        steering = at.steering()
        steering.setpoint(800, 90)
        at.clock.advance(30)

        assert steering.read_back() == Held(800, 60)
