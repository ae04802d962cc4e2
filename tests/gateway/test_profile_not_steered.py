"""Devices that are not steered by their profile, and what is said instead."""

from __future__ import annotations

import pytest

from gateway.steer.profile_steering import find_profile_steering
from gateway.steer.steering import Held, NoRevertTimerError
from hardware.profile import load_profile, profile_names
from hardware.profile_control import Lease
from tests.gateway.vendor_bench import bench


def test_a_device_that_is_not_set_up_is_not_steered_and_the_message_says_what_to_do() -> None:
    with bench("solaredge_hybrid") as at:
        at.twin.put(0xE00A, 0)

        with pytest.raises(NoRevertTimerError, match=r"default_mode is 0 and must be 7.*set it"):
            at.steering().setpoint(1000, 90)
        assert at.twin.writes == []


def test_a_device_without_the_registers_is_not_steered() -> None:
    with bench("sungrow_sh") as at:
        steering = find_profile_steering(at.unit, load_profile("solaredge_hybrid"))
        assert steering is not None

        with pytest.raises(NoRevertTimerError, match="does not serve"):
            steering.setpoint(1000, 90)
        assert at.twin.writes == []


NOT_STEERED = [
    name
    for name in profile_names()
    if (control := load_profile(name).control) is not None and control.lease is Lease.NONE
]


@pytest.mark.parametrize("name", NOT_STEERED)
def test_a_make_that_would_stay_where_it_was_put_is_never_written(name: str) -> None:
    with bench("sungrow_sh") as at:
        steering = find_profile_steering(at.unit, load_profile(name))
        assert steering is not None

        with pytest.raises(NoRevertTimerError, match="is not steered: "):
            steering.setpoint(1000, 90)
        steering.release()

        assert steering.read_back() == Held(None, None)
        assert at.twin.writes == []


def test_profiles_of_things_that_are_no_battery_have_no_steering() -> None:
    with bench("sungrow_sh") as at:
        assert find_profile_steering(at.unit, load_profile("eastron_sdm630")) is None
