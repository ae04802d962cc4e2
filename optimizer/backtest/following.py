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
from optimizer.tracking.band import NOTHING_KW, OWN_USE, Band, Prices, band_of, worth_of
from optimizer.tracking.quarter import Contract, tracked_kw


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
    rest_kw = now.residual_kw
    if follows is Follows.SURPLUS:
        return tracked_kw(resting, rest_kw, held, QUARTER_H, band=OWN_USE)
    if follows is Follows.NOTHING or step is None:
        return resting
    if follows is Follows.PLAN:
        return tracked_kw(step.power_kw, rest_kw, held, QUARTER_H)
    band = _exchange(step) if follows is Follows.EXCHANGE else _band(stores, step, now)
    contract = Contract(min(now.import_limit_kw, step.peak_kw), now.export_limit_kw)
    return tracked_kw(step.power_kw, rest_kw, held, QUARTER_H, band=band, contract=contract)


def _exchange(step: Step) -> Band | None:
    """Return the planned exchange as a point, wherever the batteries have work."""
    works = abs(float(step.power_kw.sum())) > NOTHING_KW
    return Band(step.exchange_kw, step.exchange_kw) if works else None


def _band(stores: Stores, step: Step, now: Now) -> Band | None:
    """Return the band that a gateway would be told."""
    worth = None
    if step.worth_eur_per_kwh is not None:
        worth = worth_of(
            step.worth_eur_per_kwh,
            stores.charge_efficiency,
            stores.discharge_efficiency,
            stores.wear_eur_per_kwh,
        )
    prices = Prices(now.buy_eur_per_kwh, now.sell_eur_per_kwh)
    spares = np.isfinite(min(now.import_limit_kw, now.export_limit_kw, step.peak_kw))
    power_kw = float(step.power_kw.sum())
    return band_of(power_kw, step.exchange_kw, worth, prices, spares=bool(spares))
