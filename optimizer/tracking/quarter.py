"""The layer below a plan, for one quarter: what batteries do once the homes' real use is known.

At a gateway the meter is followed each second. Over a whole quarter that comes to this: the
batteries do what was planned, and more or less together by as much as the meter asks and they can.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from optimizer.problem import FloatArray
from optimizer.tracking.filling import fill_kw


class Follow(Enum):
    """What is followed in a quarter."""

    PLAN = "plan"
    """Each battery does what was planned, but for the limits of the connection."""
    METER = "meter"
    """The exchange that was planned comes about at the meter, as far as batteries can."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Batteries as they are at the start of a quarter; every array has the shape ``(B,)``.

    Attributes:
        stored_kwh: What is in store [kWh].
        least_kwh: Not discharged below this [kWh].
        most_kwh: Not charged above this [kWh].
        charge_max_kw: The most each takes [kW].
        discharge_max_kw: The most each gives [kW].
        charge_efficiency: Stored over taken in.
        discharge_efficiency: Given back over taken from store.
    """

    stored_kwh: FloatArray
    least_kwh: FloatArray
    most_kwh: FloatArray
    charge_max_kw: FloatArray
    discharge_max_kw: FloatArray
    charge_efficiency: FloatArray
    discharge_efficiency: FloatArray

    def most_kw(self, hours: float) -> FloatArray:
        """Return what each can take for so long [kW]."""
        room = np.maximum(self.most_kwh - self.stored_kwh, 0.0)
        return np.minimum(self.charge_max_kw, room / (self.charge_efficiency * hours))

    def least_kw(self, hours: float) -> FloatArray:
        """Return the same of giving; not above nothing [kW]."""
        stock = np.maximum(self.stored_kwh - self.least_kwh, 0.0)
        return -np.minimum(self.discharge_max_kw, stock * self.discharge_efficiency / hours)

    def after(self, power_kw: FloatArray, hours: float) -> FloatArray:
        """Return what is in store after so long at this power [kWh]."""
        charged = np.maximum(power_kw, 0.0) * self.charge_efficiency
        return self.stored_kwh + hours * (
            charged + np.minimum(power_kw, 0.0) / self.discharge_efficiency
        )


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan says of one quarter.

    Attributes:
        power_kw: What each battery does, shape ``(B,)``; positive charges [kW].
        exchange_kw: What passes at the meter; positive takes from the grid [kW].
    """

    power_kw: FloatArray
    exchange_kw: float


@dataclass(frozen=True, slots=True)
class Contract:
    """What may pass at the meter on average over the quarter; infinite for no limit.

    Attributes:
        import_max_kw: The most that is taken [kW].
        export_max_kw: The most that is given [kW].
    """

    import_max_kw: float = np.inf
    export_max_kw: float = np.inf


def rule_of(planned: Planned, *, near_kw: float) -> Follow:
    """Return what is followed: the meter where the plan meets nothing there, else the plan.

    Where a plan buys or sells it does so for the price, and what the homes use more or less changes
    nothing of that price. Where it comes out at nothing it covers the homes' own use, whatever that
    turns out to be.

    Args:
        planned: What the plan says.
        near_kw: An exchange up to this counts as nothing [kW].
    """
    return Follow.METER if abs(planned.exchange_kw) <= near_kw else Follow.PLAN


def tracked_kw(
    planned: Planned,
    rest_kw: float,
    stores: Stores,
    hours: float,
    *,
    follow: Follow = Follow.METER,
    contract: Contract | None = None,
) -> FloatArray:
    """Return what each battery really does in the quarter, shape ``(B,)`` [kW].

    Batteries that the plan leaves alone take part like the others. A contract is kept as far as
    the batteries can, whatever is followed.

    Args:
        planned: What the plan says.
        rest_kw: What all but the batteries take from the meter on average: use less panels [kW].
        stores: The batteries at the start of the quarter.
        hours: How long it is [h].
        follow: What is followed.
        contract: What may pass at the meter.
    """
    contract = contract or Contract()
    least_kw, most_kw = stores.least_kw(hours), stores.most_kw(hours)
    begun_kw = np.clip(planned.power_kw, least_kw, most_kw)
    total_kw = float(begun_kw.sum())
    if follow is Follow.METER:
        total_kw = planned.exchange_kw - rest_kw
    high_kw = contract.import_max_kw - rest_kw
    low_kw = min(-contract.export_max_kw - rest_kw, high_kw)
    total_kw = min(max(total_kw, low_kw), high_kw)
    up = total_kw > begun_kw.sum()
    room_kw = most_kw - begun_kw if up else begun_kw - least_kw
    return fill_kw(total_kw, begun_kw, least_kw, most_kw, room_kw)
