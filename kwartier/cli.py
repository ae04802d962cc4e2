"""The front door: finds the commands of the parts that are installed."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points, version

from kwartier.errors import InputError, KwartierError, MissingExtraError

GROUP = "kwartier.commands"


@dataclass(frozen=True, slots=True)
class Command:
    """One word after ``kwartier``.

    Attributes:
        summary: What it does, in one line.
        example: A command line that works.
        extra: The part of the distribution it needs, such as ``gateway``.
        configure: Adds its arguments.
        run: Does it and returns the exit code; may raise ``KwartierError``.
    """

    summary: str
    example: str
    extra: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused, 2 usage, 78 configuration."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _hold_blas_to_one_thread()
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    name = words[0] if words else "--help"
    if name in {"-h", "--help"}:
        print(_overview(found))
        return 0 if words else 2
    if name == "--version":
        print(f"kwartier {version('kwartier')}")
        return 0
    if name not in found:
        known = ", ".join(sorted(found))
        print(f"kwartier: no command {name!r}; there are: {known}", file=sys.stderr)
        return 2
    try:
        return _run(found[name], words[1:])
    except KwartierError as error:
        print(f"kwartier {name}: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130


def print_json(answer: object, *, stream: bool = False) -> None:
    """Print one answer as JSON on standard output; ``stream`` puts it on one line.

    Raises:
        InputError: Standard output takes nothing more, as on a full disk.
    """
    text = json.dumps(answer, ensure_ascii=False, allow_nan=False, indent=None if stream else 2)
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the exit
        raise InputError(f"the answer could not be written: {error.strerror}") from error


def _hold_blas_to_one_thread() -> None:
    """Keep numpy, loaded later if at all, from burning a processor per thread for small systems.

    A plan of many batteries takes two to three times the processor time with more [measured]. Who
    has set a number of threads keeps it.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _run(entry: EntryPoint, words: Sequence[str]) -> int:
    try:
        command = _loaded(entry)
    except ModuleNotFoundError as error:
        raise MissingExtraError(entry.name, "all", error.name or "") from error
    parser = argparse.ArgumentParser(
        prog=f"kwartier {entry.name}",
        description=command.summary,
        epilog=f"example:\n  {command.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.configure(parser)
    chosen = parser.parse_args(words)
    try:
        return command.run(chosen)
    except ModuleNotFoundError as error:
        raise MissingExtraError(entry.name, command.extra, error.name or "") from error


def _loaded(entry: EntryPoint) -> Command:
    command = entry.load()
    assert isinstance(command, Command), entry
    return command


def _overview(found: dict[str, EntryPoint]) -> str:
    lines = [
        "usage: kwartier COMMAND [arguments]   (kwartier COMMAND --help tells more)",
        "",
        "Measure, share, plan and settle energy in a neighbourhood.",
        "",
    ]
    for name, entry in sorted(found.items()):
        try:
            summary = _loaded(entry).summary
        except ModuleNotFoundError as error:
            summary = f"(not installed here: needs the Python module {error.name})"
        lines.append(f"  {name:<10} {summary}")
    return "\n".join(lines)
