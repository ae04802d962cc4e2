"""What batteries do within a quarter: the plan, and how far it is left for the meter.

The quarter is acted on as a whole, with its actual mean: meters of a backtest tell no more. The
layer below the plan is the one of :mod:`optimizer.tracking`; here stands what it is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.backtest.policies import Follows
from optimizer.backtest.stores import QUARTER_H, Stores
from optimizer.problem import FloatArray
from optimizer.tracking.quarter import Contract, Follow, Planned, rule_of, tracked_kw

IDLE_KW = 0.01
"""Less power or exchange than this is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What a plan says of one quarter.

    Attributes:
        power_kw: Of each battery, charging above zero, shape ``(B,)``.
        exchange_kw: Import less export that was expected.
        worth_eur_per_kwh: What one more kWh stored would save, shape ``(B,)``; None unknown.
        peak_kw: The import that the plan does not go over, where a peak has a price; else endless.
    """

    power_kw: FloatArray
    exchange_kw: float
    worth_eur_per_kwh: FloatArray | None = None
    peak_kw: float = np.inf


@dataclass(frozen=True, slots=True)
class Now:
    """The quarter as it is.

    Attributes:
        residual_kw: Use less sun.
        buy_eur_per_kwh: What import costs.
        sell_eur_per_kwh: What export earns.
        import_limit_kw: The most that may be taken.
        export_limit_kw: The most that may be given.
    """

    residual_kw: float
    buy_eur_per_kwh: float
    sell_eur_per_kwh: float
    import_limit_kw: float
    export_limit_kw: float


def power_kw(
    follows: Follows, stores: Stores, stored_kwh: FloatArray, step: Step | None, now: Now
) -> FloatArray:
    """Return what each battery does in a quarter, within what it can, shape ``(B,)`` [kW].

    Args:
        follows: How.
        stores: The batteries.
        stored_kwh: What is stored before, shape ``(B,)``.
        step: What the plan says; None where there is no plan.
        now: The quarter.
    """
    resting = np.zeros(stored_kwh.size)
    held = stores.holding(stored_kwh)
    if follows is Follows.SURPLUS:
        return tracked_kw(Planned(resting, 0.0), now.residual_kw, held, QUARTER_H)
    if follows is Follows.NOTHING or step is None:
        return resting
    planned = Planned(step.power_kw, step.exchange_kw)
    if follows is Follows.PLAN:
        return tracked_kw(planned, now.residual_kw, held, QUARTER_H, follow=Follow.PLAN)
    if follows is Follows.WORTH and step.worth_eur_per_kwh is not None:
        wanted_kw = _by_worth_kw(stores, step.worth_eur_per_kwh, now, float(step.power_kw.sum()))
        planned = Planned(step.power_kw, now.residual_kw + wanted_kw)
        follow = Follow.METER
    elif follows is Follows.EXCHANGE:
        works = abs(float(step.power_kw.sum())) > IDLE_KW
        follow = Follow.METER if works else Follow.PLAN
    else:
        follow = rule_of(planned, near_kw=IDLE_KW)
    contract = Contract(min(now.import_limit_kw, step.peak_kw), now.export_limit_kw)
    return tracked_kw(planned, now.residual_kw, held, QUARTER_H, follow=follow, contract=contract)


def _by_worth_kw(stores: Stores, worth: FloatArray, now: Now, planned_kw: float) -> float:
    """Return the power wanted where a stored kWh is worth so much.

    A battery that may sell to the grid or buy from it does what was planned. Else it covers what
    lacks where a kWh from the grid costs more than one from store is worth, and takes what is left
    over where the grid pays less than it is worth stored; where both are equal, the plan decides.
    """
    giving = float(np.min(worth / stores.discharge_efficiency + stores.wear_eur_per_kwh))
    taking = float(np.max(worth * stores.charge_efficiency))
    if now.sell_eur_per_kwh > giving + _SAME_EUR or now.buy_eur_per_kwh < taking - _SAME_EUR:
        return planned_kw
    covering_kw = -now.residual_kw
    if covering_kw < 0:
        if now.buy_eur_per_kwh > giving + _SAME_EUR:
            return covering_kw
        tied = now.buy_eur_per_kwh > giving - _SAME_EUR
        return max(min(planned_kw, 0.0), covering_kw) if tied else max(planned_kw, 0.0)
    if now.sell_eur_per_kwh < taking - _SAME_EUR:
        return covering_kw
    tied = now.sell_eur_per_kwh < taking + _SAME_EUR
    return min(max(planned_kw, 0.0), covering_kw) if tied else min(planned_kw, 0.0)


_SAME_EUR = 1e-6
