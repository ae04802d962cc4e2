"""Every profile reads what a device of its own addresses, types and signs would send."""

from __future__ import annotations

import struct
from decimal import Decimal

import pytest

from hardware.profile import Profile, load_profile, profile_names
from hardware.profile_reader import ProfileReader
from hardware.profile_register import Register
from hardware.registers import MOST_PER_READ, Number, RegistersRefusedError, Words

BY_REGISTER = [name for name in profile_names() if load_profile(name).registers]

SIGNS = {
    ("carlo_gavazzi_em24", "grid_w"): "power_w",
    ("deye_three_phase", "grid_w"): "grid_power_w",
    ("eastron_sdm630", "grid_w"): "power_w",
    ("goodwe_et", "battery_w"): "-battery_power_w",
    ("goodwe_et", "grid_w"): "-meter_power_w",
    ("growatt_sph", "battery_w"): "battery_charge_power_w -battery_discharge_power_w",
    ("growatt_sph", "grid_w"): "import_power_w -export_power_w",
    ("growatt_tl_xh", "battery_w"): "battery_charge_power_w -battery_discharge_power_w",
    ("growatt_tl_xh", "grid_w"): "import_power_w -export_power_w",
    ("huawei_luna2000", "battery_w"): "battery_power_w",
    ("huawei_luna2000", "grid_w"): "-meter_power_w",
    ("marstek_venus_e", "battery_w"): "-battery_power_w",
    ("sma_hybrid", "battery_w"): "battery_charge_power_w -battery_discharge_power_w",
    ("sma_hybrid", "grid_w"): "import_power_w -export_power_w",
    ("solaredge_hybrid", "battery_w"): "battery_power_w",
    ("solis_hybrid", "grid_w"): "-meter_power_w",
    ("sungrow_sg", "grid_w"): "-meter_power_w",
    ("sungrow_sh", "grid_w"): "-export_power_w",
    ("victron_gx", "battery_w"): "battery_power_w",
    ("victron_gx", "grid_w"): "grid_l1_power_w grid_l2_power_w grid_l3_power_w",
    ("victron_multiplus", "battery_w"): "input_l1_power_w input_l2_power_w input_l3_power_w "
    "-output_l1_power_w -output_l2_power_w -output_l3_power_w",
}
"""Which registers charge the battery or take from the grid when they are above zero, and which
(with a minus) do the opposite; from the makers' lists, not from the profiles."""


class Table:
    """A device whose holding and input registers are two tables; it cannot be written at all."""

    def __init__(self) -> None:
        self.words: dict[tuple[int, int], int] = {}
        self.asked: list[tuple[int, int]] = []

    def read(self, address: int, count: int, function_code: int = 3) -> Words:
        assert 1 <= count <= MOST_PER_READ
        self.asked.append((address, count))
        return [
            self.words.get((function_code, place), 0) for place in range(address, address + count)
        ]

    def put(self, register: Register, words: list[int]) -> None:
        for place, word in enumerate(words):
            self.words[register.function_code, register.address + place] = word


def sent(register: Register, raw: int) -> list[int]:
    """Return a raw number as a device of this type and word order sends it."""
    form = {"u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q"}
    if register.type in form:
        content = struct.pack(f">{form[register.type]}", raw)
    else:
        content = struct.pack({"f32": ">f", "f64": ">d"}[register.type], raw)
    words = [int.from_bytes(content[at : at + 2], "big") for at in range(0, len(content), 2)]
    return words[::-1] if register.low_word_first else words


def numbers(profile: Profile) -> list[Register]:
    """Return the registers that hold a number with no state to look at beside it."""
    turned = {direction.register for direction in profile.directions}
    found = profile.registers.values()
    return [found for found in found if found.type != "text" and found.name not in turned]


def read(profile: Profile, table: Table) -> dict[str, Number | str | None]:
    return ProfileReader(profile, table).read()


@pytest.mark.parametrize("name", BY_REGISTER)
def test_a_number_comes_back_as_the_device_meant_it(name: str) -> None:
    profile, table = load_profile(name), Table()
    raws = {register.name: 3 + 7 * at for at, register in enumerate(numbers(profile))}
    for register in numbers(profile):
        table.put(register, sent(register, raws[register.name]))

    values = read(profile, table)

    for register in numbers(profile):
        assert values[register.name] == raws[register.name] * register.scale, register.name


@pytest.mark.parametrize("name", BY_REGISTER)
def test_a_number_below_zero_keeps_its_sign(name: str) -> None:
    profile, table = load_profile(name), Table()
    signed = [register for register in numbers(profile) if register.type[0] in "sf"]
    for register in signed:
        table.put(register, sent(register, -5))

    values = read(profile, table)

    assert {r.name: values[r.name] for r in signed} == {r.name: -5 * r.scale for r in signed}


@pytest.mark.parametrize("name", BY_REGISTER)
def test_a_code_for_not_there_is_missing_and_never_a_number(name: str) -> None:
    profile = load_profile(name)

    for register in numbers(profile):
        for code in register.missing:
            table = Table()
            words = [code >> 16 * at & 0xFFFF for at in range(register.size)][::-1]
            table.put(register, words[::-1] if register.low_word_first else words)
            assert read(profile, table)[register.name] is None, (register.name, hex(code))


