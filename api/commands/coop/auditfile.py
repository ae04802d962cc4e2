"""``kwartier coop auditfile``: the book year as the tax office reads it."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from api.commands.coop.acting import recognised
from api.commands.coop.word import Word, books_folder
from api.cooperative.auditfile import auditfile
from api.cooperative.chain import record
from api.cooperative.officers import Role
from api.cooperative.payments.file_out import write_whole
from api.cooperative.settings import read_settings
from kwartier.cli import print_json


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--year", required=True, type=int, help="the calendar year")
    parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="where to")


def _make(chosen: argparse.Namespace) -> int:
    settings = read_settings(books_folder(chosen))
    with recognised(chosen) as (books, officer):
        officer.need(Role.TREASURER, Role.BOARD, Role.BOOKKEEPER, Role.AUDITOR)
        with books.reading(officer) as desk:
            content = auditfile(desk, settings, chosen.year)
        found = hashlib.sha256(content).hexdigest()
        write_whole(chosen.to, content)
        with books.desk(officer) as desk:
            record(desk, "auditfile.make", str(chosen.year), {"sha256": found})
    print_json(
        {
            "year": chosen.year,
            "written": str(chosen.to),
            "bytes": len(content),
            "sha256": found,
        }
    )
    return 0


WORDS = (
    Word(
        "auditfile",
        "",
        "write a book year for the tax office, as Auditfile Financieel 4.0",
        "kwartier coop auditfile --year 2026 --to 2026.xaf --as treasurer",
        _arguments,
        _make,
    ),
)
