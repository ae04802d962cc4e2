"""The good hours of the week to come, for the sheet on the fridge: expected, hour by hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from api.history import History
from api.house import House
from api.signals import SOLAR_SPREAD, rules_of
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.units import EpochS
from optimizer.forecast import forecast_of
from optimizer.moment import Moment, Surplus, states_of
from optimizer.problem import FloatArray

DAYS = 7
MOST_HOURS = 25


@dataclass(frozen=True, slots=True)
class HourMoment:
    """One hour of a day.

    Attributes:
        start_s: Its start [s]; on the day the clock goes back one hour comes twice.
        state: What is expected of most of it.
    """

    start_s: EpochS
    state: Moment


@dataclass(frozen=True, slots=True)
class DayMoments:
    """One local day of the week to come.

    Attributes:
        date: Which day, in Amsterdam.
        hours: Its 23, 24 or 25 hours, in order of time.
    """

    date: date
    hours: tuple[HourMoment, ...]

    @property
    def has_good(self) -> bool:
        """Whether a good hour is expected."""
        return any(hour.state is Moment.GOOD for hour in self.hours)


def moments_of_week(
    house: House, first: date | None = None, history: History | None = None
) -> tuple[DayMoments, ...]:
    """Return what is expected of each hour of seven days, the first one tomorrow unless told.

    It is made from the same hours of the last four weeks, which take seconds to read for a whole
    neighbourhood: who asks more than once hands in what remembers them.

    Args:
        house: The neighbourhood.
        first: The first day.
        history: Remembers the last four weeks; read anew when None.

    Raises:
        StoreBusyError: The record cannot be read now.
    """
    now_s = house.clock.now_s()
    begin = day_of(now_s) + timedelta(days=1) if first is None else first
    start_s, _ = local_day(begin)
    _, end_s = local_day(begin + timedelta(days=DAYS - 1))
    known = History(house.records) if history is None else history
    surplus = _expected(known, Quarter.containing(now_s), Quarter(start_s), end_s)
    states = states_of(surplus, rules_of(house.community))
    days = []
    for place in range(DAYS):
        day = begin + timedelta(days=place)
        from_s, until_s = local_day(day)
        hours = tuple(
            HourMoment(at_s, _most(states[(at_s - start_s) // QUARTER_S :][:4]))
            for at_s in range(from_s, until_s, 4 * QUARTER_S)
        )
        days.append(DayMoments(day, hours))
    return tuple(days)


def _expected(history: History, now: Quarter, start: Quarter, end_s: EpochS) -> Surplus:
    """Return the surplus expected of some quarters, by the days that are known now."""
    ahead = (start.start_s - now.start_s) // QUARTER_S
    count = (end_s - start.start_s) // QUARTER_S
    use, made = history.before(now, ahead + count)
    expected_use, expected_made = forecast_of(use), forecast_of(made)
    likely = expected_made.likely - expected_use.likely
    spread = np.maximum(
        expected_made.high - expected_made.low, 2 * SOLAR_SPREAD * expected_made.likely
    )

    def part(values: FloatArray) -> FloatArray:
        return values[ahead:]

    return Surplus(start, part(likely), part(likely - spread / 2), part(likely + spread / 2))


def _most(quarters: list[Moment]) -> Moment:
    """Return what most quarters of an hour are; of two that are as many, the earlier one."""
    return max(quarters, key=quarters.count) if quarters else Moment.UNKNOWN
