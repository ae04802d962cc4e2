"""Batteries steered once more over the books' months, with only what was known then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from api.cooperative.runs.month import Month
from api.cooperative.whatif.street import BatteryTerms, StreetTerms
from api.cooperative.whatif.street_effect import StreetSums
from api.cooperative.whatif.surroundings import Surroundings
from kwartier.interval import QUARTER_S
from optimizer.backtest.course import Course
from optimizer.backtest.foresight import Usual
from optimizer.backtest.policies import POLICIES
from optimizer.backtest.stores import stores_of
from optimizer.backtest.walk import Connection, Stretch, Walk
from optimizer.problem import Battery, FloatArray
from optimizer.rolling import Rolling
from optimizer.settling.matrix import Flags, ReadingMatrix, WhArray
from optimizer.what_if.readings import course_of, is_read, whole_wh, with_battery

POLICY = POLICIES["daily-tracking"]
"""A plan every midnight from what was usual, and the meter followed within the day."""
_PATIENCE_S = 2.0
_EDGE = 0.05
_WEAR_EUR_PER_KWH = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Prices of all quarters, shape ``(Q,)`` [EUR/kWh], and where the market told none."""

    buy: FloatArray
    sell: FloatArray
    unknown: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Steered:
    """What the street did in one world.

    Attributes:
        readings: Each month with what the batteries did in it.
        sums: All together; ``shared_wh`` is not known before it is settled.
    """

    readings: Mapping[Month, ReadingMatrix]
    sums: StreetSums


def market_of(terms: StreetTerms, around: Surroundings, start_s: int, quarters: int) -> Market:
    """Return the market's prices with tax, and where it told none those that were typed."""
    market = around.prices(start_s, quarters)
    unknown: Flags = np.isnan(market)
    return Market(
        np.where(unknown, float(terms.outside_buy), market + around.buy_extra_eur_per_kwh),
        np.where(unknown, float(terms.outside_sell), market - around.sell_less_eur_per_kwh),
        unknown,
    )


def batteries_with(had: Sequence[Battery], terms: BatteryTerms | None) -> tuple[Battery, ...]:
    """Return the street's batteries with one that is tried, beside them or instead."""
    if terms is None:
        return tuple(had)
    size_kwh, power_kw = terms.capacity_wh / 1000, terms.power_w / 1000
    way = float(terms.round_trip) ** 0.5
    names = {battery.id for battery in had}
    tried = Battery(
        id=next(name for name in ("tried", "tried-2") if name not in names),
        soc_min_kwh=_EDGE * size_kwh,
        soc_max_kwh=(1 - _EDGE) * size_kwh,
        soc_start_kwh=_EDGE * size_kwh,
        charge_max_kw=power_kw,
        discharge_max_kw=power_kw,
        charge_efficiency=way,
        discharge_efficiency=way,
        wear_eur_per_kwh=_WEAR_EUR_PER_KWH,
    )
    return (tried,) if terms.instead else (*had, tried)


def steered(
    months: Mapping[Month, ReadingMatrix],
    batteries: Sequence[Battery],
    around: Surroundings,
    market: Market,
    tell: Callable[[float], None],
) -> Steered:
    """Return the months with batteries steered in a closed loop.

    Energies are whole from here on: what a battery's meter would have counted.

    Args:
        months: Readings without any battery, in order of time.
        batteries: What is steered; none leaves every quarter as it is.
        around: What the connection bears.
        market: Prices from the first quarter of the first month on.
        tell: Is told how much is done, from 0 to 1; may raise to stop it.
    """
    start_s, count = next(iter(months)).start_s, market.buy.size
    places = {month: (month.start_s - start_s) // QUARTER_S for month in months}
    course = course_of(
        start_s, {places[m]: each for m, each in months.items()}, count, market.buy, market.sell
    )
    charged, given = _played(course, batteries, around, tell)
    exchange = np.zeros(count, np.int64)
    read = np.zeros(count, np.bool_)
    told: dict[Month, ReadingMatrix] = {}
    sun_wh = 0
    for month, readings in months.items():
        columns = slice(places[month], places[month] + readings.quarters)
        told[month] = with_battery(readings, charged[columns], given[columns])
        taken_wh = readings.taken.energy_wh.sum(axis=0)
        left_wh = readings.given.energy_wh.sum(axis=0)
        exchange[columns] = taken_wh - left_wh + charged[columns] - given[columns]
        read[columns] = is_read(readings)
        sun_wh += int(left_wh.sum())
    exchange = np.where(read, exchange, 0)
    cost = np.where(exchange > 0, market.buy, market.sell) @ exchange / 1000
    return Steered(
        told,
        StreetSums(
            cost_cents=round(100 * float(cost)),
            taken_wh=int(exchange[exchange > 0].sum()),
            given_wh=int(-exchange[exchange < 0].sum()),
            peak_w=4 * int(exchange.max(initial=0)),
            shared_wh=0,
            sun_wh=sun_wh,
            battery_wh=int(given.sum()),
        ),
    )


def _played(
    course: Course,
    batteries: Sequence[Battery],
    around: Surroundings,
    tell: Callable[[float], None],
) -> tuple[WhArray, WhArray]:
    count = course.quarters
    if not batteries:
        return np.zeros(count, np.int64), np.zeros(count, np.int64)
    walk = Walk(
        course,
        stores_of(batteries),
        Connection(around.import_limit_kw, around.export_limit_kw),
        POLICY,
        Usual(course, 0, count),
        Rolling(time_limit_s=_PATIENCE_S).plan,
    )
    walked = walk.over(Stretch(0, count, 0), lambda done: tell(done / count))
    return whole_wh(walked.charge_kw), whole_wh(walked.discharge_kw)
