"""A table for a sheet: columns of one kind each, and rows of typed cells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Cell: TypeAlias = str | int | Decimal | date | None
"""What stands in a cell; None leaves it empty."""


class Kind(StrEnum):
    """What a column holds, and how it is shown."""

    TEXT = "text"
    WHOLE = "whole"
    KWH = "kwh"
    EURO = "euro"
    PRICE = "price"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Column:
    """A column; its width in letters."""

    title: str
    kind: Kind
    width: int


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet.

    Attributes:
        title: Its name; at most 31 letters.
        columns: Its columns.
        rows: Its rows, each as long as there are columns.
        has_total: Whether the last row adds up the others.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    has_total: bool = False
