"""A battery's limits and its way are read strictly: what is wrong is named."""

from __future__ import annotations

import pytest

from gateway.steer.limits import Limits
from gateway.steer.settings import SteeredDevice, read_battery
from kwartier.errors import SettingsError
from kwartier.settings import Table

PLAIN: dict[str, object] = {"host": "192.0.2.11", "charge_max_w": 5000, "discharge_max_w": 4000}


def read(**more: object) -> SteeredDevice:
    return read_battery(Table({**PLAIN, **more}, "battery[0]."))


def test_a_battery_is_on_three_phases_behind_the_first_meter_and_speaks_sunspec() -> None:
    battery = read()

    assert battery.limits == Limits(5000, 4000, full_power_s=300)
    assert (battery.profile, battery.meter) == (None, None)


def test_the_fuse_of_its_phase_is_read() -> None:
    battery = read(fuse_a=25, phases=1, phase="l2", meter="p1-shed")

    assert battery.limits == Limits(5000, 4000, fuse_a=25, phases=1, phase="l2", full_power_s=300)
    assert battery.meter == "p1-shed"


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("phases", 2, "phases is 2"),
        ("phase", "l4", "phase is 'l4'"),
        ("fuse_a", 0, "fuse_a is '0'"),
        ("profile", "no-such", "profile"),
        ("profile", "eastron_sdm630", "tells no way to steer it"),
        ("soc_min_permille", 950, "soc_min_permille is not below"),
        ("fuse", 25, "battery"),
    ],
)
def test_a_wrong_key_is_named(key: str, value: object, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        read(**{key: value})


def test_a_battery_that_would_stay_where_it_was_put_is_refused_with_the_reason() -> None:
    with pytest.raises(SettingsError, match=r"profile: marstek_venus_e is not steered: \S+"):
        read(profile="marstek_venus_e")


def test_a_plan_takes_five_minutes_for_the_whole_power_unless_the_installer_says_otherwise() -> (
    None
):
    assert read().limits.full_power_s == 300
    assert read(full_power_s=0).limits.full_power_s == 0
    with pytest.raises(SettingsError, match="full_power_s is '-1'"):
        read(full_power_s=-1)


def test_a_silent_meter_ends_a_plan_unless_the_installer_says_otherwise() -> None:
    assert read().stop_without_meter
    assert not read(stop_without_meter=False).stop_without_meter
