"""The control part of a profile is read strictly: a battery is no place for a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.profile import load_profile, profile_names, read_profile
from hardware.profile_control import Kind, Lease, Step
from hardware.profile_register import Status
from kwartier.errors import SettingsError

GOOD = """
title = "bench"
status = "guessed"
source = "made up"
requires = "nothing"
units = "1"
sign_of_life = { register = "soc_percent", low = 0, high = 100 }

[registers]
soc_percent = { address = 5, type = "u16" }
most_w = { address = 6, type = "u16" }

[series]
soc_permille = "soc_percent"

[[write]]
name = "seconds"
address = 10
type = "u16"
function_code = 6
wear = "volatile"

[[write]]
name = "power_w"
address = 11
type = "s16"
function_code = 6
wear = "volatile"

[[write]]
name = "mode"
address = 12
type = "u16"
function_code = 6

[control]
status = "guessed"
lease = "timer"
timer_unit_s = 1
falls_back = "self-use"
power_max_w = 5000
charge_max = "most_w"
renew = "mode"

[control.charge]
seconds = "timer"
power_w = "-setpoint"
mode = 1

[control.release]
mode = 0
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "bench.toml"
    path.write_text(text)
    return path


def test_a_control_part_is_read_as_it_stands(tmp_path: Path) -> None:
    control = read_profile(written(tmp_path, GOOD)).control

    assert control is not None
    assert control.lease is Lease.TIMER
    assert control.steps(100) == control.steps(-100) == control.steps(0)
    assert [step.point for step in control.charge] == ["seconds", "power_w", "mode"]
    assert [step.value(700, 90) for step in control.charge] == [90, -700, 1]
    assert control.charge[1].power_w(-700, 1) == 700


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('lease = "timer"', 'lease = "hope"', "control.lease is 'hope'"),
        ("timer_unit_s = 1", "", "control.timer_unit_s is missing"),
        ('falls_back = "self-use"', "", "control.falls_back is missing"),
        ("power_max_w = 5000", "", "control.power_max_w is missing"),
        ('charge_max = "most_w"', 'charge_max = "mots_w"', "'mots_w' is no register"),
        ('renew = "mode"', 'renew = "mood"', "'mood' is not in the list of writes"),
        ('seconds = "timer"', "seconds = 90", 'has one step "timer"'),
        ('power_w = "-setpoint"', "power_w = 3", "one step says the power"),
        ('power_w = "-setpoint"', 'power_w = "kilowatts"', "power_w is 'kilowatts'"),
        ("[control.release]\nmode = 0", "", "with which fixed values it is let go"),
        ("[control.release]\nmode", "[control.release]\nmood", "mood is not in the list of writes"),
        ("renew", "renews", "control.renews is not known"),
        ('lease = "timer"', 'lease = "none"\nwhy_not = "x"', "leave the steps away"),
        ('type = "s16"', 'type = "text"', "write[1].type is 'text'"),
    ],
)
def test_a_mistake_in_a_control_part_is_named_with_its_key(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in GOOD

    with pytest.raises(SettingsError) as caught:
        read_profile(written(tmp_path, GOOD.replace(old, new, 1)))

    assert told in str(caught.value)


@pytest.mark.parametrize("name", profile_names())
def test_a_battery_that_is_steered_says_how_it_falls_back_and_what_it_costs(name: str) -> None:
    profile = load_profile(name)
    control = profile.control
    if control is None:
        return

    assert bool(control.falls_back) == control.steerable
    assert bool(control.why_not) == (not control.steerable)
    assert control.status is not Status.GUESSED or not control.steerable
    for steps in (control.charge, control.discharge, control.idle):
        assert all(step.value(-1, 60) is not None for step in steps)


def test_fixed_values_of_a_step_say_no_power() -> None:
    assert Step("mode", Kind.FIXED, 3).power_w(3, 1) is None
    assert Step("seconds", Kind.TIMER).power_w(90, 1) is None
    assert Step("power_w", Kind.WATTS).power_w(700, -1) == -700
