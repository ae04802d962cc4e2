"""A plan as its gateways are told it: a day of set-points, and what may pass at the meter.

A battery at the neighbourhood's meter can make up for what the homes do otherwise than expected.
How far that pays hangs on what stored energy is worth to the plan, against the prices of each
quarter: that makes a band of the exchange (:mod:`optimizer.tracking.band`), and the same function
makes it in a backtest. Where the plan buys or sells it does so for the price, and the planned power
is held. Near a limit the planned exchange itself is followed, also where the plan would rest: there
a watt more is not a matter of price.

Gateways that know no band are told what they know: to follow the meter where the plan comes out at
nothing there.
"""

from __future__ import annotations

import numpy as np

from api.planning.asked import Known
from kwartier.interval import QUARTER_S
from kwartier.reading import MeterBand, Step
from kwartier.units import Watt
from optimizer.plan import Plan
from optimizer.problem import BoolArray, FloatArray, Problem
from optimizer.tracking.band import NOTHING_KW, Prices, Worth, band_of, worth_of

SENT = 96
"""How much of a plan is sent: a day, so that a gateway can go on alone through an outage."""


def steps_told(known: Known, problem: Problem, found: Plan, battery: str) -> tuple[Step, ...]:
    """Return a battery's day."""
    row = problem.battery_ids.index(battery)
    powers_w = np.rint(1000 * (found.charge_kw[row] - found.discharge_kw[row])[:SENT])
    exchange_kw = found.import_kw - found.export_kw
    exchange_w = np.rint(1000 * exchange_kw[:SENT])
    follows = np.zeros(found.import_kw.size, dtype=np.bool_)
    bands: list[MeterBand | None] = [None] * powers_w.size
    if known.community.every_battery[battery].follows_meter:
        near = near_a_limit(known, problem, found)
        follows = (np.abs(exchange_kw) <= NOTHING_KW) | near
        bands = bands_told(known, problem, found, near)
    return tuple(
        Step(
            known.start.start_s + place * QUARTER_S,
            int(power_w),
            QUARTER_S,
            int(exchange_w[place]) if follows[place] else None,
            bands[place],
        )
        for place, power_w in enumerate(powers_w)
    )


def bands_told(
    known: Known, problem: Problem, found: Plan, near: BoolArray
) -> list[MeterBand | None]:
    """Return what may pass at the meter while the batteries there rest, for each step of a day.

    None where the planned power is held, and near a limit. A group's contract is no limit of the
    meter, so where it holds a battery that follows, nothing is said of bands.

    Args:
        known: What the plan was made from.
        problem: What was planned.
        found: The plan.
        near: Where the exchange may come to a limit, shape ``(T,)``.
    """
    batteries = known.community.every_battery
    rows = [row for row, one in enumerate(problem.battery_ids) if batteries[one].follows_meter]
    steps = min(SENT, near.size)
    worths = _worths(problem, found, rows)
    grouped = problem.boundaries is not None and problem.boundaries.stores[:, rows].any()
    if worths is None or grouped:
        return [None] * steps
    powers_kw = (found.charge_kw - found.discharge_kw)[rows].sum(axis=0)
    exchange_kw = found.import_kw - found.export_kw
    most_kw = most_taken_kw(problem, found)
    spares = bool(near.any())
    told: list[MeterBand | None] = [None] * steps
    for step in np.flatnonzero(~near[:steps]):
        band = band_of(
            float(powers_kw[step]),
            float(exchange_kw[step]),
            worths[step],
            Prices(float(problem.buy_eur_per_kwh[step]), float(problem.sell_eur_per_kwh[step])),
            spares=spares,
        )
        if band is not None:
            band = band.within(-float(problem.export_limit_kw[step]), float(most_kw[step]))
            told[step] = MeterBand(_watts(band.low_kw), _watts(band.high_kw))
    return told


def near_a_limit(known: Known, problem: Problem, found: Plan) -> BoolArray:
    """Return where one time in ten the exchange would go over a limit by itself, shape ``(T,)``.

    A limit is that of the connection, a call's, and the peak that costs where peaks do.
    """
    likely = known.use.likely - known.made.likely
    more = (known.use.high - known.made.low) - likely
    less = likely - (known.use.low - known.made.high)
    exchange = found.import_kw - found.export_kw
    most_kw = most_taken_kw(problem, found)
    over: BoolArray = exchange + np.nan_to_num(more) >= most_kw - NOTHING_KW
    under: BoolArray = np.nan_to_num(less) - exchange >= problem.export_limit_kw - NOTHING_KW
    return over | under


def most_taken_kw(problem: Problem, found: Plan) -> FloatArray:
    """Return the most that may be taken, or costs nothing more, in each step, shape ``(T,)``."""
    if problem.peak_price_eur_per_kw <= 0:
        return problem.import_limit_kw
    peak_kw = max(found.peak_kw, problem.peak_so_far_kw)
    most_kw: FloatArray = np.minimum(problem.import_limit_kw, peak_kw)
    return most_kw


def _worths(problem: Problem, found: Plan, rows: list[int]) -> list[Worth] | None:
    """Return what stored energy is worth at the meter in each step; None where it is not known."""
    stored = found.stored_value_eur_per_kwh
    if stored is None or not rows:
        return None
    gained = problem.charge_efficiency[rows], problem.discharge_efficiency[rows]
    wear = problem.wear_eur_per_kwh[rows]
    return [worth_of(stored[rows, step], *gained, wear) for step in range(stored.shape[1])]


def _watts(edge_kw: float) -> Watt | None:
    return round(1000 * edge_kw) if np.isfinite(edge_kw) else None
