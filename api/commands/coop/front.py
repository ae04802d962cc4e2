"""The words of ``kwartier coop``, group by group."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from api.commands.coop.auditfile import WORDS as AUDITFILE
from api.commands.coop.books import WORDS as BOOKS
from api.commands.coop.connections import WORDS as CONNECTIONS
from api.commands.coop.init import WORDS as INIT
from api.commands.coop.intake import WORDS as INTAKE
from api.commands.coop.law import WORDS as LAW
from api.commands.coop.meters import WORDS as METERS
from api.commands.coop.officer import WORDS as OFFICER
from api.commands.coop.papers import WORDS as PAPERS
from api.commands.coop.pay import WORDS as PAY
from api.commands.coop.proposal import WORDS as PROPOSAL
from api.commands.coop.readings import WORDS as READINGS
from api.commands.coop.registry import WORDS as REGISTRY
from api.commands.coop.run import WORDS as RUN
from api.commands.coop.word import Word, add_common
from kwartier.cli import Command

WORDS: tuple[Word, ...] = (
    *INIT,
    *OFFICER,
    *REGISTRY,
    *CONNECTIONS,
    *INTAKE,
    *LAW,
    *METERS,
    *READINGS,
    *PROPOSAL,
    *RUN,
    *BOOKS,
    *PAPERS,
    *PAY,
    *AUDITFILE,
)


def _configure(parser: argparse.ArgumentParser) -> None:
    add_words(parser, WORDS)


def add_words(parser: argparse.ArgumentParser, words: Iterable[Word]) -> None:
    """Add groups of words to a parser; a word without a name stands for its whole group."""
    groups = parser.add_subparsers(dest="group", required=True, metavar="GROUP")
    of_group: dict[str, list[Word]] = {}
    for word in words:
        of_group.setdefault(word.group, []).append(word)
    for group, members in of_group.items():
        if not members[0].name:
            _add_leaf(groups, group, members[0])
            continue
        summary = "; ".join(word.summary for word in members)
        inner = groups.add_parser(group, help=summary, description=summary)
        names = inner.add_subparsers(dest="name", required=True, metavar="WORD")
        for word in members:
            _add_leaf(names, word.name, word)


def _add_leaf(
    parsers: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    word: Word,
) -> None:
    leaf = parsers.add_parser(
        name,
        help=word.summary,
        description=word.summary.capitalize() + ".",
        epilog=f"example:\n  {word.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(leaf)
    word.configure(leaf)
    leaf.set_defaults(run_word=word.run)


def _run(chosen: argparse.Namespace) -> int:
    return int(chosen.run_word(chosen))


COOP = Command(
    summary="keep the cooperative's books: members, decisions, runs, papers, payments",
    example="kwartier coop run list --books ./books",
    extra="coop",
    configure=_configure,
    run=_run,
)
