"""The geometry of a connection's days: bars up for what came, down for what went, to scale."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from api.cooperative.statement import ConnectionPart, DayPart
from kwartier.units import Wh

WIDTH = 660
"""Width of the plot, without the marks beside it."""
LEFT = 40
"""Room for the marks beside the plot."""
TALL = 136
"""Height of up and down together."""
TOP = 8
"""Room above the highest bar."""
FOOT = 18
"""Room for the names of days."""


@dataclass(frozen=True, slots=True)
class Block:
    """One coloured part of a bar; ``what`` names its colour and pattern."""

    x: str
    y: str
    width: str
    height: str
    what: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A word beside or under the plot, and where its line runs."""

    x: str
    y: str
    value: int


@dataclass(frozen=True, slots=True)
class Bars:
    """Everything a template draws.

    Attributes:
        width: Of the whole drawing.
        height: Of the whole drawing.
        left: Where the plot begins.
        zero: Height of the line between up and down.
        blocks: The bars' parts.
        lines: Energy marks [Wh], with the height of their line.
        days: Day numbers under the plot.
        guesses: Days with estimated or missing quarters.
    """

    width: int
    height: int
    left: int
    zero: str
    blocks: tuple[Block, ...]
    lines: tuple[Mark, ...]
    days: tuple[Mark, ...]
    guesses: tuple[Mark, ...]


def bars_of(part: ConnectionPart) -> Bars:
    """Return the drawing of a connection's days."""
    up_wh = max((day.import_wh for day in part.days), default=0)
    down_wh = max((day.export_wh for day in part.days), default=0)
    tall = Fraction(TALL, max(1, up_wh + down_wh))
    zero = TOP + up_wh * tall
    step = Fraction(WIDTH, max(1, len(part.days)))
    blocks: list[Block] = []
    for place, day in enumerate(part.days):
        x = LEFT + place * step + step / 8
        blocks += _blocks(day, (x, step * 3 / 4), (zero, tall))
    lines = [Mark(_text(LEFT), _text(zero - wh * tall), wh) for wh in _rounds(up_wh, tall)]
    lines += [Mark(_text(LEFT), _text(zero + wh * tall), wh) for wh in _rounds(down_wh, tall)]
    bottom = TOP + TALL
    middles = [LEFT + place * step + step / 2 for place in range(len(part.days))]
    named = [
        Mark(_text(x), _text(Fraction(bottom + 13)), day.day.day)
        for x, day in zip(middles, part.days, strict=True)
        if day.day.day == 1 or day.day.day % 5 == 0 or len(part.days) <= 10
    ]
    guesses = [
        Mark(_text(x), _text(Fraction(TOP - 5)), day.day.day)
        for x, day in zip(middles, part.days, strict=True)
        if day.estimated or day.missing
    ]
    return Bars(
        LEFT + WIDTH,
        bottom + FOOT,
        LEFT,
        _text(zero),
        tuple(blocks),
        tuple(lines),
        tuple(named),
        tuple(guesses),
    )


def _blocks(
    day: DayPart, across: tuple[Fraction, Fraction], scale: tuple[Fraction, Fraction]
) -> list[Block]:
    """Return a day's bar: shared energy nearest to the line, what is left beyond it."""
    (x, width), (zero, tall) = across, scale
    told: list[Block] = []
    at = zero
    for energy_wh, what in (
        (day.bought_wh, "bought"),
        (day.import_wh - day.bought_wh, "import"),
    ):
        at -= energy_wh * tall
        told.append(Block(_text(x), _text(at), _text(width), _text(energy_wh * tall), what))
    at = zero
    for energy_wh, what in (
        (day.sold_wh, "sold"),
        (day.to_battery_wh, "battery"),
        (day.export_wh - day.sold_wh - day.to_battery_wh, "export"),
    ):
        told.append(Block(_text(x), _text(at), _text(width), _text(energy_wh * tall), what))
        at += energy_wh * tall
    return [block for block in told if block.height != "0"]


def _rounds(top_wh: Wh, tall: Fraction) -> list[Wh]:
    """Return one or two round energies below the top, far enough apart to be read."""
    if top_wh * tall < 24:
        return []
    power = 10 ** (len(str(top_wh)) - 1)
    steps = [part * power // 10 for part in (50, 20, 10, 5, 2)]
    step = next((wh for wh in steps if 0 < wh <= top_wh and wh * tall >= 22), 0)
    return [step * count for count in (1, 2, 3) if step and step * count <= top_wh]


def _text(value: Fraction | int) -> str:
    """Return a length with two decimals and no more zeros than needed."""
    hundredths = round(Fraction(value) * 100)
    whole, rest = divmod(abs(hundredths), 100)
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{whole}.{rest:02d}".rstrip("0").rstrip(".")
