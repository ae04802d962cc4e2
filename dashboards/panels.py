"""What a board is made of: rows of panels, each a question or a few, and how they are drawn.

Nothing here knows Grafana's form of it: `dashboards.classic` writes that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from dashboards.sources import Source
from dashboards.words import Text

WIDTH = 24
"""How many columns a board has."""
NOTHING: Mapping[str, Text] = {}


class Unit(StrEnum):
    """A unit as Grafana calls it; watts and seconds are scaled to what reads well."""

    WATT = "watt"
    WATT_HOUR = "watth"
    PERCENT = "percent"
    EURO = "currencyEUR"
    SECONDS = "s"
    COUNT = "none"


class Colour(StrEnum):
    """A colour that is seen on a light page and on a dark one: at least 3 to 1 on both."""

    SUN = "#b87a10"
    USE = "#4a7fd0"
    PLAN = "#9a63cc"
    GOOD = "#2f8f57"
    CALM = "#7d8794"
    LOOK = "#c9700a"
    ACT = "#e0484d"


class Shape(StrEnum):
    """How a line is drawn; what is expected has dashes, so that colour is not alone."""

    STEPS = "steps"
    DASHES = "dashes"
    BARS = "bars"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Line:
    """One question and the line it draws.

    Attributes:
        source: Who is asked.
        question: In Flux or PromQL.
        name: What its line is called; None when the answer has one line per label.
        colour: Of its line; None lets Grafana choose.
        shape: How it is drawn.
        label: The label that names each line where ``name`` is None.
        names: What the values of that label are called.
    """

    source: Source
    question: str
    name: Text | None = None
    colour: Colour | None = None
    shape: Shape = Shape.STEPS
    label: str = ""
    names: Mapping[str, Text] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Step:
    """From ``low`` upwards a number has this colour; None is below all."""

    low: float | None
    colour: Colour


@dataclass(frozen=True, slots=True)
class Said:
    """From ``low`` to ``high`` a sentence stands in the place of the number; None has no end."""

    low: float | None
    high: float | None
    text: Text
    colour: Colour


@dataclass(frozen=True, slots=True)
class Chart:
    """Values over time; a gap in the values is a gap in the line.

    Attributes:
        title: What is to be seen.
        help: One or two sentences for who reads it.
        unit: Of all its lines.
        lines: What is drawn, at most four.
        low: The least of its axis; None follows the values.
        high: The most of it; None likewise.
        stacked: Whether bars stand on each other.
        since: How far back it looks, such as ``14d``; None follows the board.
        decimals: None lets Grafana choose.
    """

    title: Text
    help: Text
    unit: Unit
    lines: tuple[Line, ...]
    low: float | None = None
    high: float | None = None
    stacked: bool = False
    since: str | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """The newest value, large.

    Attributes:
        title: What it is.
        help: One or two sentences for who reads it.
        unit: Of the number.
        line: What is asked.
        steps: Its colours.
        said: Sentences in the place of numbers.
        since: How far back a value still counts as the newest; None follows the board.
        decimals: None lets Grafana choose.
    """

    title: Text
    help: Text
    unit: Unit
    line: Line
    steps: tuple[Step, ...] = (Step(None, Colour.CALM),)
    said: tuple[Said, ...] = ()
    since: str | None = None
    decimals: int | None = None

    @property
    def lines(self) -> tuple[Line, ...]:
        """Return its one question, as a chart has some."""
        return (self.line,)


Panel: TypeAlias = Chart | Number


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side; each is as wide as its share of the widths says.

    Attributes:
        height: In Grafana's rows of some 30 pixels.
        panels: From left to right, all of the same width.
    """

    height: int
    panels: tuple[Panel, ...]

    @property
    def width(self) -> int:
        """Return the width of each panel, in columns."""
        return WIDTH // len(self.panels)


@dataclass(frozen=True, slots=True)
class Folder:
    """A shelf of boards: who may open it is set in Grafana, for all of its boards together."""

    uid: str
    title: Text


@dataclass(frozen=True, slots=True)
class Board:
    """One board.

    Attributes:
        uid: Its name in addresses.
        title: Above it.
        help: Who reads it, and for what.
        folder: Where it stands.
        since: The start of what it shows, in Grafana's words.
        until: The end of it.
        refresh: How often it asks anew.
        rows: From top to bottom.
    """

    uid: str
    title: Text
    help: Text
    folder: Folder
    since: str
    until: str
    refresh: str
    rows: tuple[Row, ...]
