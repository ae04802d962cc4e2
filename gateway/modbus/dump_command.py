"""``kwartier modbus dump``: record a device into a file, politely and without writing to it."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from gateway.modbus.describe import Json
from gateway.modbus.dump import GAP_S, LONGEST_S, Recording, read_spans, record, recording_json
from gateway.modbus.line import PORT, check_asked, read_address
from hardware.profile import load_profile, profile_names
from hardware.registers import HOLDING, INPUT
from kwartier.cli import print_json
from kwartier.errors import InputError, TemporaryError, UsageError

_MOST_S = 3600
_EPILOG = """examples:
  kwartier modbus dump 192.0.2.10 --unit 1 -o inverter.json
  kwartier modbus dump serial:///dev/ttyUSB0?baud=9600 --unit 2 --ranges 30000-30200 -o meter.json
"""


def add_dump(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the words and options of ``dump``."""
    dump = actions.add_parser(
        "dump",
        help="record a device's registers into a file; nothing is written to the device",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    dump.add_argument(
        "address",
        metavar="HOST[:PORT]",
        help=f"where it listens, port {PORT} if none; or serial:///dev/ttyUSB0?baud=9600",
    )
    dump.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the recording; - prints it"
    )
    dump.add_argument(
        "--unit",
        type=int,
        action="append",
        metavar="N",
        help="its unit id, again for several; 1, or the profile's likeliest, if none",
    )
    dump.add_argument(
        "--profile",
        metavar="NAME",
        help=f"read its registers too: {', '.join(profile_names())}",
    )
    dump.add_argument("--ranges", metavar="A-B,…", help="read these registers too: 30000-30200,…")
    dump.add_argument(
        "--input",
        action="store_true",
        help="the ranges are input registers (function code 4), not holding registers",
    )
    dump.add_argument(
        "--anonymous",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="replace serial numbers, network names and the place on earth, as far as SunSpec or "
        "the profile tells where they stand (the default)",
    )
    dump.add_argument(
        "--timeout", type=float, default=3.0, metavar="S", help="wait this long per answer [s]"
    )
    dump.add_argument(
        "--most", type=float, default=LONGEST_S, metavar="S", help="stop after this long [s]"
    )


def run_dump(chosen: argparse.Namespace) -> int:
    """Record, and write the file.

    Raises:
        InputError: Nothing came, or the file cannot be written.
        TemporaryError: Nobody can be reached there.
        UsageError: An address, unit, range or time makes no sense.
    """
    from gateway.modbus.unit_search import open_link

    profile = load_profile(chosen.profile) if chosen.profile else None
    code = INPUT if chosen.input else HOLDING
    spans = read_spans(chosen.ranges, code) if chosen.ranges else []
    units: list[int] = chosen.unit or [profile.units[0] if profile else 1]
    check_asked(units, chosen.timeout)
    if not 1 <= chosen.most <= _MOST_S:
        raise UsageError(f"--most {chosen.most:g}: use 1 to {_MOST_S} seconds")
    address = replace(read_address(chosen.address), gap_s=GAP_S)
    link = open_link(address, profile, chosen.timeout, retries=1)
    found: dict[int, Recording] = {}
    for unit in dict.fromkeys(units):
        try:
            found[unit] = record(link.unit(unit), profile, spans, longest_s=chosen.most)
        except TemporaryError as error:
            if len(units) == 1:
                raise
            sys.stderr.write(f"left out: {error}\n")
        finally:
            link.close()
    if not any(recording.words for recording in found.values()):
        raise InputError(
            f"{link.where}: nothing that speaks SunSpec or fits a profile: name registers with "
            "--ranges or a profile with --profile"
        )
    for unit, recording in found.items():
        _tell(unit, recording)
    _save(chosen.output, recording_json(found, hide_serials=chosen.anonymous))
    return 0


def _tell(unit: int, recording: Recording) -> None:
    if not recording.complete:
        sys.stderr.write(f"unit {unit}: the time was up; the recording is a part\n")
    if recording.clashes:
        sys.stderr.write(
            f"unit {unit}: {recording.clashes} registers differ between function codes 3 and 4; "
            "what code 3 said was kept\n"
        )


def _save(output: str, recording: Json) -> None:
    if output == "-":
        print_json(recording)
        return
    try:
        Path(output).write_text(json.dumps(recording) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror}") from error
