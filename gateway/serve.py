"""``kwartier gateway``: the process on the Pi."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

from gateway.commission import check_command, serve
from gateway.enrol import command as enrol
from kwartier.errors import UsageError

_Word: TypeAlias = tuple[
    str,
    str,
    Callable[[argparse.ArgumentParser], None],
    Callable[[argparse.Namespace], int],
]
"""What it does, an example, its arguments, and how it is done."""
_WORDS: dict[str, _Word] = {
    "enrol": (
        "ask to be let in with a claim code, from a terminal",
        "kwartier gateway enrol --server https://wijk.example --code 7K2M-9QXF --folder identity",
        enrol.add_arguments,
        enrol.run,
    ),
    "wizard": (
        "bring a home on the air, from a phone in the same network",
        "kwartier gateway wizard --folder /var/lib/kwartier --server https://wijk.example",
        serve.add_arguments,
        serve.run,
    ),
    "check": (
        "say link by link what works: cable, meter, devices, broker",
        "kwartier gateway check --config gateway.toml",
        check_command.add_arguments,
        check_command.run,
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes: with no word it runs the gateway."""
    parser.add_argument("--config", type=Path, help="its settings, a TOML file")
    parser.add_argument(
        "--check", action="store_true", help="read the settings, say what is wrong, and stop"
    )
    words = parser.add_subparsers(dest="word", metavar="WORD")
    for name, (summary, example, add, do) in _WORDS.items():
        word = words.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add(word)
        word.set_defaults(do=do)


def run(chosen: argparse.Namespace) -> int:
    """Run the gateway until SIGTERM or Ctrl-C, or do what a word says.

    Raises:
        UsageError: There is neither a word nor ``--config``.
    """
    if chosen.word is not None:
        return int(chosen.do(chosen))
    if chosen.config is None:
        raise UsageError("name the settings: kwartier gateway --config gateway.toml")
    from gateway.care.running import run_with_care
    from gateway.enrol.renewal import Renewal
    from gateway.settings import read_settings
    from kwartier.clock import SystemClock
    from kwartier.log import begin_log
    from kwartier.stopping import stopped_by_signals

    begin_log("gateway")
    path: Path = chosen.config
    if chosen.check:
        read_settings(path)
        sys.stdout.write(f"{path}: all keys are understood\n")
        return 0
    clock, identity = SystemClock(), read_settings(path).identity
    with stopped_by_signals() as stop, ExitStack() as parts:
        if identity is not None:
            renewal = Renewal(identity, clock, stop)
            renewal.start()
            parts.callback(renewal.stop)
        run_with_care(path, clock, stop)
    return 0
