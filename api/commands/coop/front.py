"""The groups of ``kwartier coop``; each is loaded when it is asked for."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib import import_module

from api.commands.coop.word import Word, add_common
from kwartier.cli import Command
from kwartier.errors import InputError

GROUPS = {
    "init": ("init", "make a folder of books, with its keys and its first two officers"),
    "officer": ("officer", "who may act in the books"),
    "party": ("registry", "residents and organisations"),
    "member": ("registry", "memberships, with their votes"),
    "mandate": ("registry", "SEPA mandates"),
    "iban": ("registry", "accounts that members are paid on"),
    "connection": ("connections", "connections to the grid"),
    "own": ("connections", "who owned which connection when"),
    "consent": ("connections", "for what a connection's values may be used"),
    "import": ("intake", "take parties, connections, owners and mandates from a file"),
    "decision": ("law", "what the members decided"),
    "key": ("versions", "versions of the sharing key"),
    "tariff": ("versions", "versions of the tariff"),
    "vat": ("versions", "VAT codes and their rates"),
    "parameter": ("law", "rules of the law that have a value"),
    "whatif": ("whatif", "the last twelve months once more, with another tariff or key"),
    "meter": ("meters", "meters, their registers and swaps"),
    "readings": ("readings", "quarters: taken in, corrected, estimated, shown"),
    "proposal": ("proposal", "what waits for a second person"),
    "run": ("run", "settle a month, from compute to close, and correct it"),
    "books": ("books", "the ledger: balances, accounts, entries, checks, locks"),
    "journal": ("journal", "what is booked by hand, and taken back"),
    "chart": ("journal", "the chart of accounts"),
    "papers": ("papers", "print statements, invoices and sheets"),
    "pay": ("pay", "payment files, bank statements, what is open"),
    "auditfile": ("auditfile", "a book year for the tax office"),
}
"""Every group, the file its words stand in, and what it is about."""


def words_of(group: str) -> list[Word]:
    """Return the words of a group; one without a name stands for the whole group."""
    file, _ = GROUPS[group]
    words: Sequence[Word] = import_module(f"api.commands.coop.{file}").WORDS
    return [word for word in words if word.group == group]


def parser_of(group: str) -> argparse.ArgumentParser:
    """Return what reads a command line after its group."""
    words = words_of(group)
    if not words[0].name:
        return _filled(argparse.ArgumentParser(prog=f"kwartier coop {group}"), words[0])
    parser = argparse.ArgumentParser(
        prog=f"kwartier coop {group}", description=_sentence(GROUPS[group][1])
    )
    names = parser.add_subparsers(dest="name", required=True, metavar="WORD")
    for word in words:
        _filled(names.add_parser(word.name, help=word.summary), word)
    return parser


def _configure(parser: argparse.ArgumentParser) -> None:
    lines = [f"  {group:<11} {summary}" for group, (_, summary) in GROUPS.items()]
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = "\n".join([_sentence(COOP.summary), "", "groups:", *lines])
    parser.add_argument("group", choices=list(GROUPS), metavar="GROUP", help="one of the groups")
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="…", help="see kwartier coop GROUP --help"
    )


def _run(chosen: argparse.Namespace) -> int:
    asked = parser_of(chosen.group).parse_args(chosen.words, argparse.Namespace(group=chosen.group))
    if sys.stdout.isatty():
        return int(asked.run_word(asked))
    # Into a pipe nothing is told before it is kept: a reader that goes away undoes nothing.
    with redirect_stdout(io.StringIO()) as told:
        code = int(asked.run_word(asked))
    try:
        sys.stdout.write(told.getvalue())
        sys.stdout.flush()
    except OSError as error:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the exit
        raise InputError(
            f"it was done, but the answer could not be written ({error.strerror}): ask for it again"
        ) from error
    return code


def _filled(leaf: argparse.ArgumentParser, word: Word) -> argparse.ArgumentParser:
    leaf.description = _sentence(word.summary)
    leaf.epilog = f"example:\n  {word.example}"
    leaf.formatter_class = argparse.RawDescriptionHelpFormatter
    add_common(leaf)
    word.configure(leaf)
    leaf.set_defaults(run_word=word.run)
    return leaf


def _sentence(summary: str) -> str:
    return f"{summary[0].upper()}{summary[1:]}."


COOP = Command(
    summary="keep the cooperative's books: members, decisions, runs, papers, payments",
    example="kwartier coop run list --books ./books",
    extra="coop",
    configure=_configure,
    run=_run,
)
