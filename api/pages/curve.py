"""The geometry of the day's curves: whole numbers and percentages that a template draws.

Time runs over the whole width; heights are thousandths of the plot, counted from its top. Text
is placed by percentages, so that it keeps the reader's size whatever the width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import floor, log10

from api.day import Day, DayQuarter, Kind
from kwartier.interval import HOME_ZONE, QUARTER_S, Quarter
from kwartier.units import EpochS, Watt, Wh
from optimizer.moment import Moment, Signal

HEIGHT = 1000
"""How many parts the plot is high."""
HEADROOM = 1.12
"""How much higher the plot is than its highest value."""
LABEL_PERCENT = 13.0
"""How wide a block must be to carry its word [%]."""

ValueOf = Callable[[DayQuarter], Wh | None]


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time.

    Attributes:
        x: Where it starts [%].
        width: How wide it is [%].
        word: What it is, such as ``charge``.
        labelled: Whether it is wide enough for a word.
    """

    x: float
    width: float
    word: str = ""
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis.

    Attributes:
        at: Where it is [%].
        value: What it says: an hour, or a power [W].
        anchor: How text hangs on it.
    """

    at: float
    value: int
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Curve:
    """Everything that the day's drawing needs.

    Attributes:
        columns: How many quarters wide it is.
        solar: Filled path under the solar energy.
        solar_line: The line on top of it.
        overlap: Filled path under the lower of solar and use.
        use_line: The line of use.
        gaps: Past quarters without data.
        forecast: What is still to come; None when the day is over.
        now: Where now is [%]; None when it is another day.
        good: Good moments.
        blocks: What the batteries do.
        hours: Marks under the plot.
        powers: Marks beside it.
    """

    columns: int
    solar: str
    solar_line: str
    overlap: str
    use_line: str
    gaps: tuple[Band, ...]
    forecast: Band | None
    now: float | None
    good: tuple[Band, ...]
    blocks: tuple[Band, ...]
    hours: tuple[Tick, ...]
    powers: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class OwnCurve:
    """A home's use in three layers: its own roof, shared solar, the grid."""

    columns: int
    roof: str
    shared: str
    grid: str
    gaps: tuple[Band, ...]
    now: float | None
    hours: tuple[Tick, ...]
    powers: tuple[Tick, ...]


def curve_of(day: Day, signal: Signal) -> Curve:
    """Return the drawing of a day in the neighbourhood."""
    quarters = day.quarters
    top = _top([value for quarter in quarters for value in (quarter.solar_wh, quarter.use_wh)])
    now = _now(day)
    return Curve(
        len(quarters),
        _area(quarters, _solar, top),
        _line(quarters, _solar, top),
        _area(quarters, _overlap, top),
        _line(quarters, _use, top),
        _gaps(day, lambda quarter: quarter.kind is Kind.MISSING),
        None if now is None else Band(now, _round(100 - now)),
        now,
        _good(day, signal),
        _blocks(day),
        _hours(day),
        _powers(top),
    )


def own_curve_of(day: Day) -> OwnCurve:
    """Return the drawing of a resident's own day."""
    quarters = day.quarters
    top = _top([quarter.own.use_wh for quarter in quarters if quarter.own is not None])
    return OwnCurve(
        len(quarters),
        _area(quarters, lambda quarter: _layers(quarter)[0], top),
        _area(quarters, lambda quarter: _layers(quarter)[1], top),
        _area(quarters, lambda quarter: _layers(quarter)[2], top),
        _gaps(
            day, lambda quarter: quarter.own is None and quarter.start_s + QUARTER_S <= day.now_s
        ),
        _now(day),
        _hours(day),
        _powers(top),
    )


def _solar(quarter: DayQuarter) -> Wh | None:
    return quarter.solar_wh


def _use(quarter: DayQuarter) -> Wh | None:
    return quarter.use_wh


def _overlap(quarter: DayQuarter) -> Wh | None:
    if quarter.solar_wh is None or quarter.use_wh is None:
        return None
    return min(quarter.solar_wh, quarter.use_wh)


def _layers(quarter: DayQuarter) -> tuple[Wh | None, Wh | None, Wh | None]:
    """Return the upper edges of a home's layers: roof, with shared solar, with the grid."""
    own = quarter.own
    if own is None:
        return None, None, None
    roof_wh = max(0, own.roof_wh - own.export_wh)
    return roof_wh, roof_wh + own.shared_wh, own.use_wh


def _top(values: Iterable[Wh | None]) -> float:
    """Return the energy at the plot's upper edge [Wh]; never 0."""
    return max([value for value in values if value is not None], default=0) * HEADROOM or 250.0


