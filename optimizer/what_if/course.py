"""Measured days with another battery, tariff or roof: the same course, changed.

One thing is changed and all else stays, people too: they use what they used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kwartier.errors import InputError
from optimizer.backtest.course import Course
from optimizer.backtest.outcome import Outcome
from optimizer.backtest.walk import Connection
from optimizer.forecast import DAY
from optimizer.problem import Battery

_YEAR_DAYS = 365.25
_LEAST_DAYS = 350
"""With fewer days of sun a year of it is not known."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is otherwise.

    Attributes:
        batteries: These instead; None leaves those there are.
        sun_factor: So many times the sun that was made.
        more_sun_kwh: A roof more, of so many kWh a year, that makes what the others make [kWh].
        buy_more_eur_per_kwh: What a kWh from the grid costs more.
        sell_more_eur_per_kwh: What a kWh to the grid earns more.
        peak_price_eur_per_kw: Price of the month's peak; None leaves it.
        import_limit_kw: The most that may be taken; None leaves it.
        export_limit_kw: The most that may be given; None leaves it.
    """

    batteries: tuple[Battery, ...] | None = None
    sun_factor: float = 1.0
    more_sun_kwh: float = 0.0
    buy_more_eur_per_kwh: float = 0.0
    sell_more_eur_per_kwh: float = 0.0
    peak_price_eur_per_kw: float | None = None
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes, later less before; below zero is less.

    Attributes:
        cost_eur: Energy, peak and wear.
        peak_kw: The highest import.
        import_kwh: Taken from the grid.
        export_kwh: Given to it.
        cycles: How often batteries are emptied.
    """

    cost_eur: float
    peak_kw: float
    import_kwh: float
    export_kwh: float
    cycles: float


def changed_course(course: Course, change: Change) -> Course:
    """Return the same days, changed.

    Raises:
        InputError: A roof is added and less than a year of sun is known, or there is none.
    """
    factor = change.sun_factor
    if change.more_sun_kwh:
        factor += change.more_sun_kwh / _sun_kwh_a_year(course)
    return Course(
        course.start_s,
        course.use_kw,
        course.sun_kw * factor,
        course.buy_eur_per_kwh + change.buy_more_eur_per_kwh,
        course.sell_eur_per_kwh + change.sell_more_eur_per_kwh,
        course.weather,
        course.zone,
    )


def changed_connection(connection: Connection, change: Change) -> Connection:
    """Return the connection with what is otherwise."""
    limits = {
        "import_limit_kw": change.import_limit_kw,
        "export_limit_kw": change.export_limit_kw,
        "peak_price_eur_per_kw": change.peak_price_eur_per_kw,
    }
    return replace(
        connection, **{name: value for name, value in limits.items() if value is not None}
    )


def difference(before: Outcome, later: Outcome) -> Difference:
    """Return what a change makes of one way of steering."""
    return Difference(
        later.cost_eur - before.cost_eur,
        later.peak_kw - before.peak_kw,
        later.import_kwh - before.import_kwh,
        later.export_kwh - before.export_kwh,
        later.cycles - before.cycles,
    )


def _sun_kwh_a_year(course: Course) -> float:
    known = course.sun_kw[~np.isnan(course.sun_kw)]
    made_kwh = float(known.sum()) / 4
    if known.size < _LEAST_DAYS * DAY or made_kwh <= 0:
        raise InputError(
            f"a roof is added to {known.size // DAY} days with {made_kwh:.0f} kWh of sun: what it "
            f"makes is told by the roofs there are, over at least {_LEAST_DAYS} days; give "
            "sun=FACTOR instead"
        )
    return made_kwh * _YEAR_DAYS * DAY / known.size
