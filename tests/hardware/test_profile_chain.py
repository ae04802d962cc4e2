"""A profile finds values by their place in a SunSpec device, whatever stands around them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from hardware.profile import load_profile, read_profile
from hardware.profile_reader import ProfileReader, profiles_that_fit
from hardware.recording import read_recording
from hardware.registers import Image, words_of
from hardware.twins.sunspec_image import device_words, model_words
from kwartier.errors import SettingsError

RECORDED = {
    "solaredge_se10k_rws_a": "solaredge_inverter",
    "solaredge_se10k_rws_b": "solaredge_inverter",
    "solaredge_meter_12708": "solaredge_meter",
    "solaredge_meter_15445_a": "solaredge_meter",
    "solaredge_meter_15445_b": "solaredge_meter",
    "fronius_symo_82_float": "fronius_inverter",
    "kostal_unit71_partial": "kostal_inverter",
}

INVERTER = {
    "A_SF": -1,
    "W": 5520,
    "W_SF": 0,
    "WH": 33_319_778,
    "WH_SF": 0,
    "DCW": 5604,
    "DCW_SF": 0,
}
METER = {"W": -1737, "W_SF": 0, "TotWhExp": 16_414_867, "TotWhImp": 24_334_166, "TotWh_SF": 0}


def device(*parts: list[int]) -> Image:
    return Image.of_blocks("bench", [(40000, device_words(parts))])


def common(serial: str) -> list[int]:
    return model_words(1, {"Mn": "bench", "Md": "bench", "SN": serial})


def inputs(powers_w: list[int]) -> list[int]:
    """Return model 160 with one input for each power: 8 registers, then 20 for each input."""
    words = [160, 8 + 20 * len(powers_w)]
    words += [0, 0, 0, 0]  # scales of A, V, W and Wh
    words += [0, 0, len(powers_w), 0]  # events (two), how many, timer
    for number, power_w in enumerate(powers_w):
        words += [number + 1, *[0] * 8, 0, 0, power_w, *[0] * 8]
    return words


def values(name: str, image: Image) -> Mapping[str, object]:
    return ProfileReader(load_profile(name), image).read()


@pytest.mark.parametrize(("dump", "name"), sorted(RECORDED.items()))
def test_a_recorded_sunspec_device_says_what_its_recording_expects(
    shared_data: Path, dump: str, name: str
) -> None:
    path = shared_data / "modbus" / "dumps" / f"{dump}.json"
    expected = json.loads(path.read_text())["expected_sunspec"]
    (source,) = read_recording(path).values()

    shown = values(name, source)

    profile = load_profile(name)
    checked = 0
    for point in profile.points.values():
        told = [expected[str(model)] for model in point.models if str(model) in expected]
        wanted = told[0].get(point.point) if told else None
        if wanted is not None:
            checked += 1
            shown_value = shown[point.name]
            got = shown_value if isinstance(shown_value, str) else float(str(shown_value))
            assert got == pytest.approx(wanted), point.name
    assert checked >= 6


def test_the_meter_behind_an_inverter_is_found_behind_the_second_common_model() -> None:
    whole = device(
        common("7E1A0001"), model_words(103, INVERTER), common("7E1A0002"), model_words(203, METER)
    )

    meter, inverter = values("solaredge_meter", whole), values("solaredge_inverter", whole)

    assert (meter["serial"], meter["power_w"]) == ("7E1A0002", -1737)
    assert (inverter["serial"], inverter["power_w"]) == ("7E1A0001", 5520)
    assert load_profile("solaredge_meter").grid_w(dict(load_values(whole))) == 1737


def load_values(image: Image) -> dict[str, int]:
    return {
        name: value
        for name, value in values("solaredge_meter", image).items()
        if isinstance(value, int)
    }


def test_a_profile_without_registers_of_its_own_fits_no_device_by_its_values() -> None:
    assert "solaredge_meter" not in profiles_that_fit(device(common("1")))


def test_an_inverter_without_a_meter_has_no_meter() -> None:
    alone = device(common("1"), model_words(103, INVERTER))

    assert set(values("solaredge_meter", alone).values()) == {None}


def test_models_that_moved_are_looked_up_again() -> None:
    source = _Two(device(common("1"), model_words(103, INVERTER)), device(common("1")))
    reader = ProfileReader(load_profile("fronius_inverter"), source)
    seen = []

    for moved in (False, True, False, False):
        source.moved = moved
        seen.append(reader.read()["power_w"])

    assert seen == [5520, None, 5520, 5520]


class _Two:
    """A device that serves one image and then another."""

    def __init__(self, first: Image, second: Image) -> None:
        self.moved = False
        self._images = (first, second)

    def read(self, address: int, count: int, function_code: int = 3) -> list[int]:
        return list(self._images[self.moved].read(address, count, function_code))


def test_a_hybrid_of_four_inputs_tells_panels_and_battery_apart() -> None:
    gen24 = device(
        common("34"),
        model_words(103, INVERTER),
        inputs([2100, 900, 1500, 0]),
        model_words(124, {"WChaMax": 5000, "WChaMax_SF": 0, "ChaState": 4200, "ChaState_SF": -2}),
    )
    profile = load_profile("fronius_gen24")

    stored = profile.stored(ProfileReader(profile, gen24).read())

    assert stored == {"solar_w": 3000, "battery_w": 1500, "soc_permille": 420}


def test_a_discharging_kostal_battery_is_below_zero() -> None:
    hybrid = device(
        common("71"),
        model_words(103, INVERTER),
        inputs([1000, 500, 0]),
        model_words(802, {"W": 800, "W_SF": 0, "SoC": 55, "SoC_SF": 0}),
    )
    profile = load_profile("kostal_hybrid")

    stored = profile.stored(ProfileReader(profile, hybrid).read())

    assert stored == {"solar_w": 1500, "battery_w": -800, "soc_permille": 550}


def test_a_solaredge_battery_that_charges_takes_from_the_panels_before_the_inverter() -> None:
    words = dict(enumerate(device_words([common("7E"), model_words(103, INVERTER)]), start=40000))
    words |= dict.fromkeys(range(0xE144, 0xE186), 0)
    words |= {0xE174: 0x8000, 0xE175: 0x44BB}  # 1500.0, lower half first
    words |= {0xE184: 0x0000, 0xE185: 0x4248}  # 50.0
    words |= dict(enumerate(words_of(123_456, 4)[::-1], start=0xE17A))
    profile = load_profile("solaredge_hybrid")

    stored = profile.stored(ProfileReader(profile, Image("bench", words)).read())

    assert stored == {
        "solar_w": 5604 + 1500,
        "battery_w": 1500,
        "soc_permille": 500,
        "charged_wh": 123_456,
        "discharged_wh": 0,
    }


def test_a_fronius_meter_counts_import_as_positive() -> None:
    meter = device(common("24"), model_words(203, {**METER, "W": 640}))
    profile = load_profile("fronius_meter")

    stored = profile.stored(ProfileReader(profile, meter).read())

    assert (stored["import_w"], stored["export_w"]) == (640, 0)


GOOD = """
title = "bench"
status = "guessed"
source = "made up"
requires = "nothing"
units = "1"

[points]
power_w = { model = "103 113", point = "W" }

[series]
solar_w = "power_w"
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"103 113"', '"inverter"', "points.power_w.model is 'inverter'"),
        ('point = "W"', 'point = "W", place = 0', "points.power_w.place"),
        ('point = "W"', 'point = "W", adress = 3', "points.power_w.adress is not known"),
        ('[points]\npower_w = { model = "103 113", point = "W" }', "", "'power_w' is no register"),
    ],
)
def test_a_mistake_in_a_point_is_named_with_its_key(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(GOOD.replace(old, new, 1))

    with pytest.raises(SettingsError) as caught:
        read_profile(path)

    assert told in str(caught.value)
