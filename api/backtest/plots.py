"""Plots as SVG of our own: a title, axes with units, a legend; drawn for a phone and up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from optimizer.problem import FloatArray

_WIDTH, _LEFT, _RIGHT, _TOP = 360.0, 46.0, 14.0, 8.0
_FOOT = 34.0
_LEGEND_ROW = 15.0
_TICKS = 5
_COLOURS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A line or a kind of bar.

    Attributes:
        name: What the legend says.
        values: One for each place along the axis.
        look: Which of the page's colours and dashes, 0 to 4.
    """

    name: str
    values: Sequence[float] | FloatArray
    look: int
    is_stepped: bool = False


@dataclass(frozen=True, slots=True)
class Axes:
    """What stands along the edges.

    Attributes:
        title: Of the plot.
        across: What is along the bottom.
        up: The unit of the values.
        marks: Places along the bottom and what stands there.
        write: Writes a value along the side.
    """

    title: str
    across: str
    up: str
    marks: Sequence[tuple[float, str]]
    write: Callable[[float], str]


def lines(axes: Axes, series: Sequence[Series], height: float = 200.0) -> str:
    """Return lines over a common axis; a value that is not a number is a gap."""
    count = max(len(one.values) for one in series)
    frame = _Frame.around([float(v) for one in series for v in one.values], height)
    step = frame.width / max(count - 1, 1)
    drawn = [
        f'<path class="line look{one.look % _COLOURS}" d="{_path(one, frame, step)}"/>'
        for one in series
    ]
    marks = [(_LEFT + place * step, text) for place, text in axes.marks]
    return _figure(axes, frame, marks, drawn, series, "line")


def bars(axes: Axes, groups: Sequence[str], series: Sequence[Series], height: float = 200.0) -> str:
    """Return bars side by side in groups, each with what it stands for in its tooltip."""
    frame = _Frame.around([0.0, *(float(v) for one in series for v in one.values)], height)
    each = frame.width / len(groups)
    width = each * 0.8 / len(series)
    drawn = []
    for row, one in enumerate(series):
        for place, value in enumerate(one.values):
            left = _LEFT + each * (place + 0.1) + width * row
            top, bottom = frame.y(max(value, 0.0)), frame.y(min(value, 0.0))
            drawn.append(
                f'<rect class="bar look{one.look % _COLOURS}" x="{left:.1f}" y="{top:.1f}" '
                f'width="{width:.1f}" height="{max(bottom - top, 0.5):.1f}">'
                f"<title>{escape(f'{groups[place]}, {one.name}: {axes.write(value)} {axes.up}')}"
                "</title></rect>"
            )
    marks = [(_LEFT + each * (place + 0.5), text) for place, text in enumerate(groups)]
    return _figure(axes, frame, marks, drawn, series if len(series) > 1 else (), "bar")


def lying_bars(
    axes: Axes, groups: Sequence[str], values: Sequence[float], looks: Sequence[int]
) -> str:
    """Return a bar for each group, lying, with its name above it and its value behind it."""
    row = 34.0
    high = max([*values, 0.0]) or 1.0
    low = min([*values, 0.0])
    span = (_WIDTH - 80.0) / (high - low)
    zero = 8.0 - low * span
    drawn = []
    for place, (name, value) in enumerate(zip(groups, values, strict=True)):
        top = row * place
        left, width = zero + min(value, 0.0) * span, abs(value) * span
        drawn.append(
            f'<text class="name" x="8" y="{top + 13:.0f}">{escape(name)}</text>'
            f'<rect class="bar look{looks[place] % _COLOURS}" x="{left:.1f}" y="{top + 18:.0f}" '
            f'width="{max(width, 1.0):.1f}" height="11"/>'
            f'<text x="{zero + max(value, 0.0) * span + 5:.1f}" y="{top + 28:.0f}">'
            f"{escape(axes.write(value))}</text>"
        )
    return _wrapped(axes.title, axes.up, row * len(groups) + 6, drawn)


@dataclass(frozen=True, slots=True)
class _Frame:
    low: float
    high: float
    tick: float
    height: float

    @classmethod
    def around(cls, values: Sequence[float], height: float) -> _Frame:
        finite = [value for value in values if math.isfinite(value)] or [0.0]
        low, high = min(*finite, 0.0), max(*finite, 0.0)
        if high == low:
            high = low + 1.0
        tick = _nice((high - low) / _TICKS)
        return cls(math.floor(low / tick) * tick, math.ceil(high / tick) * tick, tick, height)

    @property
    def width(self) -> float:
        return _WIDTH - _LEFT - _RIGHT

    @property
    def bottom(self) -> float:
        return self.height - _FOOT

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - _TOP)

    def ticks(self) -> list[float]:
        count = round((self.high - self.low) / self.tick)
        return [self.low + place * self.tick for place in range(count + 1)]


def _nice(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(part * power for part in (1.0, 2.0, 5.0, 10.0) if part * power >= rough * 0.999)


def _path(one: Series, frame: _Frame, step: float) -> str:
    parts: list[str] = []
    pen_up = True
    for place, value in enumerate(one.values):
        if not math.isfinite(value):
            pen_up = True
            continue
        x, y = _LEFT + place * step, frame.y(float(value))
        if pen_up:
            parts.append(f"M{x:.1f} {y:.1f}")
        elif one.is_stepped:
            parts.append(f"H{x:.1f}V{y:.1f}")
        else:
            parts.append(f"L{x:.1f} {y:.1f}")
        pen_up = False
    return "".join(parts)


def _figure(
    axes: Axes,
    frame: _Frame,
    marks: Sequence[tuple[float, str]],
    drawn: Sequence[str],
    named: Sequence[Series],
    kind: str,
) -> str:
    right = _WIDTH - _RIGHT
    grid = [
        f'<path class="{"zero" if abs(value) < frame.tick / 1e6 else "grid"}" '
        f'd="M{_LEFT} {frame.y(value):.1f}H{right}"/>'
        f'<text class="up" x="{_LEFT - 5}" y="{frame.y(value) + 3.5:.1f}">'
        f"{escape(axes.write(value))}</text>"
        for value in frame.ticks()
    ]
    foot = [
        f'<text class="mark" x="{x:.1f}" y="{frame.bottom + 14:.1f}">{escape(text)}</text>'
        for x, text in marks
    ]
    foot.append(
        f'<text class="axis" x="{right}" y="{frame.bottom + 28:.1f}">{escape(axes.across)}</text>'
    )
    legend = []
    for row, one in enumerate(named):
        top = frame.height + _LEGEND_ROW * row
        sign = (
            f'<path class="line look{one.look % _COLOURS}" d="M{_LEFT} {top + 6}h22"/>'
            if kind == "line"
            else f'<rect class="bar look{one.look % _COLOURS}" x="{_LEFT}" y="{top + 1}" '
            'width="22" height="9"/>'
        )
        legend.append(f'{sign}<text x="{_LEFT + 28}" y="{top + 10}">{escape(one.name)}</text>')
    height = frame.height + _LEGEND_ROW * len(named) + 4
    return _wrapped(axes.title, axes.up, height, [*grid, *drawn, *foot, *legend])


def _wrapped(title: str, unit: str, height: float, drawn: Sequence[str]) -> str:
    told = escape(f"{title} [{unit}]")
    return (
        f'<figure><figcaption>{escape(title)} <span class="unit">[{escape(unit)}]</span>'
        f'</figcaption><svg role="img" aria-label="{told}" viewBox="0 0 {_WIDTH:g} {height:g}">'
        + "".join(drawn)
        + "</svg></figure>"
    )
