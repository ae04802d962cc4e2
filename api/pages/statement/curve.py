"""The drawing of one day of a line: what the meter counted, and what of it the line counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from api.pages.curve import HEIGHT, Tick
from api.pages.statement.day import LineQuarter
from kwartier.interval import HOME_ZONE, QUARTER_S, local_day
from kwartier.units import Wh

HEADROOM = 1.15
"""How much higher the plot is than its highest quarter."""
LEAST_WH = 100
"""The plot is at least so high [Wh]."""


@dataclass(frozen=True, slots=True)
class DayCurve:
    """Paths over the whole day, one step a quarter.

    Attributes:
        columns: How many quarters the day has: 92, 96 or 100.
        own: Line of what the meter counted.
        got: Filled path of what the line counts.
        chosen: Where the chosen quarter is [%].
        width: How wide a quarter is [%].
        hours: Marks under the plot.
        marks: Marks beside it; their values are Wh in a quarter.
    """

    columns: int
    own: str
    got: str
    chosen: float
    width: float
    hours: tuple[Tick, ...]
    marks: tuple[Tick, ...]


def curve_of_quarters(day: date, quarters: Sequence[LineQuarter], place: int) -> DayCurve:
    """Return the drawing of a day's quarters, the one at ``place`` chosen."""
    start_s, end_s = local_day(day)
    columns = (end_s - start_s) // QUARTER_S
    highest = max(max(each.energy_wh, each.own_wh or 0) for each in quarters)
    top = max(highest, LEAST_WH) * HEADROOM
    at = {each.start_s: (each.start_s - start_s) // QUARTER_S for each in quarters}
    own = [(at[each.start_s], each.own_wh) for each in quarters if each.own_wh is not None]
    got = [(at[each.start_s], each.energy_wh) for each in quarters]
    return DayCurve(
        columns,
        _steps(own, top),
        "".join(f"M{x} {HEIGHT}V{_y(wh, top)}H{x + 1}V{HEIGHT}Z" for x, wh in got if wh),
        round(100 * at[quarters[place].start_s] / columns, 2),
        round(100 / columns, 2),
        _hours(start_s, columns),
        _marks(top),
    )


def _steps(own: Sequence[tuple[int, Wh]], top: float) -> str:
    """Return a line of steps, broken where a quarter is not known."""
    path, end = [], -1
    for x, energy_wh in own:
        path.append(f"{'V' if x == end else f'M{x} '}{_y(energy_wh, top)}H{x + 1}")
        end = x + 1
    return "".join(path)


def _y(energy_wh: Wh, top: float) -> int:
    return round(HEIGHT * (1 - energy_wh / top))


def _hours(start_s: int, columns: int) -> tuple[Tick, ...]:
    """Return marks at 0, 6, 12 and 18 o'clock in Amsterdam, and at the end."""
    ticks = [Tick(0, 0, "start")]
    for column in range(1, columns):
        local = datetime.fromtimestamp(start_s + column * QUARTER_S, HOME_ZONE)
        if local.minute == 0 and local.hour in {6, 12, 18}:
            ticks.append(Tick(round(100 * column / columns, 2), local.hour))
    return (*ticks, Tick(100, 24, "end"))


def _marks(top: float) -> tuple[Tick, ...]:
    """Return one or two round energies that fit below the upper edge."""
    step = next(
        step
        for power in (10, 100, 1_000, 10_000, 100_000, 10**9)
        for step in (power, 2 * power, 5 * power)
        if top / step < 3 or power == 10**9
    )
    return tuple(
        Tick(round(100 * (1 - count * step / top), 2), count * step)
        for count in (1, 2)
        if count * step < top
    )
