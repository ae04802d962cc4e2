"""``kwartier coop papers``: print what members, the treasurer and programs receive."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from api.commands.coop.acting import fields_of, recognised
from api.commands.coop.word import Word, books_folder
from api.cooperative.chain import record
from api.cooperative.papers.printing import MANIFEST, Format, Printed, print_papers
from api.cooperative.settings import read_settings
from kwartier.cli import print_json

EVERY = ",".join(Format)
"""All formats, as they are named on the command line."""


def _formats(text: str) -> frozenset[Format]:
    try:
        return frozenset(Format(name.strip()) for name in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r}: name formats with commas between, out of {EVERY}"
        ) from None


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True, help="the run, such as 2026-07/1")
    parser.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="where to")
    parser.add_argument("--member", metavar="ID", help="only this member's papers")
    parser.add_argument(
        "--format",
        type=_formats,
        default=frozenset(Format),
        metavar="LIST",
        help=f"formats with commas between; by default {EVERY}",
    )


def _make(chosen: argparse.Namespace) -> int:
    from api.cooperative.papers.gathering import papers_of_run

    settings = read_settings(books_folder(chosen))
    with recognised(chosen) as (books, officer):
        with books.reading(officer) as desk:
            papers = papers_of_run(desk, settings, chosen.run)
        if chosen.member:
            papers = papers.of_member(chosen.member)
        printed = print_papers(
            papers.statements,
            papers.credit_notes,
            chosen.format,
            chosen.to,
            papers.numbers,
            whole_run=not chosen.member,
        )
        manifest = hashlib.sha256((chosen.to / MANIFEST).read_bytes()).hexdigest()
        with books.desk(officer) as desk:
            record(desk, "papers.make", chosen.run, {"files": len(printed), "manifest": manifest})
    print_json(
        {
            "run": chosen.run,
            "folder": str(chosen.to),
            "manifest_sha256": manifest,
            "files": [fields_of(each) for each in printed],
        }
    )
    _tell(printed)
    return 0


def _tell(printed: tuple[Printed, ...]) -> None:
    if any(each.name.endswith(".xml") for each in printed):
        print(
            "e-invoices were checked here by the sums of EN 16931 and the Dutch rules; whether "
            "the receiver is registered with Peppol is for the access point to check",
            file=sys.stderr,
        )


WORDS = (
    Word(
        "papers",
        "make",
        "print a run's statements, invoices and sheets into a folder, with their hashes",
        "kwartier coop papers make --run 2026-07/1 --to ./papers/2026-07 --as treasurer",
        _arguments,
        _make,
    ),
)
