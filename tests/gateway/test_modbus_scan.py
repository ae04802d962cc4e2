"""``kwartier modbus``: recordings and live devices come out as the same JSON."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.modbus.describe import describe
from hardware.recording import read_recording
from hardware.registers import Image
from hardware.twins.inverter import InverterTwin
from hardware.twins.modbus_server import ModbusServer, RecordedDevice
from hardware.twins.sunspec_image import MARKER, device_words, model_words
from kwartier.cli import main
from tests.hardware.test_profile import DUMPS as PROFILE_DUMPS
from tests.hardware.test_sunspec import DUMPS as SUNSPEC_DUMPS


@contextmanager
def served(images: dict[int, Image]) -> Iterator[str]:
    devices = [RecordedDevice(unit, image) for unit, image in images.items()]
    with ModbusServer(devices) as server:
        yield f"127.0.0.1:{server.port}"


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["modbus", *words]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["modbus", *words]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    return shown.err


@pytest.mark.parametrize("name", SUNSPEC_DUMPS)
def test_a_sunspec_device_says_over_tcp_what_its_recording_says(
    shared_data: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = shared_data / "modbus" / "dumps" / f"{name}.json"
    decoded = printed(capsys, "decode", str(path))

    with served(read_recording(path)) as address:
        scanned = printed(capsys, "scan", address, "--timeout", "20")

    assert scanned == decoded


@pytest.mark.parametrize(("name", "profile"), sorted(PROFILE_DUMPS.items()))
def test_a_profiled_device_says_over_tcp_what_its_recording_says(
    shared_data: Path, capsys: pytest.CaptureFixture[str], name: str, profile: str
) -> None:
    path = shared_data / "modbus" / "dumps" / f"{name}.json"
    images = read_recording(path)
    (unit,) = images
    decoded = printed(capsys, "decode", str(path), "--profile", profile)

    with served(images) as address:
        scanned = printed(
            capsys, "scan", address, "--unit", str(unit), "--profile", profile, "--timeout", "20"
        )

    assert scanned == decoded


def test_the_answer_has_the_promised_shape(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = device_words(
        [
            model_words(1, {"Mn": "maker"}),
            model_words(103, {"W": 552, "W_SF": 1, "Hz": 4996, "Hz_SF": -2}),
        ]
    )
    path = tmp_path / "dump.json"
    path.write_text(json.dumps({"function_code": 3, "units": {"7": {"40000": words}}}))

    answer = printed(capsys, "decode", str(path))

    units = answer["units"]
    assert isinstance(units, dict)
    device = units["7"]
    assert device["sunspec"] is True
    assert device["complete"] is True
    assert [model["id"] for model in device["models"]] == [1, 103]
    points = device["models"][1]["points"]
    assert (points["W"], points["Hz"], points["A"]) == (5520, 49.96, None)


def test_a_recording_without_sunspec_is_refused_with_the_profile_that_fits(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shared_data / "modbus" / "dumps" / "goodwe_gw17k_dt.json"

    message = refused(capsys, "decode", str(path))

    assert "does not speak SunSpec" in message
    assert "--profile goodwe_dt" in message


def test_two_units_of_which_one_speaks_sunspec_are_both_told_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = device_words([model_words(1, {"SN": "one"})])
    path = tmp_path / "dump.json"
    path.write_text(json.dumps({"units": {"1": {"0": words}, "2": {"100": [1, 2]}}}))

    units = printed(capsys, "decode", str(path))["units"]

    assert isinstance(units, dict)
    assert units["1"]["sunspec"] is True
    assert units["2"]["sunspec"] is False
    assert "--profile" in units["2"]["advice"]


def test_a_device_that_answers_to_every_unit_is_listed_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    image = Image.of_blocks("any", [(40000, device_words([model_words(1, {"SN": "one"})]))])

    with served({0: image}) as address:
        units = printed(capsys, "scan", address, "--timeout", "20")["units"]

    assert isinstance(units, dict)
    assert list(units) == ["1"]


def test_several_units_behind_one_address_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    inverter = device_words([model_words(1, {"SN": "inverter"}), model_words(103, {})])
    meter = device_words([model_words(1, {"SN": "meter"}), model_words(203, {})])
    images = {
        1: Image.of_blocks("inverter", [(40000, inverter)]),
        240: Image.of_blocks("meter", [(40000, meter)]),
    }

    with served(images) as address:
        units = printed(capsys, "scan", address, "--timeout", "20")["units"]

    assert isinstance(units, dict)
    assert list(units) == ["1", "240"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("no json at all", "is no JSON"),
        ("[1, 2]", '"units"'),
        ('{"registers": {}}', '"units"'),
        ('{"units": {}}', "empty"),
        ('{"units": {"one": {}}}', "unit id"),
        ('{"units": {"1": []}}', "units.1"),
        ('{"units": {"1": {"forty": [1]}}}', "address"),
        ('{"units": {"1": {"65535": [1, 2]}}}', "past address 65535"),
        ('{"units": {"1": {"40000": [1, 65536]}}}', "40000[1]"),
        ('{"units": {"1": {"40000": [1, -1]}}}', "40000[1]"),
        ('{"units": {"1": {"40000": [true]}}}', "40000[0]"),
        ('{"units": {"1": {"40000": 5}}}', "list of registers"),
        ('{"units": {"1": {"10": [1, 2], "11": [3]}}}', "twice"),
        ('{"function_code": 6, "units": {"1": {"0": [1]}}}', "function_code"),
        ('{"units": {"1": {"40000": []}}}', "does not speak SunSpec"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, told: str
) -> None:
    path = tmp_path / "dump.json"
    path.write_text(content)

    message = refused(capsys, "decode", str(path))

    assert told in message
    assert str(path) in message


def test_a_file_that_is_away_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "cannot be read" in refused(capsys, "decode", str(tmp_path / "away.json"))


def test_a_port_where_nobody_listens_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        assert "no connection" in refused(capsys, "scan", address)


def test_a_live_device_without_sunspec_is_refused_with_the_profile_that_fits(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = read_recording(shared_data / "modbus" / "dumps" / "goodwe_gw10k_et.json")

    with served(images) as address:
        message = refused(capsys, "scan", address, "--timeout", "20")

    assert "--unit 247 --profile goodwe_et" in message


def test_a_live_device_is_found_by_its_profile_where_no_unit_is_named(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = read_recording(shared_data / "modbus" / "dumps" / "goodwe_gw10k_et.json")

    with served(images) as address:
        words = ("scan", address, "--profile", "goodwe-et", "--timeout", "20")
        units = printed(capsys, *words)["units"]

    assert isinstance(units, dict)
    assert list(units) == ["247"]


def test_an_address_where_every_unit_is_silent_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    inverter = InverterTwin(5_000, unit=0)
    inverter.silent = True

    with ModbusServer([inverter]) as server:
        message = refused(capsys, "scan", f"127.0.0.1:{server.port}", "--timeout", "0.05")

    assert "none of the units 1, 2" in message
    assert "answers" in message


def test_an_unknown_profile_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "goodwe_et" in refused(capsys, "decode", "dump.json", "--profile", "nobody")


@pytest.mark.parametrize(
    "words",
    [("scan", "host:99999"), ("scan", "host", "--unit", "256"), ("scan", "h", "--timeout", "0")],
)
def test_an_address_that_makes_no_sense_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert main(["modbus", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@given(
    words=st.lists(
        st.one_of(
            st.integers(0, 0xFFFF), st.sampled_from([0, 1, 103, 160, 704, 705, 714, 803, 0xFFFF])
        ),
        max_size=400,
    )
)
def test_whatever_a_device_serves_becomes_json(words: list[int]) -> None:
    image = Image.of_blocks("odd", [(40000, [*MARKER, *words])])

    answer = describe(image, None)

    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
