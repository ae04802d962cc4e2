"""``kwartier gateway check``: what the wizard measures, said on a terminal link by link."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import asdict
from pathlib import Path

from kwartier.cli import print_json
from kwartier.errors import UsageError

_LONGEST_S = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the word takes."""
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("gateway.toml"),
        dest="settings",
        metavar="FILE",
        help="its settings (default: gateway.toml)",
    )
    parser.add_argument(
        "--seconds", type=float, default=75.0, metavar="S", help="listen so long to a meter [s]"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")


def run(chosen: argparse.Namespace) -> int:
    """Check every link; 0 when all work, else 1.

    Raises:
        SettingsError: The settings are wrong.
        UsageError: The time makes no sense.
    """
    if not 1 <= chosen.seconds <= _LONGEST_S:
        raise UsageError(f"--seconds {chosen.seconds:g}: use 1 to {_LONGEST_S:g}")
    from gateway.commission.check import checks
    from gateway.settings import read_settings
    from kwartier.clock import SystemClock

    logging.basicConfig(level=logging.CRITICAL)
    settings = read_settings(chosen.settings)
    found = []
    for one in checks(settings, SystemClock(), chosen.seconds):
        found.append(one)
        if not chosen.json:
            sys.stdout.write(f"{'ok  ' if one.good else 'FAIL'} {one.link}: {one.told}\n")
            sys.stdout.flush()
    good = all(one.good for one in found)
    if chosen.json:
        print_json({"good": good, "links": [asdict(one) for one in found]})
    return 0 if good else 1