def _runs(
    quarters: Sequence[DayQuarter], value: ValueOf, top: float
) -> list[tuple[int, list[int]]]:
    """Return each run of known quarters: its first place, and its heights from the top."""
    runs = []
    told = [(place, value(quarter)) for place, quarter in enumerate(quarters)]
    for known, group in groupby(told, key=lambda one: one[1] is not None):
        if known:
            run = list(group)
            heights = [round(HEIGHT * (1 - wh / top)) for _, wh in run if wh is not None]
            runs.append((run[0][0], heights))
    return runs


def _points(first: int, heights: list[int]) -> str:
    """Return a run's line, from edge to edge through the middle of each quarter."""
    middle = " ".join(f"{first + place}.5 {height}" for place, height in enumerate(heights))
    return f"{first} {heights[0]}L{middle} {first + len(heights)} {heights[-1]}"


def _line(quarters: Sequence[DayQuarter], value: ValueOf, top: float) -> str:
    return "".join(f"M{_points(*run)}" for run in _runs(quarters, value, top))


def _area(quarters: Sequence[DayQuarter], value: ValueOf, top: float) -> str:
    return "".join(
        f"M{first} {HEIGHT}L{_points(first, heights)}V{HEIGHT}Z"
        for first, heights in _runs(quarters, value, top)
    )


def _gaps(day: Day, is_gap: Callable[[DayQuarter], bool]) -> tuple[Band, ...]:
    told = []
    for gap, group in groupby(day.quarters, key=is_gap):
        run = list(group)
        if gap:
            told.append(_band(day, run[0].start_s, run[-1].start_s + QUARTER_S))
    return tuple(told)


def _good(day: Day, signal: Signal) -> tuple[Band, ...]:
    spans = [(signal.next_from_s, signal.next_until_s)]
    if signal.state is Moment.GOOD:
        spans.insert(0, (signal.from_s, signal.until_s))
    return tuple(
        _band(day, start_s, end_s)
        for start_s, end_s in spans
        if start_s is not None and end_s is not None and start_s < day.end_s and end_s > day.start_s
    )


def _blocks(day: Day) -> tuple[Band, ...]:
    """Return what the batteries do; the same thing done for two reasons is one band."""
    spans: list[tuple[EpochS, EpochS, str]] = []
    for block in sorted(day.blocks, key=lambda block: block.start_s):
        if block.action == "idle":
            continue
        if spans and spans[-1][1] == block.start_s and spans[-1][2] == block.action:
            spans[-1] = (spans[-1][0], block.end_s, block.action)
        else:
            spans.append((block.start_s, block.end_s, block.action))
    return tuple(_band(day, *span) for span in spans)


def _band(day: Day, start_s: EpochS, end_s: EpochS, word: str = "") -> Band:
    x, end = _percent(day, start_s), _percent(day, end_s)
    return Band(x, _round(end - x), word, end - x >= LABEL_PERCENT)


def _percent(day: Day, at_s: float) -> float:
    part = (at_s - day.start_s) / (day.end_s - day.start_s)
    return _round(100 * min(1.0, max(0.0, part)))


def _now(day: Day) -> float | None:
    return _percent(day, day.now_s) if day.start_s <= day.now_s < day.end_s else None


def _hours(day: Day) -> tuple[Tick, ...]:
    """Return marks at 0, 6, 12 and 18 o'clock in Amsterdam, and at the end."""
    told = [Tick(0, 0, "start")]
    for quarter in day.quarters[1:]:
        local = Quarter(quarter.start_s).start.astimezone(HOME_ZONE)
        if local.minute == 0 and local.hour in {6, 12, 18}:
            told.append(Tick(_percent(day, quarter.start_s), local.hour))
    return (*told, Tick(100, 24, "end"))


def _powers(top: float) -> tuple[Tick, ...]:
    """Return two or three round powers that fit under the upper edge."""
    top_w = top * 3600 / QUARTER_S
    step_w = _round_step(top_w / 2.2)
    values: list[Watt] = [step_w * count for count in (1, 2, 3) if step_w * count < top_w * 0.98]
    return tuple(Tick(_round(100 * (1 - value / top_w)), value) for value in values)


def _round_step(wanted_w: float) -> Watt:
    """Return the largest of 1, 2 and 5 times a power of ten that is not above ``wanted_w``."""
    power = 10.0 ** floor(log10(max(1.0, wanted_w)))
    return int(max(step for step in (1, 2, 5) if step * power <= max(1.0, wanted_w)) * power)


def _round(value: float) -> float:
    return round(value, 2)
