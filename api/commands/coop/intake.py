"""``kwartier coop import``: many parties and connections at once, seen before they are kept."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from api.commands.coop.acting import fields_of, writing_desk
from api.commands.coop.word import Word
from api.cooperative.errors import BooksError
from api.cooperative.registry.intake import rest_csv, take
from api.cooperative.registry.intake_columns import COLUMNS
from api.cooperative.registry.intake_file import MAX_BYTES, read_sheet
from kwartier.cli import print_json
from kwartier.errors import ContractError

MAX_SHOWN = 200
"""How many faults are printed; the rest file has them all."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    known = ", ".join(f"{each.name} ({each.dutch})" for each in COLUMNS)
    parser.add_argument("file", help=f"CSV with ; or , or XLSX, with columns of: {known}")
    parser.add_argument("--apply", action="store_true", help="keep the good rows")
    parser.add_argument(
        "--rest", metavar="FILE", help="where the bad rows go; beside the file when absent"
    )


def _run(chosen: argparse.Namespace) -> int:
    file = Path(chosen.file)
    try:
        with file.open("rb") as opened:
            sheet = read_sheet(opened.read(MAX_BYTES + 1))
    except OSError as error:
        raise BooksError(f"{file}: cannot be read: {error.strerror}") from error
    except ContractError as error:
        raise BooksError(f"{file}: {error}") from error
    with writing_desk(chosen) as desk:
        try:
            done = take(desk, sheet, apply=chosen.apply)
        except ContractError as error:
            raise BooksError(f"{file}: {error}") from error
    rest = None
    if done.faults and chosen.apply:
        rest = Path(chosen.rest) if chosen.rest else file.with_name(f"{file.stem}.rest.csv")
        _write(rest, rest_csv(sheet, done))
    print_json(
        {
            "rows": len(sheet.rows),
            "taken": done.taken,
            "unchanged": done.unchanged,
            "refused": len({fault.row for fault in done.faults}),
            "applied": done.applied,
            "faults": [fields_of(fault) for fault in done.faults[:MAX_SHOWN]],
            "rest": None if rest is None else str(rest),
        }
    )
    if not chosen.apply:
        print("nothing was kept: this was a dry run; keep the good rows with --apply",
              file=sys.stderr)  # fmt: skip
    return 1 if done.faults else 0


def _write(rest: Path, text: str) -> None:
    """Write the bad rows for their owner's eyes: they hold names and accounts."""
    try:
        opened = os.open(rest, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise BooksError(
            f"{rest}: cannot be written: {error.strerror}; the good rows are kept, import the "
            "same file again for the bad ones"
        ) from error


WORDS = (
    Word(
        "import",
        "",
        "take parties, connections, owners and mandates from a CSV or XLSX file",
        "kwartier coop import leden.csv --apply --as treasurer",
        _arguments,
        _run,
    ),
)
