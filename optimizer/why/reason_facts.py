"""The numbers behind each reason: prices at which a battery turns, and what idling would cost.

All follow from the two prices that prove a plan: what one more kWh costs at the connection, and
what one more kWh is worth in the battery.

A battery charges while a kWh at the connection costs less than what it is worth once stored,
``eta_c * worth``; it gives back while a kWh there is worth more than ``wear + worth / eta_d``; in
between it waits.

What idling costs at least comes from the bound those prices give (weak duality). Any prices bound
the cost of every plan from below; with the battery idle in a block the bound rises by what its
power earned there at those prices. So planning again without that block cannot cost less than the
bound and the rise together, whatever else is changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kwartier.wire import Json
from optimizer.linear.programme import exchange_range_kw
from optimizer.model.part import batteries_of
from optimizer.plan import Plan, Reason
from optimizer.problem import FloatArray, Problem
from optimizer.why.members import net_cost_eur

_AT = 1e-6


@dataclass(frozen=True, slots=True)
class Facts:
    """What a block of a plan rests on; None where nothing proves it.

    Attributes:
        price_eur_per_kwh: What one more kWh used costs, the mean over the block.
        charges_below_eur_per_kwh: A kWh that costs less than this is stored, in each of its steps.
        gives_above_eur_per_kwh: A kWh that is worth more than this is given back, likewise.
        idle_costs_eur: Were the battery idle in this block, any other plan would cost at least so
            much more; 0 where the bound shows nothing.
        limit: The limit that it leans on, by its key; None for none.
    """

    price_eur_per_kwh: float | None = None
    charges_below_eur_per_kwh: float | None = None
    gives_above_eur_per_kwh: float | None = None
    idle_costs_eur: float | None = None
    limit: str | None = None


def facts_of(problem: Problem, made: Plan) -> tuple[Facts, ...]:
    """Return the facts of each reason of a plan, in the order of its reasons."""
    rows = _battery_rows(problem, made)
    price, worth = made.local_price_eur_per_kwh, made.stored_value_eur_per_kwh
    limits = [
        _limit(problem, made, reason, row) for reason, row in zip(made.reasons, rows, strict=True)
    ]
    if price is None or worth is None or not problem.is_one_connection:
        return tuple(Facts(limit=one) for one in limits)
    below = problem.gain * worth
    above = problem.wear_eur_per_kwh[:, None] + worth / problem.discharge_efficiency[:, None]
    earned = problem.step_h * (
        np.maximum(below - price, 0.0) * problem.charge_max_kw
        + np.maximum(price - above, 0.0) * problem.discharge_max_kw
    )
    # What the prices leave unproven is taken off, and what arithmetic may have lost.
    open_eur = max(0.0, net_cost_eur(made) - bound_eur(problem, price, worth))
    open_eur += 1e-9 * (1.0 + abs(net_cost_eur(made)))
    told = []
    for reason, row, limit in zip(made.reasons, rows, limits, strict=True):
        if row is None:
            told.append(Facts())
            continue
        cells = row, slice(reason.first, reason.last + 1)
        told.append(
            Facts(
                float(price[cells[1]].mean()),
                float(below[cells].min()),
                float(above[cells].max()),
                max(0.0, float(earned[cells].sum()) - open_eur),
                limit,
            )
        )
    return tuple(told)


def json_of_facts(facts: Facts) -> dict[str, Json]:
    """Return the facts that are known, under their own names; to six decimals."""
    told: dict[str, Json] = {
        name: round(value, 6) + 0.0
        for name, value in (
            ("price_eur_per_kwh", facts.price_eur_per_kwh),
            ("charges_below_eur_per_kwh", facts.charges_below_eur_per_kwh),
            ("gives_above_eur_per_kwh", facts.gives_above_eur_per_kwh),
            # Rounded down: it says at least.
            ("idle_costs_eur", None if facts.idle_costs_eur is None else _down(facts)),
        )
        if value is not None
    }
    return told if facts.limit is None else told | {"limit": facts.limit}


def _battery_rows(problem: Problem, made: Plan) -> list[int | None]:
    """Return the row of the battery each reason is of; None for a car, heat pump or machine.

    A car may have the name of a battery. Reasons of batteries stand first, and tell of every step
    of each of them once.
    """
    row = {name: place for place, name in enumerate(batteries_of(problem))}
    told = np.cumsum([reason.last - reason.first + 1 for reason in made.reasons])
    count = np.searchsorted(told, problem.steps * len(row), side="right")
    return [
        row.get(reason.battery) if number < count else None
        for number, reason in enumerate(made.reasons)
    ]


def _down(facts: Facts) -> float:
    return math.floor(1e6 * (facts.idle_costs_eur or 0.0)) / 1e6


def bound_eur(problem: Problem, price: FloatArray, worth: FloatArray) -> float:
    """Return what no plan within the limits costs less than, end value taken off [EUR].

    Args:
        problem: What is planned.
        price: A price of a kWh at the connection, shape ``(T,)`` [EUR/kWh]; any will do.
        worth: A worth of a kWh put into a battery in a step, shape ``(B, T)``; likewise.

    Source:
        The Lagrangian of balance and storage, each flow at its better bound.
    """
    dt = problem.step_h
    below = problem.gain * worth
    above = problem.wear_eur_per_kwh[:, None] + worth / problem.discharge_efficiency[:, None]
    powers = dt * (
        np.minimum(price - below, 0.0) * problem.charge_max_kw
        + np.minimum(above - price, 0.0) * problem.discharge_max_kw
    )
    cut = dt * np.minimum(price, 0.0) * problem.curtailable_kw
    fixed = dt * price @ problem.residual_kw + (worth * problem.drain_kw).sum(axis=0) @ dt
    fixed -= (worth * problem.retention)[:, 0] @ problem.soc_start_kwh
    return float(
        powers.sum() + cut.sum() + fixed + _stored_eur(problem, worth) + _grid_eur(problem, price)
    )


def _stored_eur(problem: Problem, worth: FloatArray) -> float:
    """Return the least that holding energy from step to step costs at those worths [EUR]."""
    kept = worth.copy()
    kept[:, :-1] -= (problem.retention * worth)[:, 1:]
    kept[:, -1] -= np.where(problem.end_is_fixed, 0.0, problem.end_value_eur_per_kwh)
    low, high = problem.soc_min_kwh.copy(), problem.soc_max_kwh.copy()
    fixed = problem.end_is_fixed
    low[fixed, -1] = high[fixed, -1] = problem.soc_end_kwh[fixed]
    return float(np.where(kept > 0, kept * low, kept * high).sum())


def _grid_eur(problem: Problem, price: FloatArray) -> float:
    """Return the least that exchange with the grid costs at those prices [EUR].

    With a price for the peak the best level of the peak is one of the limits, or nothing.
    """
    dt = problem.step_h
    least, most = exchange_range_kw(problem)
    export = np.minimum(problem.export_limit_kw, np.maximum(-least, 0.0))
    imports = np.minimum(problem.import_limit_kw, np.maximum(most, 0.0))
    sold = dt * np.minimum(price - problem.sell_eur_per_kwh, 0.0) @ export
    earns = dt * np.maximum(price - problem.buy_eur_per_kwh, 0.0)
    if problem.peak_price_eur_per_kw <= 0:
        return float(sold - earns @ imports)
    order = np.argsort(imports)
    most, weight = imports[order], earns[order]
    # Up to a peak all steps with lower limits are full, and the others are at the peak.
    peaks = np.append(most, max(problem.peak_so_far_kw, 0.0))
    lower = np.searchsorted(most, peaks)
    full = np.append(0.0, np.cumsum(weight * most))[lower]
    others = np.append(0.0, np.cumsum(weight))
    earned = full + peaks * (others[-1] - others[lower])
    paid = problem.peak_price_eur_per_kw * np.maximum(peaks - problem.peak_so_far_kw, 0.0)
    return float(sold + min(0.0, (paid - earned).min()))


def _limit(problem: Problem, made: Plan, reason: Reason, row: int | None) -> str | None:
    """Return the limit that a block leans on in one of its steps, the connection's first."""
    if row is None:
        return None
    steps = slice(reason.first, reason.last + 1)
    net = made.charge_kw[row, steps] - made.discharge_kw[row, steps]
    place = f"batteries.{reason.battery}."
    leans = {
        "grid.import_limit_kw": made.import_kw[steps] >= problem.import_limit_kw[steps] - _AT,
        "grid.export_limit_kw": made.export_kw[steps] >= problem.export_limit_kw[steps] - _AT,
        place + "soc_max_kwh": made.soc_kwh[row, steps] >= problem.soc_max_kwh[row, steps] - _AT,
        place + "soc_min_kwh": made.soc_kwh[row, steps] <= problem.soc_min_kwh[row, steps] + _AT,
        place + "charge_max_kw": (net > _AT) & (net >= problem.charge_max_kw[row, steps] - _AT),
        place + "discharge_max_kw": (net < -_AT)
        & (-net >= problem.discharge_max_kw[row, steps] - _AT),
    }
    return next((name for name, where in leans.items() if where.any()), None)
