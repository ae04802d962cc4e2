"""Every profile renders, and the recorded ones give the values their recordings expect."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from hardware.profile import Profile, Status, load_profile, profile_names, read_profile
from hardware.profile_reader import ProfileReader
from hardware.profile_register import Register
from hardware.recording import read_recording
from hardware.registers import HOLDING, MOST_PER_READ, Image, RegistersRefusedError, Words
from kwartier.errors import InputError, SettingsError

UNITS = {
    "": "",
    "W": "_w",
    "V": "_v",
    "A": "_a",
    "Hz": "_hz",
    "C": "_c",
    "kWh": "_kwh",
    "%": "_percent",
    "h": "_h",
    "var": "_var",
    "MOhm": "_mohm",
}
"""How the unit of an expected value ends the name of ours."""

DUMPS = {
    "goodwe_gw10k_et": "goodwe_et",
    "goodwe_gw25k_et": "goodwe_et",
    "goodwe_gw6000_eh": "goodwe_et",
    "goodwe_gw10k_ms_30": "goodwe_dt",
    "goodwe_gw10k_ms_30_tcp": "goodwe_dt",
    "goodwe_gw17k_dt": "goodwe_dt",
    "goodwe_gw20kau_dt": "goodwe_dt",
    "goodwe_gw5000_ms": "goodwe_dt",
    "goodwe_gw5000d_ns": "goodwe_dt",
    "goodwe_gw8k_dt": "goodwe_dt",
    "huawei_sun2000_a": "huawei_sun2000",
    "huawei_sun2000_b": "huawei_sun2000",
}


class Counted:
    """An image that counts what is asked of it."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.asked: list[tuple[int, int]] = []

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        self.asked.append((address, count))
        return self.image.read(address, count, function_code)


SUNSPEC = ("solaredge_inverter", "solaredge_meter", "fronius_inverter", "kostal_inverter")
"""Profiles whose recordings are judged model by model, in ``test_profile_chain.py``."""

BY_REGISTER = [name for name in profile_names() if load_profile(name).registers]


def full(profile: Profile) -> Image:
    """Return an image that holds a one in each register of a profile."""
    words = {
        register.address + place: 1
        for register in profile.registers.values()
        for place in range(register.size)
    }
    return Image(profile.name, words)


@pytest.mark.parametrize("name", BY_REGISTER)
def test_a_profile_renders_every_value_from_its_own_registers(name: str) -> None:
    profile = load_profile(name)
    turned = {direction.register for direction in profile.directions}

    values = ProfileReader(profile, full(profile)).read()

    assert [key for key in values if key not in profile.points] == list(profile.registers)
    assert all(values[key] is not None for key in profile.registers if key not in turned)


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_says_what_people_must_know(name: str) -> None:
    profile = load_profile(name)
    values = dict.fromkeys((*profile.registers, *profile.points), 1)

    assert profile.title
    assert profile.source
    assert profile.requires
    assert all(0 <= unit <= 255 for unit in profile.units)
    assert set(profile.stored(values)) == {rule.series for rule in profile.series}


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_is_read_in_blocks_that_a_request_can_carry(name: str) -> None:
    profile = load_profile(name)

    for block in profile.blocks():
        end = max(register.address + register.size for register in block)
        assert end - block[0].address <= MOST_PER_READ
        assert len({register.function_code for register in block}) == 1


@pytest.mark.parametrize("name", profile_names())
def test_two_registers_of_a_profile_overlap_only_where_they_are_the_same(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}

    for register in load_profile(name).registers.values():
        for place in range(register.size):
            key = (register.function_code, register.address + place)
            assert taken.setdefault(key, register.name) == register.name


@pytest.mark.parametrize(("dump", "name"), sorted(DUMPS.items()))
def test_a_recorded_device_says_what_its_recording_expects(
    shared_data: Path, dump: str, name: str
) -> None:
    path = shared_data / "modbus" / "dumps" / f"{dump}.json"
    expected = {
        quantity + UNITS[entry["unit"]]: entry["value"]
        for quantity, entry in json.loads(path.read_text())["expected"].items()
    }
    (source,) = read_recording(path).values()

    values = ProfileReader(load_profile(name), source).read()

    shown = {
        key: value if isinstance(value, str) else float(value or 0)
        for key, value in values.items()
        if value is not None
    }
    assert {key: shown.get(key) for key in expected} == expected


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_that_says_recorded_has_a_recording(name: str) -> None:
    recorded = load_profile(name).status is Status.RECORDED

    assert recorded == (name in DUMPS.values() or name in SUNSPEC)


