"""``kwartier coop init``: a folder of books, with its keys and its first two officers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from api.commands.coop.word import Word
from api.cooperative.backup import make_recovery_key
from api.cooperative.registry.founding import FirstOfficer, found
from api.cooperative.settings import Address, CoopSettings
from kwartier.cli import print_json
from kwartier.clock import SystemClock
from kwartier.errors import UsageError
from kwartier.identity import checked_name

_ASKED = (
    ("id", "the cooperative's short name, such as zonnewijk", ""),
    ("name", "the cooperative's name for people", ""),
    ("street", "its street", ""),
    ("number", "its house number", ""),
    ("postcode", "its postcode", ""),
    ("town", "its town", ""),
    ("treasurer_name", "name of the treasurer", ""),
    ("board_name", "name of another member of the board", ""),
)
"""What must be known: option, question, default."""
_OFFERED = (
    ("country", "its country, two capitals", "NL"),
    ("kvk", "its number in the trade register", ""),
    ("vat_number", "its VAT number", ""),
    ("iban", "its bank account", ""),
    ("creditor_id", "its SEPA creditor identifier", ""),
    ("phone", "where members call", ""),
    ("email", "where members write", ""),
    ("treasurer", "the treasurer's account", "treasurer"),
    ("treasurer_person", "the treasurer as a party; tells no name", "person-1"),
    ("board", "the board member's account", "board"),
    ("board_person", "the board member as a party; tells no name", "person-2"),
)
"""What may be left out: option, meaning, default."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="the books' folder; new or empty")
    for name, meaning, _ in _ASKED:
        parser.add_argument(f"--{name.replace('_', '-')}", help=f"{meaning}; asked when left out")
    for name, meaning, default in _OFFERED:
        parser.add_argument(f"--{name.replace('_', '-')}", default=default, help=meaning)
    for name, whose in (("database", "the books"), ("owner", "the owner of the tables")):
        parser.add_argument(
            f"--{name}-url", metavar="URL", help=f"address of the database for {whose}"
        )
        parser.add_argument(
            f"--{name}-url-file", metavar="FILE", help="a file with it, when it has a password"
        )


def _run(chosen: argparse.Namespace) -> int:
    _ask(chosen)
    folder = Path(chosen.folder).absolute()
    settings = CoopSettings(
        folder,
        checked_name(chosen.id, "--id"),
        chosen.name,
        Address(chosen.street, chosen.number, chosen.postcode, chosen.town, chosen.country),
        chosen.kvk,
        chosen.vat_number,
        chosen.iban,
        chosen.creditor_id,
        chosen.phone,
        chosen.email,
        "",
        "",
    )
    recovery: list[str] = []
    given = found(
        settings,
        _urls(chosen),
        FirstOfficer(chosen.treasurer, chosen.treasurer_person, chosen.treasurer_name),
        FirstOfficer(chosen.board, chosen.board_person, chosen.board_name),
        SystemClock(),
        lambda keys: recovery.append(make_recovery_key(keys)),
    )
    print_json(
        {
            "books": str(folder),
            "recovery_key": recovery[0],
            "officers": [
                {"officer": each.officer, "one_time_secret": each.secret} for each in given
            ],
        }
    )
    print(
        "Give each officer the own secret and keep neither. Each draws a new one with\n"
        "`kwartier coop officer new-secret`; the one-time secret opens nothing else.\n"
        "Write the recovery key on paper, twice, and keep it nowhere else: it alone opens what\n"
        "`kwartier backup` makes, and it is shown this once.",
        file=sys.stderr,
    )
    return 0


def _ask(chosen: argparse.Namespace) -> None:
    """Ask on a terminal what was left out.

    Raises:
        UsageError: Something is left out, and there is no terminal.
    """
    missing = [(name, asked) for name, asked, _ in _ASKED if getattr(chosen, name) is None]
    if missing and not sys.stdin.isatty():
        options = ", ".join(f"--{name.replace('_', '-')}" for name, _ in missing)
        raise UsageError(f"init needs {options}: give them, or run on a terminal")
    for name, asked in missing:
        print(f"{asked}: ", end="", file=sys.stderr, flush=True)
        setattr(chosen, name, sys.stdin.readline().strip())


def _urls(chosen: argparse.Namespace) -> dict[str, str]:
    """Return the lines about the database; a password stands in a file of its own."""
    urls: dict[str, str] = {}
    for key, url, file in (
        ("url", chosen.database_url, chosen.database_url_file),
        ("owner_url", chosen.owner_url, chosen.owner_url_file),
    ):
        if url is not None:
            _refuse_password(url)
            urls[key] = url
        if file is not None:
            urls[f"{key}_file"] = str(Path(file).absolute())
    return urls or {"url": "sqlite:///books.db"}


def _refuse_password(url: str) -> None:
    try:
        password = make_url(url).password
    except ArgumentError as error:
        raise UsageError("the database's address is none: see --help") from error
    if password:
        raise UsageError(
            "a password on the command line stands in the shell's history: "
            "write the address into a file and name it with --database-url-file"
        )


WORDS = (
    Word(
        "init",
        "",
        "make a folder of books with its keys, its database and its first two officers",
        "kwartier coop init ./books --id zonnewijk --name 'De Zonnewijk' --street Zonlaan "
        "--number 1 --postcode '2611 AA' --town Delft --treasurer-name 'Anna Bos' "
        "--board-name 'Bram Vos'",
        _arguments,
        _run,
    ),
)
