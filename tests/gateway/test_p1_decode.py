"""``kwartier p1 decode`` tells what a telegram says, and nothing else."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.p1.decode import shown
from gateway.p1.framer import Frame, Framer
from gateway.p1.telegram import telegram_of
from hardware.crc16 import crc16
from kwartier.cli import main
from kwartier.interval import HOME_ZONE

Json: TypeAlias = "str | int | float | list[Json] | dict[str, Json] | None"


def frames_in(data: bytes) -> list[Frame]:
    framer = Framer()
    return framer.feed(data) + framer.end()


def decoded(*lines: str, header: str = "KWT5\\TEST") -> Mapping[str, object]:
    body = ("\r\n".join([f"/{header}", "", *lines]) + "\r\n!").encode("latin-1")
    (frame,) = frames_in(body + b"%04X\r\n" % crc16(body))
    return shown(telegram_of(frame, HOME_ZONE))


def masked(found: Json) -> Json:
    """Replace ids by what the recorded index keeps of them, and drop what it does not list."""
    if isinstance(found, list):
        return [masked(part) for part in found]
    if not isinstance(found, dict):
        return found
    kept: dict[str, Json] = {}
    for key, value in found.items():
        if key in {"id", "meter_id"}:
            digest = hashlib.sha256(value.encode()).hexdigest() if isinstance(value, str) else None
            kept[f"{key}_sha256_16"] = None if digest is None else digest[:16]
        elif key not in {"serial", "meter_serial", "flags", "peak_history"}:
            kept[key] = masked(value)
    return kept


@pytest.fixture(scope="module")
def index(shared_data: Path) -> list[dict[str, Json]]:
    listed = json.loads((shared_data / "p1" / "index.json").read_text("utf-8"))["telegrams"]
    assert isinstance(listed, list)
    return listed


def printed(capsys: pytest.CaptureFixture[str], path: Path, zone: Json) -> list[Json]:
    assert main(["p1", "decode", "--zone", str(zone), str(path)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_recorded_file_decodes_to_its_expected_values(
    shared_data: Path, index: list[dict[str, Json]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(index) == 54
    for entry in index:
        expected = entry.get("expected")
        if not isinstance(expected, dict):
            continue
        found = printed(capsys, shared_data / "p1" / str(entry["file"]), entry["zone"])
        assert masked(found) == expected["frames"], entry["id"]


def test_the_recorded_stream_has_all_its_340_telegrams(
    shared_data: Path, index: list[dict[str, Json]], capsys: pytest.CaptureFixture[str]
) -> None:
    (entry,) = [entry for entry in index if "summary" in entry]
    summary = entry["summary"]
    assert isinstance(summary, dict)

    found = printed(capsys, shared_data / "p1" / str(entry["file"]), entry["zone"])

    frames = [frame for frame in found if isinstance(frame, dict)]
    valid = [frame for frame in frames if frame["crc"] == "valid"]
    assert Counter(str(frame["crc"]) for frame in frames) == {"valid": 340, "no_end": 1}
    assert masked(valid[0]) == summary["first_valid"]
    assert masked(valid[-1]) == summary["last_valid"]


def test_wh_and_w_are_a_thousandth_of_kwh_and_kw() -> None:
    found = decoded("1-0:1.8.0(000201282*Wh)", "1-0:2.7.0(000003996*W)")

    assert found["kwh"] == {"1-0:1.8.0": 201.282}
    assert found["export_kw"] == 3.996


def test_a_unit_is_read_without_star_and_in_any_case() -> None:
    found = decoded("1-0:1.8.1(000123.456kWh)", "1-0:1.7.0(01.193*kw)", "1-0:32.7.0(234.5V)")

    assert found["kwh"] == {"1-0:1.8.1": 123.456}
    assert found["import_kw"] == 1.193
    assert found["phases"] == {"l1": {"volt": 234.5}}


def test_reactive_energy_is_no_energy() -> None:
    assert decoded("1-0:1.8.0(000000.835*kvarh)")["kwh"] == {}


def test_what_is_not_told_is_null_or_absent_and_never_nought() -> None:
    found = decoded("1-0:1.8.1(000001.000*kWh)")

    assert found["import_kw"] is None
    assert found["tariff"] is None
    assert found["timestamp_utc"] is None
    assert found["meter_id"] is None
    assert found["phases"] == {}
    assert found["mbus"] == {}
    assert "power_failures" not in found
    assert "short_failures" not in found
    assert "flags" not in found


def test_a_serial_in_hex_is_also_told_in_clear() -> None:
    found = decoded("0-0:96.1.1(4530303034)", "0-2:24.1.0(007)", "0-2:96.1.1(serial)")

    assert found["meter_id"] == "4530303034"
    assert found["meter_serial"] == "E0004"
    assert found["mbus"] == {
        "2": {"type_code": 7, "type": "water", "id": "serial", "serial": "serial"}
    }


def test_gas_of_edition_2_has_its_value_on_the_next_line() -> None:
    found = decoded(
        "0-1:24.1.0(3)", "0-1:24.3.0(211123200000)(00)(60)(1)(0-1:24.2.1)(m3)", "(13376.292)"
    )

    assert found["unparsed_lines"] == 0
    assert found["mbus"] == {
        "1": {
            "type_code": 3,
            "type": "gas",
            "obis": "0-1:24.3.0",
            "stamp_utc": "2021-11-23T19:00:00Z",
            "value": 13376.292,
            "unit": "m3",
        }
    }


def test_a_meter_that_never_reported_has_no_instant() -> None:
    found = decoded("0-1:24.1.0(003)", "0-1:24.2.3(632525252525W)(00000.000)")

    assert found["mbus"] == {
        "1": {
            "type_code": 3,
            "type": "gas",
            "obis": "0-1:24.2.3",
            "stamp_utc": None,
            "value": 0.0,
            "unit": "",
        }
    }


def test_a_letter_against_the_date_is_flagged_in_any_stamp() -> None:
    assert decoded("0-0:1.0.0(260604130000W)")["flags"] == ["season_letter_contradicts_date"]
    assert decoded("1-0:1.6.0(200305122139S)(02.589*kW)")["flags"] == [
        "season_letter_contradicts_date"
    ]


def test_lithuanian_meters_keep_lithuanian_time_unasked() -> None:
    found = decoded("0-0:1.0.0(250712193949S)", header="ESO5\\253880853_A")

    assert found["timestamp_utc"] == "2025-07-12T16:39:49Z"
    assert "flags" not in found


def test_quarter_hour_peaks_are_told_in_kw() -> None:
    found = decoded(
        "1-0:1.4.0(02.351*kW)",
        "1-0:1.6.0(200509134558S)(02.589*kW)",
        "0-0:98.1.0(1)(1-0:1.6.0)(1-0:1.6.0)(200501000000S)(200423192538S)(03.695*kW)",
    )

    assert found["quarter_avg_kw"] == 2.351
    assert found["month_peak"] == {"stamp_utc": "2020-05-09T11:45:58Z", "kw": 2.589}
    assert found["peak_history_count"] == 1
    assert found["peak_history"] == [{"stamp_utc": "2020-04-23T17:25:38Z", "kw": 3.695}]


def test_an_empty_log_or_history_has_no_entries() -> None:
    found = decoded("1-0:99.97.0()", "0-0:98.1.0(0)(1-0:1.6.0)(1-0:1.6.0)()()()", "1-0:1.6.0()()")

    assert found["power_failures"] == []
    assert found["peak_history"] == []
    assert "power_failures_stated" not in found
    assert "month_peak" not in found


def test_bytes_that_are_no_letters_do_no_harm() -> None:
    found = decoded("0-0:96.13.0(\xff\xff)", "\xff\xfe", "1-0:1.8.1(000001.000*kWh)")

    assert found["kwh"] == {"1-0:1.8.1": 1.0}
    assert found["unparsed_lines"] == 1


@given(st.binary(max_size=400))
def test_any_line_decodes_to_something_json_can_hold(noise: bytes) -> None:
    body = b"/KWT5\\TEST\r\n\r\n" + noise + b"\r\n!"
    for frame in frames_in(body + b"\r\n"):
        json.dumps(shown(telegram_of(frame, HOME_ZONE)), allow_nan=False)


@given(
    st.lists(
        st.builds(
            "{}({})".format,
            st.sampled_from(
                [
                    "0-0:1.0.0",
                    "1-0:1.8.1",
                    "1-0:99.97.0",
                    "0-1:24.2.1",
                    "0-1:24.3.0",
                    "0-1:24.1.0",
                    "0-0:98.1.0",
                    "1-0:1.6.0",
                    "0-0:96.14.0",
                    "0-0:96.7.9",
                    "1-0:32.7.0",
                    "0-0:42.0.0",
                ]
            ),
            st.text("0123456789.*-()kWhm3SW", max_size=40),
        ),
        max_size=10,
    )
)
def test_any_values_under_real_codes_decode_to_something_json_can_hold(lines: list[str]) -> None:
    json.dumps(decoded(*lines), allow_nan=False)


def test_standard_input_is_read_where_a_file_is_named_by_a_dash() -> None:
    body = b"/KWT5\\TEST\r\n\r\n1-0:1.8.1(000001.000*kWh)\r\n!"
    run = "import sys; from kwartier.cli import main; sys.exit(main(['p1', 'decode', '-']))"

    done = subprocess.run(
        [sys.executable, "-c", run],
        input=b"rubbish" + body + b"%04X\r\n" % crc16(body),
        capture_output=True,
        check=True,
    )

    assert json.loads(done.stdout)["crc"] == "valid"


def test_bytes_without_a_telegram_print_nothing_and_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tail.p1").write_bytes(b"1-0:1.8.1(000001.000*kWh)\r\n!ABCD\r\n")

    assert main(["p1", "decode", str(tmp_path / "tail.p1")]) == 0

    told = capsys.readouterr()
    assert told.out == ""
    assert "no telegram" in told.err


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none.p1"

    assert main(["p1", "decode", str(missing)]) == 1
    assert str(missing) in capsys.readouterr().err


def test_a_zone_that_does_not_exist_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["p1", "decode", "--zone", "Europe/Nowhere", "-"]) == 2
    assert "Europe/Nowhere" in capsys.readouterr().err
