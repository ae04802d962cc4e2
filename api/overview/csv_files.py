"""One's own days or quarters as files: for a spreadsheet in one's language, and for programs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO

from api.overview.lived import Bar
from api.overview.page import COLUMNS, known_of
from api.pages.language import Language
from kwartier.interval import HOME_ZONE, day_of
from kwartier.units import kwh_text

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Tells spreadsheets that the text is UTF-8."""


def for_people(bars: Iterable[Bar], lang: Language, *, quarters: bool) -> str:
    """Return rows for a spreadsheet: ``;`` between, commas in numbers, a head in words.

    Args:
        bars: What is told, in order.
        lang: The reader's language.
        quarters: Whether each row is a quarter, with its time of day.
    """
    times = ["overview.file.time"] if quarters else []
    head = [lang.say(key) for key in ("overview.file.date", *times)]
    head += [f"{lang.say(f'overview.column.{name}')} (kWh)" for name in COLUMNS]
    head.append(lang.say("overview.column.known"))
    rows = []
    for bar in bars:
        when = [day_of(bar.start_s).isoformat()]
        if quarters:
            when.append(lang.quarter_name(bar.start_s))
        known = lang.say(f"overview.known.{known_of(bar)}")
        rows.append([*when, *(_comma(value) for value in _energies(bar)), known])
    return BYTE_ORDER_MARK + _written([head, *rows], ";")


def for_programs(bars: Iterable[Bar]) -> str:
    """Return rows for a program: commas between, dots in numbers, times with their offset."""
    head = ["start", "end", *(f"{name}_wh" for name in COLUMNS), "known"]
    rows = []
    for bar in bars:
        energies = ["" if value is None else str(value) for value in _energies(bar)]
        rows.append([_instant(bar.start_s), _instant(bar.end_s), *energies, known_of(bar)])
    return _written([head, *rows], ",")


def _energies(bar: Bar) -> list[int | None]:
    """Return what a row tells [Wh]; None throughout when nothing is known."""
    sums = bar.sums
    if sums is None:
        return [None] * len(COLUMNS)
    return [
        sums.bought_wh,
        sums.roof_wh,
        sums.grid_wh,
        sums.use_wh,
        sums.given_wh,
        sums.to_grid_wh,
    ]


def _comma(energy_wh: int | None) -> str:
    return "" if energy_wh is None else kwh_text(energy_wh).replace(".", ",")


def _instant(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, HOME_ZONE).isoformat()


def _written(rows: Iterable[Sequence[str]], delimiter: str) -> str:
    text = StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
