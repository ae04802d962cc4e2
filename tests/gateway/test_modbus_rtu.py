"""Modbus RTU on a real pair of terminals: what a bad line does never becomes a wrong number."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.modbus.line import SerialLine, read_address
from gateway.modbus.link import LinkSettings, ModbusLink, NoConnectionError
from gateway.modbus.rtu import answer_in, checksum
from hardware.registers import Image, RegistersRefusedError
from hardware.twins.modbus_server import RecordedDevice
from hardware.twins.serial_line import LineFault, SerialLineTwin, crc_modbus
from kwartier.cli import main
from kwartier.errors import LinkDownError, UsageError

ONE = RecordedDevice(1, Image.of_blocks("one", [(0, list(range(100, 200)))]))
TWO = RecordedDevice(2, Image.of_blocks("two", [(0, list(range(500, 510)))]))


@pytest.fixture
def line() -> Iterator[SerialLineTwin]:
    with SerialLineTwin([ONE, TWO], late_s=0.25) as twin:
        yield twin


def shortly(seconds: float) -> None:
    """Pause a quarter of the time."""
    time.sleep(seconds / 4)


def linked(
    line: SerialLineTwin,
    timeout_s: float = 5.0,
    retries: int = 0,
    pause: Callable[[float], None] = time.sleep,
) -> ModbusLink:
    settings = LinkSettings(
        "", timeout_s=timeout_s, retries=retries, serial=SerialLine(line.path, 115_200)
    )
    return ModbusLink(settings, pause=pause)


def test_units_on_one_line_are_read(line: SerialLineTwin) -> None:
    link = linked(line)

    assert link.read(1, 10, 3) == [110, 111, 112]
    assert link.read(2, 0, 2) == [500, 501]
    assert link.read(1, 0, 100) == list(range(100, 200))
    link.close()


def test_a_refusal_comes_over_a_serial_line_too(line: SerialLineTwin) -> None:
    link = linked(line)

    with pytest.raises(RegistersRefusedError, match="no such registers"):
        link.read(2, 9, 2)
    link.close()


@pytest.mark.parametrize("fault", [LineFault.NOISE, LineFault.FOREIGN])
def test_an_answer_is_found_behind_noise_and_behind_a_frame_of_another_unit(
    line: SerialLineTwin, fault: LineFault
) -> None:
    line.faults.append(fault)
    link = linked(line)

    assert link.read(1, 20, 2) == [120, 121]
    assert len(line.asked) == 1
    link.close()


@given(before=st.binary(max_size=40), after=st.binary(max_size=10), unit=st.integers(1, 247))
def test_an_answer_is_found_wherever_it_begins(before: bytes, after: bytes, unit: int) -> None:
    asked = bytes((unit, 3, 0, 10, 0, 2, 0, 0))
    content = bytes((unit, 3, 4, 0xDE, 0xAD, 0xBE, 0xEF))
    frame = content + crc_modbus(content)

    assert answer_in(before + frame + after, asked) == frame
    assert answer_in(before + frame[:-1], asked) == b""


@pytest.mark.parametrize(
    ("came", "found"),
    [
        (bytes((1, 0x83, 2)), True),
        (bytes((2, 0x83, 2)), False),
        (bytes((1, 4, 4, 0, 0, 0, 0)), False),
        (bytes((1, 3, 6, 0, 0, 0, 0, 0, 0)), False),
    ],
)
def test_only_an_answer_of_the_unit_function_and_size_is_one(came: bytes, found: bool) -> None:
    frame = came + crc_modbus(came)

    assert bool(answer_in(frame, bytes((1, 3, 0, 10, 0, 2, 0, 0)))) == found


def test_a_write_is_answered_by_its_own_echo_only() -> None:
    asked = bytes((1, 16, 0, 10, 0, 2, 4, 0, 0, 0, 0, 0, 0))
    echo, other = bytes((1, 16, 0, 10, 0, 2)), bytes((1, 16, 0, 12, 0, 2))

    assert answer_in(echo + crc_modbus(echo), asked) == echo + crc_modbus(echo)
    assert answer_in(other + crc_modbus(other), asked) == b""


@pytest.mark.parametrize("fault", [LineFault.HALF, LineFault.BROKEN])
def test_a_spoilt_answer_is_asked_for_again_and_the_next_one_is_right(
    line: SerialLineTwin, fault: LineFault
) -> None:
    line.faults.append(fault)
    link = linked(line, timeout_s=0.1, retries=19, pause=shortly)

    assert link.read(1, 20, 2) == [120, 121]
    assert link.read(1, 30, 2) == [130, 131]
    link.close()


def test_a_spoilt_answer_without_a_second_try_is_silence_and_no_number(
    line: SerialLineTwin,
) -> None:
    line.faults.append(LineFault.BROKEN)
    link = linked(line, timeout_s=0.3)

    with pytest.raises(LinkDownError, match="no answer"):
        link.read(1, 20, 2)
    link.close()


def test_a_late_answer_is_thrown_away_and_not_given_to_the_next_request(
    line: SerialLineTwin,
) -> None:
    """It comes 0.25 s after the request, 0.05 s after the time-out: while the line is listened out.

    The second request is of the same unit and size, so nothing in the frame tells them apart.
    """
    line.faults.append(LineFault.LATE)
    link = linked(line, timeout_s=0.2)
    with pytest.raises(LinkDownError):
        link.read(1, 40, 2)

    link.close()
    again = linked(line)

    assert again.read(1, 60, 2) == [160, 161]
    again.close()


def test_after_a_second_try_the_answer_of_the_first_is_waited_out(line: SerialLineTwin) -> None:
    line.faults.append(LineFault.LATE)
    link = linked(line, timeout_s=0.25, retries=9)

    assert link.read(1, 40, 2) == [140, 141]
    assert link.read(1, 60, 2) == [160, 161]
    link.close()


def test_a_silent_unit_on_the_line_does_not_keep_the_others_from_being_read(
    line: SerialLineTwin,
) -> None:
    link = linked(line, timeout_s=0.2)
    for _ in range(5):
        with pytest.raises(LinkDownError):
            link.read(9, 0, 1)

        assert link.read(1, 0, 1) == [100]
        assert link.read(2, 0, 1) == [500]

    assert len([unit for unit, _ in line.asked if unit == 9]) <= 2
    link.close()


def test_an_adapter_that_is_not_there_is_reported_as_such() -> None:
    link = ModbusLink(LinkSettings("", serial=SerialLine("/dev/ttyUSB-none")))

    with pytest.raises(NoConnectionError, match="plugged in"):
        link.read(1, 0, 1)


@pytest.mark.parametrize(
    ("baud", "gap_s"), [(9600, 0.004010), (19_200, 0.002005), (38_400, 0.00175), (115_200, 0.00175)]
)
def test_frames_are_kept_apart_by_three_and_a_half_characters(baud: int, gap_s: float) -> None:
    """3.5 characters of 11 bits are 38.5 bits: 4.010 ms at 9600 bit/s."""
    line = SerialLine("/dev/ttyUSB0", baud)

    assert line.gap_s == pytest.approx(gap_s, abs=1e-6)
    assert LinkSettings("", gap_s=0.001, serial=line).pause_s == line.gap_s
    assert LinkSettings("", gap_s=0.1, serial=line).pause_s == 0.1


def test_the_checksum_is_that_of_the_standard() -> None:
    assert crc_modbus(b"123456789") == checksum(b"123456789") == b"\x37\x4b"


def test_a_serial_line_is_written_as_an_address() -> None:
    told = read_address("serial:///dev/ttyUSB0?baud=19200&parity=E&stop=2")

    assert told.serial == SerialLine("/dev/ttyUSB0", 19_200, "E", 2)
    assert told.where == "/dev/ttyUSB0"
    assert read_address("serial:///dev/ttyUSB0").serial == SerialLine("/dev/ttyUSB0")


@pytest.mark.parametrize(
    "written",
    [
        "serial://dev/ttyUSB0",
        "serial:///dev/ttyUSB0?baud=9601",
        "serial:///dev/ttyUSB0?parity=X",
        "serial:///dev/ttyUSB0?stop=3",
        "serial:///dev/ttyUSB0?speed=9600",
        "serial:",
    ],
)
def test_a_serial_line_that_makes_no_sense_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(UsageError, match=r"serial:///dev/ttyUSB0\?baud=9600"):
        read_address(written)


def test_a_device_on_a_serial_line_is_scanned(capsys: pytest.CaptureFixture[str]) -> None:
    meter = RecordedDevice(1, Image.of_blocks("meter", [(0, [0] * 1000)]))
    with SerialLineTwin([meter]) as line:
        address = f"serial://{line.path}?baud=115200"
        words = (address, "--unit", "1", "--profile", "eastron_sdm630", "--timeout", "20")

        assert main(["modbus", "scan", *words]) == 0

    assert json.loads(capsys.readouterr().out)["units"]["1"]["profile"] == "eastron_sdm630"
