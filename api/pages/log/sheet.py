"""The log as a sheet: CSV that opens in a spreadsheet, with instants that bear their offset."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator

from api.pages.language import Language
from api.pages.log.front import LoggedAct, act_words
from api.schemas import moment_time

MOST_ROWS = 100_000
"""A sheet holds at most about so many acts."""
CHUNK = 1_000
"""How many acts are read at once."""
COLUMNS = ("source", "number", "at", "who", "act", "words", "subject", "facts", "hash")
_FORMULA = ("=", "+", "-", "@", "\t")


def log_sheet(acts: Iterable[LoggedAct], lang: Language) -> Iterator[str]:
    """Yield the lines of a sheet: marked as UTF-8, fields parted by semicolons."""
    yield "\N{ZERO WIDTH NO-BREAK SPACE}"
    yield _line([lang.say(f"log.column.{name}") for name in COLUMNS])
    for act in acts:
        yield _line(
            [
                lang.say(f"log.source.{act.source}"),
                str(act.number),
                moment_time(act.at_s).isoformat(),
                act.who,
                act.act,
                act_words(act.act, lang),
                act.subject,
                json.dumps(act.facts, ensure_ascii=False, sort_keys=True),
                act.hash,
            ]
        )


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerow(map(_inert, cells))
    return out.getvalue()


def _inert(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
