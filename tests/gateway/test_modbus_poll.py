"""What a Modbus device says becomes a reading in the house's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.modbus.poll import NotSunSpecError, ProfilePoll, Role, SunSpecPoll
from hardware.profile import load_profile
from hardware.recording import read_recording
from hardware.registers import HOLDING, Image, Words, words_of, words_of_text
from hardware.twins.battery import BatteryTwin, Fault
from hardware.twins.cell import CellLimits
from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import VirtualDevice
from hardware.twins.sunspec_image import END, MARKER, device_words, model_words
from kwartier.clock import VirtualClock
from kwartier.reading import ClockSource, Reading

NOON_S = 1_782_900_000.0
LIMITS = CellLimits(capacity_wh=10_000, charge_max_w=5_000, discharge_max_w=4_000)


class Direct:
    """Reads a virtual device without a wire."""

    def __init__(self, device: VirtualDevice) -> None:
        self.device = device
        self.asked = 0

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        self.asked += 1
        return Image.of_blocks("twin", self.device.spans()).read(address, count, function_code)


def polled(parts: list[list[int]], role: Role) -> dict[str, int]:
    image = Image.of_blocks("device", [(40000, device_words(parts))])
    return dict(SunSpecPoll(image, "device", role, VirtualClock(NOON_S)).read().values)


def test_an_inverter_says_its_power_and_its_counter() -> None:
    inverter = InverterTwin(8_200)
    inverter.show(5_520, 33_319_778)
    poll = SunSpecPoll(Direct(inverter), "roof", Role.SOLAR, VirtualClock(NOON_S + 0.9))

    assert poll.read() == Reading(
        "roof",
        "twin-inverter",
        int(NOON_S),
        {"solar_w": 5_520, "produced_wh": 33_319_778},
        ClockSource.GATEWAY,
    )


def test_a_recorded_inverter_is_read_in_whole_watts(shared_data: Path) -> None:
    path = shared_data / "modbus" / "dumps" / "fronius_symo_82_float.json"
    (image,) = read_recording(path).values()

    values = SunSpecPoll(image, "roof", Role.SOLAR, VirtualClock(NOON_S)).read().values

    assert values == {"solar_w": 177, "produced_wh": 26_320_000}


def test_a_battery_says_all_it_knows_with_our_signs() -> None:
    clock = VirtualClock(NOON_S)
    twin = BatteryTwin(clock, LIMITS, soc_permille=500)
    source = Direct(twin)
    poll = SunSpecPoll(source, "battery", Role.BATTERY, clock)
    poll.read()
    control = poll.chain.first(704)
    assert control is not None
    twin.write(control.address + 22, [1, 1, *words_of(-1800, 2), 0, 0, 0, 0, 0, 0, 900])
    clock.advance(600)

    values = poll.read().values

    assert values == {
        "battery_w": 1800,
        "charged_wh": 300,
        "discharged_wh": 0,
        "soc_permille": 528,  # 5000 Wh and 96 % of 300 Wh
        "setpoint_w": 1800,
        "revert_s": 300,
    }


def test_what_a_battery_does_not_measure_is_absent() -> None:
    clock = VirtualClock(NOON_S)
    twin = BatteryTwin(clock, LIMITS)
    twin.faults.add(Fault.BLIND)

    assert SunSpecPoll(Direct(twin), "battery", Role.BATTERY, clock).read().values == {}


def test_a_reading_of_a_known_inverter_is_one_request() -> None:
    source = Direct(InverterTwin(8_200))
    poll = SunSpecPoll(source, "roof", Role.SOLAR, VirtualClock(NOON_S))
    poll.read()
    source.asked = 0

    poll.read()

    assert source.asked == 1


def test_a_hybrid_counts_its_panels_and_not_its_battery() -> None:
    strings = [("MPPT 1", 2000), ("MPPT 2", 1500), ("StCha 3", 800)]
    mppt = [
        *model_words(160, {"DCW_SF": 0, "DCWH_SF": 0, "N": 3}),
        *(
            word
            for number, (name, power_w) in enumerate(strings)
            for word in [
                number,
                *words_of_text(name, 8),
                *[10, 400, power_w],
                *words_of(1000 * (number + 1), 2),
                *[0, 0, 25, 4, 0, 0],
            ]
        ),
    ]
    mppt[1] = len(mppt) - 2
    parts = [
        model_words(103, {"W": 3300, "W_SF": 0, "WH": 99, "WH_SF": 0}),
        model_words(124, {"ChaState": 42, "ChaState_SF": 0}),
        mppt,
    ]

    assert polled(parts, Role.SOLAR) == {"solar_w": 3500, "produced_wh": 3000}
    assert polled(parts, Role.BATTERY) == {"soc_permille": 420}


def test_a_hybrid_without_its_strings_says_nothing_about_the_sun() -> None:
    parts = [
        model_words(103, {"W": 3300, "W_SF": 0}),
        model_words(124, {"ChaState": 42, "ChaState_SF": 0}),
    ]

    assert polled(parts, Role.SOLAR) == {}


def test_a_device_that_does_not_speak_sunspec_is_tried_again_later() -> None:
    poll = SunSpecPoll(Image("night", {}), "roof", Role.SOLAR, VirtualClock(NOON_S))

    with pytest.raises(NotSunSpecError, match="roof"):
        poll.read()


def test_models_that_moved_are_found_again() -> None:
    class Updated:
        words = device_words([model_words(103, {"W": 100, "W_SF": 0})])

        def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
            return Image.of_blocks("device", [(40000, self.words)]).read(
                address, count, function_code
            )

    source = Updated()
    poll = SunSpecPoll(source, "roof", Role.SOLAR, VirtualClock(NOON_S))
    poll.read()
    vendor = [64_999, 2, 0, 0]
    source.words = [*MARKER, *vendor, *model_words(103, {"W": 200, "W_SF": 0}), *END]

    with pytest.raises(NotSunSpecError, match="moved"):
        poll.read()

    assert poll.read().values == {"solar_w": 200}


def test_a_profiled_device_is_read_in_the_same_words(shared_data: Path) -> None:
    path = shared_data / "modbus" / "dumps" / "goodwe_gw17k_dt.json"
    (image,) = read_recording(path).values()

    reading = ProfilePoll(image, "roof", load_profile("goodwe_dt"), VirtualClock(NOON_S)).read()

    assert reading.meter == "5017KDTT00BW0000"
    assert reading.values == {"solar_w": 12_470, "produced_wh": 29_984_400}
