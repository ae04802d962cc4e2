"""What commands that reckon a folder have in common: arguments, who works, what is told."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from api.crowd.many import Answered, cases_in, reckon_all
from api.crowd.workers import Alone, Crowd
from kwartier.cli import print_json
from kwartier.errors import InputError, MissingExtraError
from kwartier.progress import Progress

_MOST_WORKERS = 256


def add_arguments(parser: argparse.ArgumentParser, kind: str) -> None:
    """Add the folder, where answers go, and who does the work."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help=f"a file for each {kind}")
    parser.add_argument(
        "--answers", type=Path, metavar="DIR", help="where answers go; FOLDER/answers if not told"
    )
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="so many processes of this machine; more than one needs kwartier[fleet]",
    )
    who.add_argument(
        "--scheduler",
        metavar="URL",
        help="a Dask scheduler on a network of your own, as tcp://HOST:8786; its workers see "
        "FOLDER at the same place",
    )


def reckon_folder(
    chosen: argparse.Namespace,
    endings: tuple[str, ...],
    work: Callable[[str], Answered],
    what: str,
) -> int:
    """Reckon a folder, print one JSON summary, and return 1 where a case was refused.

    Raises:
        InputError: The folder cannot be reckoned, or there is no such crowd.
        CrowdGoneError: The workers went away; what was done is kept.
    """
    folder: Path = chosen.folder
    to: Path = chosen.answers or folder / "answers"
    if to.resolve() == folder.resolve():
        raise InputError(f"--answers {to}: they would stand among the cases: name another folder")
    cases = cases_in(folder, endings)
    bar, begun_s = Progress("reckoning", len(cases)), time.monotonic()
    try:
        with _crowd(chosen.workers, chosen.scheduler, what) as crowd:
            summary = reckon_all(cases, to, work, what, crowd, bar.show)
    finally:
        bar.end()
    for name, reason in summary.refused.items():
        print(f"{name}: {reason}", file=sys.stderr)
    if summary.older:
        print(
            f"{to}: {summary.older} of {summary.kept} answers that were kept are another version's "
            "of kwartier: name a new folder with --answers to reckon all anew",
            file=sys.stderr,
        )
    print_json({**asdict(summary), "seconds": round(time.monotonic() - begun_s, 3)})
    return 1 if summary.refused else 0


@contextmanager
def _crowd(workers: int, scheduler: str | None, what: str) -> Iterator[Crowd]:
    if not 1 <= workers <= _MOST_WORKERS:
        raise InputError(f"--workers {workers}: 1 to {_MOST_WORKERS} can work")
    if scheduler is None and workers == 1:
        yield Alone()
        return
    try:
        from api.crowd.dask import crowd_at, local_crowd
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{what.split(maxsplit=1)[0]} many", "fleet", error.name or ""
        ) from error
    with local_crowd(workers) if scheduler is None else crowd_at(scheduler) as crowd:
        yield crowd
