"""``kwartier modbus``: what a device says, from a recording or over the network; reads only."""

from __future__ import annotations

import argparse
from pathlib import Path

from gateway.modbus import profiles_listed
from gateway.modbus.describe import describe_units
from gateway.modbus.dump_command import add_dump, run_dump
from gateway.modbus.line import PORT, check_asked, read_address
from hardware.profile import load_profile, profile_names
from hardware.recording import read_recording
from kwartier.cli import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the words and options of ``kwartier modbus``."""
    profiles = f"for a device that does not speak SunSpec: {', '.join(profile_names())}"
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="decode|scan|dump|profiles"
    )
    decode = actions.add_parser(
        "decode",
        help="decode a recording of registers",
        epilog="example:\n  kwartier modbus decode inverter.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    decode.add_argument(
        "file", type=Path, metavar="DUMP.json", help="the recording; - reads standard input"
    )
    decode.add_argument("--profile", metavar="NAME", help=profiles)
    scan = actions.add_parser(
        "scan",
        help="read a device over Modbus TCP or a serial line; nothing is written",
        epilog="example:\n  kwartier modbus scan 192.0.2.10:502 --unit 1",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    scan.add_argument(
        "address",
        metavar="HOST[:PORT]",
        help=f"where it listens, port {PORT} if none; or serial:///dev/ttyUSB0?baud=9600&parity=N",
    )
    scan.add_argument("--unit", type=int, metavar="N", help="its unit id; likely ones if none")
    scan.add_argument("--profile", metavar="NAME", help=profiles)
    scan.add_argument(
        "--timeout", type=float, default=1.0, metavar="S", help="wait this long per answer [s]"
    )
    add_dump(actions)
    listed = actions.add_parser("profiles", help="list every device there is a profile of")
    profiles_listed.add_arguments(listed)


def run(chosen: argparse.Namespace) -> int:
    """Print what the devices say, as one JSON object.

    Raises:
        InputError: The recording or the device cannot be understood that way.
        TemporaryError: Nobody can be reached there.
        UsageError: An address, unit or time makes no sense.
    """
    if chosen.action == "dump":
        return run_dump(chosen)
    if chosen.action == "profiles":
        return profiles_listed.run(as_json=chosen.json)
    profile = load_profile(chosen.profile) if chosen.profile else None
    if chosen.action == "decode":
        units = describe_units(str(chosen.file), read_recording(chosen.file), profile)
    else:
        address = read_address(chosen.address)
        check_asked([] if chosen.unit is None else [chosen.unit], chosen.timeout)
        from gateway.modbus.unit_search import scan

        units = scan(address, chosen.unit, profile, chosen.timeout)
    print_json({"units": units})
    return 0
