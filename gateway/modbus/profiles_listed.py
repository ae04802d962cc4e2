"""``kwartier modbus profiles``: every device we know a profile of, and what it can do."""

from __future__ import annotations

import argparse
import sys
import textwrap

from gateway.modbus.describe import Json
from hardware.profile import Profile, load_profile, profile_names
from hardware.profile_control import Control, Lease
from kwartier.cli import print_json

_WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``kwartier modbus profiles``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(*, as_json: bool) -> int:
    """Print every profile: what it is for, how well it is known, what it reads and steers."""
    profiles = [load_profile(name) for name in profile_names()]
    if as_json:
        listed: list[Json] = [_described(profile) for profile in profiles]
        print_json({"profiles": listed})
    else:
        sys.stdout.write("\n\n".join(_paragraph(profile) for profile in profiles) + "\n")
    return 0


def _described(profile: Profile) -> dict[str, Json]:
    control = profile.control
    return {
        "name": profile.name,
        "title": profile.title,
        "status": profile.status,
        "units": list(profile.units),
        "reads": [*profile.registers, *profile.points],
        "stores": [rule.series for rule in profile.series],
        "steered": control is not None and control.steerable,
        "lease": None if control is None else control.lease,
        "falls_back": None if control is None else control.falls_back or None,
        "why_not_steered": None if control is None else control.why_not or None,
        "requires": profile.requires,
        "source": profile.source,
    }


def _paragraph(profile: Profile) -> str:
    units = " ".join(str(unit) for unit in profile.units)
    lines = [
        f"{profile.name}: {profile.title}",
        f"known: {profile.status}; unit {units}",
        f"reads: {', '.join(rule.series for rule in profile.series) or 'nothing that is stored'}",
        f"steered: {_steered(profile.control)}",
        f"requires: {profile.requires}",
    ]
    head, *rest = lines
    return "\n".join([head, *(_wrapped(line) for line in rest)])


def _steered(control: Control | None) -> str:
    if control is None:
        return "no"
    match control.lease:
        case Lease.NONE:
            return f"no: {control.why_not}"
        case Lease.TIMER:
            return f"yes; without news it falls back to {control.falls_back}"
        case Lease.HEARTBEAT:
            return (
                f"yes; {control.lease_s} s without news and it falls back to {control.falls_back}"
            )


def _wrapped(line: str) -> str:
    return textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="    ")
