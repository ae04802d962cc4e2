"""``kwartier modbus dump``: a recording says what the device says, and not whose it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.modbus.anonymous import anonymous
from gateway.modbus.dump import Span, read_spans, record, recording_json
from hardware.profile import load_profile
from hardware.recording import images_of, read_recording
from hardware.registers import HOLDING, Image, Words, text, words_of_text
from hardware.twins.modbus_server import RecordedDevice
from hardware.twins.sunspec_image import device_words, model_words
from hardware.twins.temper import Temper, TemperedServer
from kwartier.cli import main
from kwartier.errors import UsageError
from tests.hardware.test_sunspec import DUMPS as SUNSPEC_DUMPS

DEVICE = device_words(
    [
        model_words(1, {"Mn": "maker", "SN": "AB-1234567"}),
        model_words(103, {"W": 552, "W_SF": 1}),
        [64_999, 3, 7, 8, 9],
        model_words(305, {"Lat": 523_702_160, "Long": 48_951_680}),
    ]
)


class Reader:
    """An image that counts what is asked of it, and moves a clock 1 s with each request."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self.now_s = 0.0
        self.asked: list[tuple[int, int]] = []

    def read(self, address: int, count: int, function_code: int = HOLDING) -> Words:
        self.now_s += 1
        self.asked.append((address, count))
        return self._image.read(address, count, function_code)


def scanned(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["modbus", *words]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize("name", SUNSPEC_DUMPS[:2])
def test_decoding_a_recording_says_what_the_device_said(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    images = read_recording(shared_data / "modbus" / "dumps" / f"{name}.json")
    (unit,) = images
    file = tmp_path / "made.json"
    with TemperedServer([RecordedDevice(unit, images[unit])], Temper(most_clients=1)) as server:
        where = (f"127.0.0.1:{server.port}", "--unit", str(unit), "--timeout", "20")
        live = scanned(capsys, "scan", *where)
        assert main(["modbus", "dump", *where, "--no-anonymous", "-o", str(file)]) == 0

    assert server.tally.writes == 0
    assert scanned(capsys, "decode", str(file)) == live


def test_a_device_known_by_a_profile_only_is_recorded_by_it(shared_data: Path) -> None:
    images = read_recording(shared_data / "modbus" / "dumps" / "goodwe_gw10k_et.json")
    (image,) = images.values()

    recording = record(image, load_profile("goodwe_et"), [])

    assert recording.complete
    serial = [recording.words[35_003 + place] for place in range(8)]
    hidden = anonymous(recording.words, recording.profiles)
    assert set(text([hidden[35_003 + place] for place in range(8)])) <= {"0", "X"}
    assert len(text(serial)) == 16
    changed = {address for address in hidden if hidden[address] != recording.words[address]}
    assert changed <= set(range(35_003, 35_011))


def test_a_serial_number_is_hidden_also_where_it_stands_a_second_time() -> None:
    serial = words_of_text("AB-1234567", 5)
    words = dict(enumerate(DEVICE, 40_000)) | dict(enumerate(serial, 50_100))

    hidden = anonymous(words)

    assert text([hidden[50_100 + place] for place in range(5)]) == "XX-0000000"
    assert text([hidden[40_052 + place] for place in range(16)]) == "XX-0000000"
    assert text([hidden[40_004 + place] for place in range(3)]) == "maker"


def test_the_place_on_earth_is_taken_out() -> None:
    words = dict(enumerate(DEVICE, 40_000))
    at = next(address for address in words if [words[address], words[address + 1]] == [305, 36])

    hidden = anonymous(words)

    assert {hidden[at + 2 + place] for place in range(36)} == {0}


def test_models_nobody_knows_are_recorded_whole() -> None:
    source = Reader(Image.of_blocks("device", [(40_000, DEVICE)]))

    recording = record(source, None, [])

    assert recording.words == dict(enumerate(DEVICE, 40_000))


def test_a_range_is_recorded_as_far_as_it_is_served() -> None:
    """100 to 399 is asked in 125s; 250 to 259 is not there."""
    image = Image.of_blocks("device", [(100, list(range(150))), (260, list(range(140)))])

    recording = record(Reader(image), None, [Span(100, 399)])

    assert sorted(recording.words) == [*range(100, 250), *range(260, 400)]


def test_a_recording_ends_when_its_time_is_up_and_says_so() -> None:
    source = Reader(Image.of_blocks("device", [(0, [1] * 60_000)]))

    recording = record(
        source, None, [Span(0, 59_999)], longest_s=20.0, monotonic=lambda: source.now_s
    )

    assert not recording.complete
    assert len(source.asked) <= 22
    made = recording_json({1: recording}, hide_serials=True)
    assert made["complete"] is False
    assert images_of(made, "made")


def test_a_command_records_and_hides_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "made.json"
    image = Image.of_blocks("device", [(40_000, DEVICE), (100, [4, 5, 6])])
    with TemperedServer([RecordedDevice(1, image)], Temper()) as server:
        where = ("dump", f"127.0.0.1:{server.port}", "--ranges", "100-102", "-o", str(file))
        assert main(["modbus", *where, "--timeout", "20"]) == 0

    assert "AB-1234567" not in text(
        [word for run in read_recording(file)[1].spans() for word in run[1]]
    )
    made = json.loads(file.read_text())
    assert (made["function_code"], made["complete"]) == (3, True)
    assert made["units"]["1"]["100"] == [4, 5, 6]
    assert capsys.readouterr().err == ""


def test_a_device_of_which_nothing_is_known_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = Image.of_blocks("device", [(7, [1, 2])])
    with TemperedServer([RecordedDevice(1, image)], Temper()) as server:
        words = ("dump", f"127.0.0.1:{server.port}", "-o", str(tmp_path / "made.json"))
        assert main(["modbus", *words, "--timeout", "20"]) == 1

    assert "--ranges" in capsys.readouterr().err
    assert not (tmp_path / "made.json").exists()


@pytest.mark.parametrize("written", ["", "a-b", "5-4", "70000", "1-", "1,,2"])
def test_ranges_that_make_no_sense_are_wrong_usage(written: str) -> None:
    with pytest.raises(UsageError, match="--ranges"):
        read_spans(written)
