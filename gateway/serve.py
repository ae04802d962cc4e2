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
    from gateway.service import run_gateway
    from gateway.settings import read_settings
    from kwartier.clock import SystemClock
    from kwartier.stopping import stopped_by_signals

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    path: Path = chosen.config
    settings = read_settings(path)
    if chosen.check:
        sys.stdout.write(f"{path}: all keys are understood\n")
        return 0
    with stopped_by_signals() as stop:
        run_gateway(settings, SystemClock(), stop)
    return 0
