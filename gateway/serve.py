"""``kwartier gateway``: the process on the Pi."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--config", type=Path, required=True, help="its settings, a TOML file")
    parser.add_argument(
        "--check", action="store_true", help="read the settings, say what is wrong, and stop"
    )


def run(chosen: argparse.Namespace) -> int:
    """Run the gateway until SIGTERM or Ctrl-C."""
    from gateway.care.running import run_with_care
    from gateway.settings import read_settings
    from kwartier.clock import SystemClock
    from kwartier.stopping import stopped_by_signals

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    path: Path = chosen.config
    if chosen.check:
        read_settings(path)
        sys.stdout.write(f"{path}: all keys are understood\n")
        return 0
    with stopped_by_signals() as stop:
        run_with_care(path, SystemClock(), stop)
    return 0
