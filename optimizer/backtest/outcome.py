"""What came of a way of steering: money, peak, own use, wear, and how well was foreseen.

Money of a backtest is a forecast of what would have been, never a bill.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.backtest.course import Course, prices_of
from optimizer.backtest.foresight import Foresight
from optimizer.backtest.stores import QUARTER_H, Stores
from optimizer.backtest.walk import Connection, Stretch, Walked, months_of
from optimizer.forecast import DAY
from optimizer.problem import FloatArray


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one way of steering.

    Attributes:
        cost_eur: Energy, peak and wear, less the worth of what more is stored at the end.
        energy_eur: Of that, what was bought less what was sold.
        peak_eur: Of that, the price of each month's peak.
        wear_eur: Of that, wear.
        stored_change_kwh: What more is stored at the end than at the start.
        peak_kw: The highest import of a quarter.
        import_kwh: Taken from the grid.
        export_kwh: Given to it.
        self_use: Which part of the sun was used in the quarter it shone or stored; None without.
        self_sufficiency: Which part of the use was not imported; None without use.
        cycles: How often the batteries were emptied whole.
        over_limit_quarters: Quarters above a limit of the connection.
        over_limit_kw: The worst of them.
        plan_age_hours: How old the plan in force was, on average; None without plans.
        plans: How many were made, in the quarters that warm up too.
        failed: How often none could be made.
        seconds: What planning took.
    """

    cost_eur: float
    energy_eur: float
    peak_eur: float
    wear_eur: float
    stored_change_kwh: float
    peak_kw: float
    import_kwh: float
    export_kwh: float
    self_use: float | None
    self_sufficiency: float | None
    cycles: float
    over_limit_quarters: int
    over_limit_kw: float
    plan_age_hours: float | None
    plans: int
    failed: int
    seconds: float


def exchange_kw(course: Course, stretch: Stretch, walked: Walked) -> FloatArray:
    """Return import less export of each quarter, shape ``(N,)`` [kW]; NaN where not measured."""
    residual = course.residual_kw[stretch.first : stretch.end]
    exchange: FloatArray = residual + walked.charge_kw - walked.discharge_kw
    return exchange


def costs_eur(course: Course, stretch: Stretch, walked: Walked) -> FloatArray:
    """Return what energy and wear cost in each quarter, shape ``(N,)``; NaN where not measured."""
    prices = prices_of(course)
    exchange = exchange_kw(course, stretch, walked)
    buy = prices.buy[stretch.first : stretch.end]
    sell = prices.sell[stretch.first : stretch.end]
    costs: FloatArray = QUARTER_H * np.where(exchange > 0, buy, sell) * exchange + walked.wear_eur
    return costs


def outcome_of(
    course: Course,
    stores: Stores,
    connection: Connection,
    walks: list[tuple[Stretch, Walked]],
) -> Outcome:
    """Return what came of a way of steering over stretches that follow each other.

    What a stretch ends with is worth what a kWh costs in the middle of all prices, and what it
    starts with has cost that: so stretches that were walked apart add up.
    """
    prices = prices_of(course)
    judged = np.concatenate([np.arange(one.first, one.end) for one, _ in walks])
    exchange = np.concatenate([exchange_kw(course, one, walked) for one, walked in walks])
    wear = np.concatenate([walked.wear_eur for _, walked in walks])
    known = ~np.isnan(exchange)
    judged, exchange, wear = judged[known], exchange[known], wear[known]
    taken, given = np.maximum(exchange, 0.0), np.maximum(-exchange, 0.0)
    buy, sell = prices.buy[judged], prices.sell[judged]
    energy = float(QUARTER_H * (buy @ taken - sell @ given))
    change = sum(float(walked.stored_kwh[-1]) - walked.before_kwh for _, walked in walks)
    worth = float(np.median(buy)) if buy.size else 0.0
    rate = float(np.mean(stores.discharge_efficiency))
    peak = connection.peak_price_eur_per_kw * _peaks_kw(course, judged, taken)
    sun, use = course.sun_kw[judged], course.use_kw[judged]
    discharged = sum(float(walked.discharge_kw.sum()) for _, walked in walks) * QUARTER_H
    ages = np.concatenate([walked.plan_age for _, walked in walks])
    over = np.maximum(taken - connection.import_limit_kw, given - connection.export_limit_kw)
    over = np.where(over > 1e-6, over, 0.0)
    return Outcome(
        cost_eur=energy + peak + float(wear.sum()) - worth * rate * change,
        energy_eur=energy,
        peak_eur=peak,
        wear_eur=float(wear.sum()),
        stored_change_kwh=change,
        peak_kw=float(taken.max(initial=0.0)),
        import_kwh=float(taken.sum() * QUARTER_H),
        export_kwh=float(given.sum() * QUARTER_H),
        self_use=_part(np.minimum(sun, given), sun),
        self_sufficiency=_part(np.minimum(use, taken), use),
        cycles=discharged / rate / stores.usable_kwh if stores.usable_kwh else 0.0,
        over_limit_quarters=int((over > 0).sum()),
        over_limit_kw=float(over.max(initial=0.0)),
        plan_age_hours=None if np.isnan(ages).all() else float(np.nanmean(ages)) * QUARTER_H,
        plans=sum(walked.plans for _, walked in walks),
        failed=sum(walked.failed for _, walked in walks),
        seconds=sum(walked.seconds for _, walked in walks),
    )


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How far forecasts were off, as sums, so that stretches add up [kW times quarters].

    Attributes:
        use: Of use: errors of the day ahead and of the next hour, and what it really was in the
            quarters of each of which something was said.
        sun: The same of sun.
    """

    use: tuple[float, float, float, float]
    sun: tuple[float, float, float, float]


def foreseen(course: Course, stretch: Stretch, foresight: Foresight) -> Foreseen:
    """Return how far forecasts were off: at each midnight for the day, each hour for that hour."""
    sums = np.zeros((2, 4))
    actual = np.stack([course.use_kw, course.sun_kw])
    day, slot = course.clock.day, course.clock.slot
    for now in range(stretch.first, stretch.end):
        if slot[now] % 4:
            continue
        begins_day = now == 0 or day[now] != day[now - 1]
        steps = min(DAY if begins_day else 4, stretch.end - now)
        told = np.stack(foresight.at(now, steps))
        came = actual[:, now : now + steps]
        known = ~(np.isnan(told) | np.isnan(came))
        off, came = np.where(known, np.abs(told - came), 0.0), np.where(known, came, 0.0)
        if begins_day:
            sums[:, 0] += off.sum(axis=1)
            sums[:, 2] += came.sum(axis=1)
        sums[:, 1] += off[:, :4].sum(axis=1)
        sums[:, 3] += came[:, :4].sum(axis=1)
    use, sun = ((float(a), float(b), float(c), float(d)) for a, b, c, d in sums)
    return Foreseen(use, sun)


def _peaks_kw(course: Course, judged: FloatArray, taken: FloatArray) -> float:
    """Return the sum of the peaks of all months [kW]."""
    months = months_of(course)[judged]
    return float(sum(taken[months == month].max() for month in np.unique(months)))


def _part(lost: FloatArray, whole: FloatArray) -> float | None:
    total = float(whole.sum())
    return None if total <= 0 else 1.0 - float(lost.sum()) / total
