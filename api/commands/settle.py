"""``kwartier settle``: the board's pocket calculator and the auditor's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from kwartier.cli import Command, print_json
from kwartier.errors import ContractError, InputError
from kwartier.wire import Json
from optimizer.bill_json import bill_text, resettle_text
from optimizer.period_json import period_text
from optimizer.settle_json import settle_quarter_text
from optimizer.strict_json import MAX_TEXT

_QUESTIONS: Mapping[str, tuple[str, Callable[[str], dict[str, Json]]]] = {
    "quarter": ("settle one quarter-hour", settle_quarter_text),
    "period": ("settle a period of quarters, or one flat day", period_text),
    "bill": ("turn volumes into invoices and journal entries", bill_text),
    "resettle": ("correct a bill by full reversal", resettle_text),
}


def _configure(parser: argparse.ArgumentParser) -> None:
    questions = parser.add_subparsers(dest="question", required=True, metavar="QUESTION")
    for name, (summary, _) in _QUESTIONS.items():
        question = questions.add_parser(
            name,
            help=summary,
            description=f"{summary.capitalize()}; docs/settlement.md shows the file.",
            epilog=f"example:\n  kwartier settle {name} case.json",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        question.add_argument(
            "file", metavar="FILE", help="the case as JSON; - reads it from stdin"
        )


def _run(chosen: argparse.Namespace) -> int:
    file, question = str(chosen.file), str(chosen.question)
    _, answer = _QUESTIONS[question]
    place = "standard input" if file == "-" else file
    try:
        print_json(answer(_text(file)))
    except ContractError as error:
        raise InputError(f"{place}: {error}") from error
    return 0


def _text(file: str) -> str:
    """Return the text of a file, or of standard input for ``-``; never more than is read."""
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(MAX_TEXT + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(MAX_TEXT + 1)
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise ContractError(f"cannot be read: {error.strerror}: check the name") from error
    except UnicodeDecodeError as error:
        raise ContractError(f"is not UTF-8 at byte {error.start}: save it as UTF-8") from error


SETTLE = Command(
    summary="settle a quarter-hour, a period, a bill or a correction by the neighbourhood's rules",
    example="kwartier settle quarter case.json",
    extra="serve",
    configure=_configure,
    run=_run,
)
