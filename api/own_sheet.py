"""A CSV file of a person's own copy."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence


def sheet(
    name: str, header: Sequence[str], rows: Iterable[Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """Yield a file by its name, with a header; nothing where there are no rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    empty = True
    for row in rows:
        writer.writerow(row)
        empty = False
    if not empty:
        yield name, text.getvalue()
