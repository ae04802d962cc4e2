"""The collector's command."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from kwartier.cli import Command, print_json


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, help="its settings, a TOML file")
    parser.add_argument(
        "--check", action="store_true", help="read the settings, say what is wrong, and stop"
    )


def _run(chosen: argparse.Namespace) -> int:
    from collectors.service import collect
    from collectors.settings import read_settings
    from kwartier.clock import SystemClock
    from kwartier.log import begin_log
    from kwartier.stopping import stopped_by_signals

    begin_log("collect")
    path: Path = chosen.config
    settings = read_settings(path)
    if chosen.check:
        print(f"{path}: all keys are understood")
        return 0
    with stopped_by_signals() as stop:
        totals = collect(settings, SystemClock(), stop)
    print_json(asdict(totals))
    return 0


COLLECT = Command(
    summary="take readings from the broker into the record",
    example="kwartier collect --config collect.toml",
    extra="collect",
    configure=_arguments,
    run=_run,
)