@pytest.mark.parametrize("name", BY_REGISTER)
def test_a_float_that_is_no_number_is_missing(name: str) -> None:
    profile, table = load_profile(name), Table()
    floats = [register for register in numbers(profile) if register.type.startswith("f")]
    for register in floats:
        nan = [0x7FF8] + [0] * (register.size - 1)
        table.put(register, nan[::-1] if register.low_word_first else nan)

    values = read(profile, table)

    assert [values[register.name] for register in floats] == [None] * len(floats)


@pytest.mark.parametrize("name", BY_REGISTER)
def test_every_request_of_a_reading_can_be_carried(name: str) -> None:
    profile, table = load_profile(name), Table()

    read(profile, table)

    assert all(count <= MOST_PER_READ for _, count in table.asked)
    registers = sum(register.size for register in profile.registers.values())
    assert sum(count for _, count in table.asked) >= registers


@pytest.mark.parametrize(
    ("name", "series", "registers"), [(*key, written) for key, written in SIGNS.items()]
)
def test_charging_and_taking_from_the_grid_are_positive(
    name: str, series: str, registers: str
) -> None:
    profile = load_profile(name)

    for written in registers.split():
        table = Table()
        register = profile.registers[written.lstrip("-")]
        table.put(register, sent(register, 400))
        values = read(profile, table)
        values.update(dict.fromkeys(profile.points, 0))
        found = profile.grid_w(values) if series == "grid_w" else profile.stored(values)[series]
        wanted = -400 if written.startswith("-") else 400
        assert found == wanted * register.scale, written


def test_no_profile_has_a_sign_that_nobody_wrote_down() -> None:
    told = {
        (name, series)
        for name in BY_REGISTER
        for series in ("battery_w", "grid_w")
        if any(
            rule.series == series
            for rule in (*load_profile(name).series, load_profile(name).grid)
            if rule
        )
    }

    assert told - set(SIGNS) == {("sungrow_sh", "battery_w")}  # its state tells: see below


@pytest.mark.parametrize(
    ("state", "raw", "battery_w"),
    [
        (0b010, 1500, 1500),
        (0b100, 1500, -1500),
        (0b101, -1500, -1500),
        (0b011, -1500, 1500),
        (0b000, 1500, None),
        (0b110, 1500, None),
        (0b000, 0, 0),
    ],
)
def test_a_power_without_a_sign_gets_it_from_the_state(
    state: int, raw: int, battery_w: int | None
) -> None:
    profile, table = load_profile("sungrow_sh"), Table()
    table.put(profile.registers["running_state"], [state])
    table.put(profile.registers["battery_power_w"], [raw % 65536])

    stored = profile.stored(read(profile, table))

    assert stored.get("battery_w") == battery_w


def test_a_meter_counts_what_it_takes_and_gives_apart() -> None:
    profile, table = load_profile("eastron_sdm630"), Table()
    power = profile.registers["power_w"]
    table.put(power, sent(power, -750))

    stored = profile.stored(read(profile, table))

    assert (stored["import_w"], stored["export_w"]) == (0, 750)


@pytest.mark.parametrize("name", profile_names())
def test_no_two_writable_registers_overlap(name: str) -> None:
    taken: dict[int, str] = {}

    for point in load_profile(name).writes:
        for place in range(point.address, point.address + point.size):
            assert taken.setdefault(place, point.name) == point.name


@pytest.mark.parametrize("name", profile_names())
def test_what_is_told_comes_back_the_same(name: str) -> None:
    for point in load_profile(name).writes:
        for value in (0, 1, 3600):
            assert point.value(point.words(value)) == value * (point.scale / point.scale), (
                point.name
            )


def test_a_value_that_does_not_fit_its_register_is_refused() -> None:
    points = {point.name: point for point in load_profile("sungrow_sh").writes}
    setpoint = next(point for point in load_profile("victron_multiplus").writes)

    for point, value in ((points["ems_power_w"], -1), (points["ems_power_w"], 70_000)):
        with pytest.raises(OverflowError):
            point.words(value)
    with pytest.raises(OverflowError):
        setpoint.words(40_000)
    assert setpoint.words(-2) == [0xFFFE]


def test_a_device_that_refuses_everything_says_nothing() -> None:
    class Mute:
        def read(self, address: int, count: int, function_code: int = 3) -> Words:
            raise RegistersRefusedError("mute", address, count, str(function_code))

    for name in profile_names():
        values = ProfileReader(load_profile(name), Mute()).read()
        assert set(values.values()) == {None}, name
        assert load_profile(name).stored(values) == {}
        assert load_profile(name).grid_w(values) is None


def test_scales_are_exact() -> None:
    assert load_profile("victron_multiplus").registers["input_l1_power_w"].scale == Decimal(10)
    assert load_profile("carlo_gavazzi_em24").registers["power_w"].scale == Decimal("0.1")
