"""``kwartier doctor``: every link of a server, its state, since when, and what to do."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from kwartier.cli import Command, print_json
from kwartier.errors import SettingsError

if TYPE_CHECKING:
    from api.doctor.finding import Finding, State

USUAL = (Path("/etc/kwartier/collect.toml"), Path("/etc/kwartier/serve.toml"))
"""Where settings are sought when none are named."""
_CODES = {"good": 0, "none": 0, "look": 1, "broken": 2}
_COLOURS = {"good": "32", "none": "2", "look": "33", "broken": "31"}
_WIDTH = 96


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        action="append",
        metavar="FILE",
        help="settings of a service, may be given more than once; those in /etc/kwartier if absent",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.description = (
        "Look at every link from the meters to the pages, also while services are down. "
        "Exit code: 0 all is good, 1 somebody should look, 2 something is broken."
    )


def _run(chosen: argparse.Namespace) -> int:
    from api.doctor.examine import examine, read_services
    from api.doctor.finding import worst
    from kwartier.clock import SystemClock
    from kwartier.interval import instant_text

    named: list[Path] | None = chosen.config
    files = named or [file for file in USUAL if file.exists()]
    if not files:
        raise SettingsError("name the settings of a service: kwartier doctor --config serve.toml")
    now_s = int(SystemClock().now_s())
    found = examine(read_services(files), now_s)
    state = worst(found)
    if chosen.json:
        links = [
            {
                "link": one.link,
                "state": one.state.value,
                "since": None if one.since_s is None else instant_text(one.since_s),
                "what": one.what,
                "do": one.do,
            }
            for one in found
        ]
        print_json({"at": instant_text(now_s), "worst": state.value, "links": links})
    else:
        _show(found, state)
    return _CODES[state.value]


def _show(found: list[Finding], state: State) -> None:
    from kwartier.interval import instant_text

    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for one in found:
        since = "" if one.since_s is None else f" (since {instant_text(one.since_s)})"
        print(_lines(f"{_state(one.state, coloured=coloured)} {one.link:<16} ", one.what + since))
        if one.do:
            print(_lines(" " * 24 + "-> ", one.do))
    print(f"worst: {_state(state, coloured=coloured).strip()}")


def _state(state: State, *, coloured: bool) -> str:
    text = f"{state.value:<6}"
    return f"\x1b[{_COLOURS[state.value]}m{text}\x1b[0m" if coloured else text


def _lines(first: str, text: str) -> str:
    """Return a text after its first words, later lines set in below it."""
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH - 24) or [""]
    return ("\n" + " " * 24).join([f"{first}{lines[0]}", *lines[1:]])


DOCTOR = Command(
    summary="look at every link of a server: state, since when, what to do",
    example="kwartier doctor --config collect.toml --config serve.toml",
    extra="serve",
    configure=_arguments,
    run=_run,
)
