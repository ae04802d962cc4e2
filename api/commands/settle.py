"""``kwartier settle``: the board's pocket calculator and the auditor's."""

from __future__ import annotations

import argparse
import codecs
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Protocol

from api.commands.crowd import add_arguments, reckon_folder
from kwartier.cli import Command, print_json
from kwartier.errors import ContractError, InputError
from kwartier.wire import Json
from optimizer.as_json.bill_json import bill_text, resettle_text
from optimizer.as_json.settle_json import settle_quarter_text
from optimizer.as_json.strict_json import MAX_TEXT

MAX_BYTES = 4 * 1024**3
"""The longest file that is read in pieces [bytes]."""
PIECE_BYTES = 1024**2
"""How much of it is read at once [bytes]."""


class Readable(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; none at the end."""


def _period(text: str) -> dict[str, Json]:
    """Settle a period; only this question needs arrays."""
    from optimizer.as_json.period_json import period_text

    return period_text(text)


def _period_in_pieces(texts: Iterator[str]) -> dict[str, Json]:
    """Settle a period that is too long to be read at once."""
    from optimizer.as_json.period_json import period_pieces

    return period_pieces(texts)


_QUESTIONS: Mapping[str, tuple[str, Callable[[str], dict[str, Json]]]] = {
    "quarter": ("settle one quarter-hour", settle_quarter_text),
    "period": ("settle a period of quarters, or one flat day", _period),
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

    many = questions.add_parser(
        "many",
        help="settle a folder of cases, one for each neighbourhood",
        description="Settle every *.json of a folder by one process or by many, and write each "
        "answer as `kwartier settle` prints it. A case that is refused is named and the rest goes "
        "on; run again, only what is new or changed is settled.",
        epilog="example:\n  kwartier settle many july/ --workers 4",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(many, "neighbourhood")
    many.add_argument(
        "--as", dest="what", choices=list(_QUESTIONS), default="period", help="what each case is"
    )


def _run(chosen: argparse.Namespace) -> int:
    if chosen.question == "many":
        return _many(chosen)
    file, question = str(chosen.file), str(chosen.question)
    place = "standard input" if file == "-" else file
    try:
        print_json(_answer(file, question))
    except ContractError as error:
        raise InputError(f"{place}: {error}") from error
    return 0


def _many(chosen: argparse.Namespace) -> int:
    """Settle a folder; return 1 where a case was refused."""
    from api.crowd.reckonings import settled

    work = partial(settled, question=chosen.what)
    return reckon_folder(chosen, (".json",), work, f"settle {chosen.what}")


def _answer(file: str, question: str) -> dict[str, Json]:
    """Return the answer to a file, or to standard input for ``-``."""
    try:
        with _opened(file) as opened:
            return answer_to(question, opened)
    except OSError as error:
        raise ContractError(f"cannot be read: {error.strerror}: check the name") from error


def answer_to(question: str, opened: Readable) -> dict[str, Json]:
    """Return the answer to a case that can be read; never more of it than is allowed is read.

    Raises:
        ContractError: It is no such case; the message names key, value and remedy.
        OSError: It cannot be read.
    """
    _, answer = _QUESTIONS[question]
    try:
        first = opened.read(MAX_TEXT + 1)
        if question == "period" and len(first) > MAX_TEXT:
            return _period_in_pieces(_texts(first, opened))
        return answer(first.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ContractError(f"is not UTF-8 at byte {error.start}: save it as UTF-8") from error


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb")


def _texts(first: bytes, opened: Readable) -> Iterator[str]:
    """Yield the text of a long file in pieces, of which the first was read already."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    size = 0
    for piece in chain(_cut(first), iter(partial(opened.read, PIECE_BYTES), b"")):
        waiting, _ = decoder.getstate()
        try:
            yield decoder.decode(piece)
        except UnicodeDecodeError as error:
            at = size - len(waiting) + error.start
            raise ContractError(f"is not UTF-8 at byte {at}: save it as UTF-8") from error
        size += len(piece)
        if size > MAX_BYTES:
            raise ContractError(f"more than {MAX_BYTES} bytes: settle it in parts")
    yield decoder.decode(b"", final=True)


def _cut(raw: bytes) -> Iterator[bytes]:
    for start in range(0, len(raw), PIECE_BYTES):
        yield raw[start : start + PIECE_BYTES]


SETTLE = Command(
    summary="settle a quarter-hour, a period, a bill or a correction by the neighbourhood's rules",
    example="kwartier settle quarter case.json",
    extra="serve",
    configure=_configure,
    run=_run,
)