def test_a_phase_that_is_not_there_is_missing_and_not_zero(shared_data: Path) -> None:
    (source,) = read_recording(shared_data / "modbus/dumps/goodwe_gw5000_ms.json").values()

    values = ProfileReader(load_profile("goodwe_dt"), source).read()

    assert values["grid_l2_voltage_v"] is None


def test_a_hybrid_is_stored_with_our_signs_and_units(shared_data: Path) -> None:
    (source,) = read_recording(shared_data / "modbus/dumps/goodwe_gw10k_et.json").values()
    profile = load_profile("goodwe_et")

    stored = profile.stored(ProfileReader(profile, source).read())

    assert stored == {
        "solar_w": 1695 + 1761,
        "produced_wh": 6_085_300,
        "battery_w": 2512,  # the device counts discharging as positive, and it was charging
        "soc_permille": 680,
        "charged_wh": 2_758_100,
        "discharged_wh": 2_442_100,
    }


def test_what_a_device_refused_is_not_asked_for_again(shared_data: Path) -> None:
    (image,) = read_recording(shared_data / "modbus/dumps/goodwe_gw6000_eh.json").values()
    source = Counted(image)
    reader = ProfileReader(load_profile("goodwe_et"), source)
    first = reader.read()
    source.asked.clear()

    second = reader.read()

    assert second == first
    assert second["battery_soc_percent"] is None
    assert source.asked == [(35001, 15), (35103, 108)]


def test_a_device_that_has_holes_is_read_around_them() -> None:
    profile = load_profile("goodwe_dt")
    temperature = profile.registers["temperature_c"]
    words = {address: 5000 for address in range(30100, 30173) if address != temperature.address}

    values = ProfileReader(profile, Image("holes", words)).read()

    assert values["temperature_c"] is None
    assert values["pv_energy_day_kwh"] == 500
    assert values["work_mode"] == 5000


def test_a_low_word_first_number_is_put_right() -> None:
    register = Register("power_w", 0, "s32", 2, Decimal("0.1"), frozenset(), 4, True)

    assert register.value([0xFFF6, 0xFFFF]) == -1


def test_an_unknown_profile_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(InputError, match="goodwe_et"):
        load_profile("nobody")


def test_an_image_refuses_registers_that_were_not_recorded() -> None:
    with pytest.raises(RegistersRefusedError, match="10 to 12"):
        Image("bench", {10: 1, 11: 2}).read(10, 3)


GOOD = """
title = "bench"
status = "guessed"
source = "made up"
requires = "nothing"
units = "1"
sign_of_life = { register = "power_w", low = 0, high = 10 }

[registers]
power_w = { address = 5, type = "u16" }

[series]
solar_w = "power_w"
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"guessed"', '"certain"', "status is 'certain'"),
        ('"1"', '"300"', "units is '300'"),
        ('type = "u16"', 'type = "u17"', "registers.power_w.type is 'u17'"),
        ("address = 5", "address = 70000", "registers.power_w.address"),
        ("address = 5", 'address = 5, scale = "ten"', "registers.power_w.scale is 'ten'"),
        ("address = 5", 'address = 5, missing = "FFFF!"', "registers.power_w.missing is 'FFFF!'"),
        ("address = 5", "address = 5, adres = 6", "registers.power_w.adres is not known"),
        ('solar_w = "power_w"', 'sun_w = "power_w"', "series.sun_w is no stored series"),
        ('solar_w = "power_w"', 'solar_w = "powr_w"', "'powr_w' is no register"),
        ('register = "power_w"', 'register = "powr_w"', "'powr_w' is no register"),
        ("[series]", '[read]\nword_order = "middle"\n[series]', "read.word_order is 'middle'"),
    ],
)
def test_a_mistake_in_a_profile_is_named_with_its_key(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(GOOD)
    assert read_profile(path).registers["power_w"].address == 5
    path.write_text(GOOD.replace(old, new, 1))

    with pytest.raises(SettingsError) as caught:
        read_profile(path)

    assert told in str(caught.value)
    assert str(path) in str(caught.value)
