"""SunSpec images are decoded as recorded, whole or cut, with every code for nothing as nothing."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from hardware.recording import read_recording
from hardware.registers import Image, Number
from hardware.sunspec import (
    Chain,
    Model,
    Place,
    decode,
    every_point,
    find_chain,
    raw_value,
    read_model,
)
from hardware.sunspec_models import models
from hardware.twins.sunspec_image import END, MARKER, device_words, model_words

DUMPS = (
    "fronius_symo_82_float",
    "kostal_unit71_partial",
    "solaredge_meter_12708",
    "solaredge_meter_15445_a",
    "solaredge_meter_15445_b",
    "solaredge_se10k_rws_a",
    "solaredge_se10k_rws_b",
    "sunspec_ieee1547_test_device",
)


def read_all(source: Image) -> list[Model]:
    chain = find_chain(source)
    assert chain is not None
    return [read_model(source, place) for place in chain.places]


def image(words: list[int], base: int = 40000) -> Image:
    return Image.of_blocks("test", [(base, words)])


def only_image(path: Path) -> Image:
    (found,) = read_recording(path).values()
    return found


def as_float(value: Number | str | None) -> float | str | None:
    return value if value is None or isinstance(value, str) else float(value)


@pytest.mark.parametrize("name", DUMPS)
def test_a_recorded_device_says_what_its_recording_expects(shared_data: Path, name: str) -> None:
    path = shared_data / "modbus" / "dumps" / f"{name}.json"
    expected = json.loads(path.read_text())["expected_sunspec"]

    found = {
        str(model.place.id): dict(every_point(model.points)) for model in read_all(only_image(path))
    }

    for model, points in expected.items():
        shown = {point: as_float(found[model][point]) for point in points}
        assert shown == points


@pytest.mark.parametrize("base", [40000, 0, 50000])
def test_a_device_is_found_at_each_base_address(base: int) -> None:
    chain = find_chain(image(device_words([model_words(1, {"Mn": "maker"})]), base))

    assert chain == Chain((Place(1, base + 2, 66),), ended=True)


def test_a_second_common_model_continues_the_chain() -> None:
    parts = [
        model_words(1, {"SN": "inverter"}),
        model_words(103, {"W": 1}),
        model_words(1, {"SN": "meter"}),
        model_words(203, {"W": 2}),
    ]

    found = read_all(image(device_words(parts)))

    assert [model.place.id for model in found] == [1, 103, 1, 203]
    assert [model.points.get("SN") for model in found[::2]] == ["inverter", "meter"]


def test_a_chain_without_end_marker_ends_where_the_registers_end() -> None:
    chain = find_chain(image([*MARKER, *model_words(1, {})]))

    assert chain == Chain((Place(1, 40002, 66),), ended=False)


def test_a_chain_of_nothing_but_zeros_ends_at_once() -> None:
    assert find_chain(image([*MARKER, *[0] * 500])) == Chain((), ended=False)


def test_a_cut_model_shows_what_is_there_and_says_that_it_is_cut() -> None:
    words = [*MARKER, *model_words(103, {"A": 77, "A_SF": -1, "W": 500, "W_SF": 0})[:15]]

    (model,) = read_all(image(words))

    assert not model.whole
    assert model.points["A"] == Decimal("7.7")
    assert model.points["W"] is None  # its scale factor stood in the part that is away


def test_a_hole_in_a_model_hides_what_stands_in_it_and_nothing_else() -> None:
    words = device_words([model_words(103, {"A": 77, "A_SF": -1, "W": 500, "W_SF": 0, "St": 4})])
    holed = Image.of_blocks("test", [(40000, words[:8]), (40014, words[14:])])

    (model,) = read_all(holed)

    assert not model.whole
    assert model.points["A"] is None  # its scale factor, at 40008, is away
    assert model.points["W"] == Decimal(500)
    assert model.points["St"] == 4


def test_an_unknown_model_is_listed_with_its_id_and_length() -> None:
    words = [*MARKER, 64999, 3, 1, 2, 3, *END]

    (model,) = read_all(image(words))

    assert model == Model(Place(64999, 40002, 3), None, {}, whole=True)


def test_a_device_without_the_letters_does_not_speak_sunspec() -> None:
    assert find_chain(image([1, 2, 3, 4])) is None


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("int16", [0x8000]),
        ("uint16", [0xFFFF]),
        ("enum16", [0xFFFF]),
        ("bitfield16", [0xFFFF]),
        ("sunssf", [0x8000]),
        ("acc16", [0]),
        ("int32", [0x8000, 0]),
        ("uint32", [0xFFFF, 0xFFFF]),
        ("bitfield32", [0xFFFF, 0xFFFF]),
        ("acc32", [0, 0]),
        ("uint64", [0xFFFF] * 4),
        ("int64", [0x8000, 0, 0, 0]),
        ("acc64", [0] * 4),
        ("float32", [0x7FC0, 0]),
        ("float32", [0x7FBF, 0xFF80]),
        ("float32", [0xFFFF, 0xFFFF]),
        ("string", [0, 0, 0]),
    ],
)
def test_a_code_for_not_implemented_is_nothing_and_never_a_number(
    kind: str, words: list[int]
) -> None:
    assert raw_value(kind, words) is None


@pytest.mark.parametrize(
    ("kind", "words", "value"),
    [
        ("int16", [0xFFFF], -1),
        ("int32", [0xFFFF, 0xFFFE], -2),
        ("uint32", [0x0001, 0x0000], 65536),
        ("acc32", [0, 1], 1),
        ("float32", [0x42C8, 0], 100.0),
        ("string", [0x4142, 0x4300], "ABC"),
        ("string", [0x4142, 0x2020], "AB"),
        ("ipaddr", [0xC000, 0x020A], "192.0.2.10"),
        ("eui48", [0, 0x0011, 0x2233, 0xAABB], "00:11:22:33:AA:BB"),
    ],
)
def test_a_value_is_read_by_its_type(kind: str, words: list[int], value: float | str) -> None:
    assert raw_value(kind, words) == value


@pytest.mark.parametrize(
    ("scale", "value"),
    [
        (-2, Decimal("55.20")),
        (0, 5520),
        (1, 55200),
        (None, None),  # one that is not there, or not there yet, tells no value
        (11, None),  # outside -10..10 it makes no sense, and neither does the value
    ],
)
def test_a_scale_factor_is_applied_exactly(scale: int | None, value: Number | None) -> None:
    words = model_words(103, {"W": 5520, "W_SF": scale})

    assert decode(models()[103], 50, words)["W"] == value


def test_a_block_repeats_until_the_length_is_used_up() -> None:
    fixed = model_words(160, {"DCW_SF": 1, "N": 2})
    strings = [
        [1, *[0] * 8, 100, 20, 35, 0, 1, 0, 0, 25, 4, 0, 0],
        [2, *[0] * 8, 90, 20, 36, 0, 1, 0, 0, 26, 4, 0, 0],
    ]
    words = [*fixed, *strings[0], *strings[1]]

    points = decode(models()[160], len(words) - 2, words)

    modules = points["module"]
    assert isinstance(modules, list)
    assert [module["DCW"] for module in modules] == [350, 360]


def test_a_block_repeats_as_often_as_its_count_says_and_no_further_than_the_model() -> None:
    fixed = model_words(714, {"NPrt": 40, "DCW_SF": 0})
    port = [0, 1, *[0] * 8, 5, 400, 2000, *[0] * 4, *[0] * 4, 25, 1, 0, 0]
    words = [*fixed, *port, *port]

    points = decode(models()[714], len(words) - 2, words)

    ports = points["Prt"]
    assert isinstance(ports, list)
    assert [inner["DCW"] for inner in ports] == [2000, 2000]


def test_every_model_of_the_published_set_is_in_the_table(shared_data: Path) -> None:
    published = shared_data / "modbus" / "sunspec_models"

    for path in sorted(published.glob("*.json")):
        definition = json.loads(path.read_text())
        group = models()[definition["id"]]
        theirs = [
            (point["name"], point["type"], point["size"], point.get("sf"))
            for point in definition["group"]["points"]
        ]
        ours = [(point.name, point.type, point.size, point.scale) for point in group.points]
        assert ours == theirs
        assert [inner.name for inner in group.groups] == [
            inner["name"] for inner in definition["group"].get("groups", [])
        ]
