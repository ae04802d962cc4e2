"""``kwartier plan``: reads a planning problem, prints the cheapest plan."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from api.commands.quiet import nothing_printed
from kwartier.cli import Command, print_json
from kwartier.errors import InputError
from kwartier.wire import Json

MAX_BYTES = 256 * 1024 * 1024
_DEFAULT_LIMIT_S = 15.0
"""That of the planner, which takes long to import where only help is asked for [s]."""


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("problem", help="a JSON file, or - for standard input")
    parser.add_argument(
        "--time-limit",
        type=float,
        default=_DEFAULT_LIMIT_S,
        metavar="SECONDS",
        help="the most the solver may take for the plan (default: %(default)g)",
    )


def _run(chosen: Namespace) -> int:
    from optimizer.as_json.plan_json import json_of_plan
    from optimizer.as_json.problem_json import problem_from_json
    from optimizer.dispatch import plan

    place: str = chosen.problem
    limit_s: float = chosen.time_limit
    if not 0 < limit_s < 86_400:
        raise InputError(f"--time-limit is {limit_s:g}: give seconds above 0 and below 86400")
    try:
        problem = problem_from_json(_body(place))
    except InputError as error:
        raise InputError(f"{_name(place)}: {error}") from error
    with nothing_printed():
        made = plan(problem, time_limit_s=limit_s, stopwatch=time.perf_counter)
    print_json(json_of_plan(problem, made), stream=True)
    return 0


def _body(place: str) -> Json:
    """Return the JSON value in a file or on standard input; no object in it holds a key twice."""
    from optimizer.as_json.strict_json import once

    try:
        if place == "-":
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(place).open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}): give a JSON file, or -") from error
    if len(raw) > MAX_BYTES:
        raise InputError(f"is larger than {MAX_BYTES >> 20} MiB: split the problem")
    try:
        body: Json = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=once)
    except UnicodeDecodeError as error:
        raise InputError(f"byte {error.start} is not UTF-8: write the file as UTF-8") from error
    except RecursionError as error:
        raise InputError("is nested too deep: give one object, see --help") from error
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON ({error}): give one object, see --help") from error
    except ValueError as error:
        raise InputError("holds a number of thousands of digits: give finite ones") from error
    return body


def _name(place: str) -> str:
    return "standard input" if place == "-" else place


PLAN = Command(
    summary="plan batteries, cars, heat pumps, machines and panels at the lowest cost",
    example="kwartier plan problem.json",
    extra="serve",
    configure=_configure,
    run=_run,
)
