"""What a stored kWh is worth, as a band of the exchange at the meter.

Against prices that are known a worth comes down to this: from where on does a battery cover what
lacks, and from where on does it take what is left over. Inside the band batteries rest; outside
they bring the meter to the nearest edge. Nobody who keeps to a band needs to know a price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.problem import FloatArray

NOTHING_KW = 0.01
"""Less exchange or power than this is none [kW]."""
SAME_EUR = 1e-6
"""Prices that differ by less are the same [EUR/kWh]."""


@dataclass(frozen=True, slots=True)
class Band:
    """What may pass at the meter without batteries doing anything; positive takes from the grid.

    Attributes:
        low_kw: They charge to bring it up to this; endless below where they need not [kW].
        high_kw: They give to bring it down to this; endless above where they need not [kW].
    """

    low_kw: float = -np.inf
    high_kw: float = np.inf

    def wanted_kw(self, rest_kw: float) -> float:
        """Return what batteries do together; positive charges [kW].

        Args:
            rest_kw: What passes while they rest [kW].
        """
        return min(max(rest_kw, self.low_kw), self.high_kw) - rest_kw

    def within(self, least_kw: float, most_kw: float) -> Band:
        """Return the band inside of limits; what lies beyond them ends at them."""
        low_kw, high_kw = max(self.low_kw, least_kw), min(self.high_kw, most_kw)
        return Band(min(low_kw, most_kw), max(high_kw, least_kw))


OWN_USE = Band(0.0, 0.0)
"""What is left over is taken, what lacks is covered."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a kWh is worth where batteries take it and where they give it.

    Attributes:
        taking_eur_per_kwh: One that is taken in at the meter, to the battery that gains most.
        giving_eur_per_kwh: One that is given, to the battery that loses least.
    """

    taking_eur_per_kwh: float
    giving_eur_per_kwh: float


@dataclass(frozen=True, slots=True)
class Prices:
    """What energy costs in one step.

    Attributes:
        buy_eur_per_kwh: A kWh from the grid.
        sell_eur_per_kwh: What one to the grid earns.
    """

    buy_eur_per_kwh: float
    sell_eur_per_kwh: float


def worth_of(
    stored_eur_per_kwh: FloatArray,
    charge_efficiency: FloatArray,
    discharge_efficiency: FloatArray,
    wear_eur_per_kwh: FloatArray,
) -> Worth:
    """Return what stored energy is worth at the meter; every array has the shape ``(B,)``, B > 0.

    Args:
        stored_eur_per_kwh: What one more kWh in store saves.
        charge_efficiency: Stored over taken in.
        discharge_efficiency: Given back over taken from store.
        wear_eur_per_kwh: Cost of giving a kWh.
    """
    giving = stored_eur_per_kwh / discharge_efficiency + wear_eur_per_kwh
    return Worth(float(np.max(stored_eur_per_kwh * charge_efficiency)), float(np.min(giving)))


def band_of(
    power_kw: float,
    exchange_kw: float,
    worth: Worth | None,
    prices: Prices,
    *,
    spares: bool = False,
) -> Band | None:
    """Return the band of one step, or None where the planned power is held instead.

    Batteries cover what lacks where a kWh from the grid costs more than giving one, and take what
    is left over where the grid pays less than one is worth in store. Where they may also buy from
    the grid or sell to it the planned power is held, for what the homes use more or less changes
    nothing of the price.

    Where two prices are equal one is as good as the other. What the plan has them do for the homes
    they then do wholly, and what it buys they buy. What it sells they keep: it is there then for
    what nobody expected. But where stored energy or room is spared for a limit they do as planned.

    Without a worth the meter is followed where the plan exchanges nothing, and the power held
    elsewhere.

    Args:
        power_kw: What the plan has all batteries do; positive charges [kW].
        exchange_kw: What it expects to pass; positive takes from the grid [kW].
        worth: What stored energy is worth; None where the plan does not say.
        prices: Of this step.
        spares: Whether a limit may be met for which energy or room is kept.
    """
    buy, sell = prices.buy_eur_per_kwh, prices.sell_eur_per_kwh
    if worth is None or sell > buy + SAME_EUR:
        return OWN_USE if abs(exchange_kw) <= NOTHING_KW else None
    giving, taking = worth.giving_eur_per_kwh, worth.taking_eur_per_kwh
    sells = spares and power_kw < 0 and exchange_kw < -NOTHING_KW
    buys = power_kw > 0 and exchange_kw > NOTHING_KW
    if _is_above(sell, giving, or_same=sells) or _is_above(taking, buy, or_same=buys):
        return None
    low_kw, high_kw = -np.inf, np.inf
    if _is_above(taking, sell, or_same=power_kw > 0):
        low_kw = min(exchange_kw, 0.0) if spares and not _is_above(taking, sell) else 0.0
    if _is_above(buy, giving, or_same=power_kw < 0):
        high_kw = max(exchange_kw, 0.0) if spares and not _is_above(buy, giving) else 0.0
    return Band(low_kw, high_kw)


def _is_above(one_eur: float, other_eur: float, *, or_same: bool = False) -> bool:
    return one_eur > other_eur + (-SAME_EUR if or_same else SAME_EUR)
