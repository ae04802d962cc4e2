"""The layer below a plan, for one quarter: what batteries do once the homes' real use is known.

At a gateway the meter is followed each second. Over a whole quarter that comes to this: the
batteries do what was planned, and more or less together by as much as the meter asks and they can.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.problem import FloatArray
from optimizer.tracking.band import Band
from optimizer.tracking.filling import fill_kw


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
class Contract:
    """What may pass at the meter on average over the quarter; infinite for no limit.

    Attributes:
        import_max_kw: The most that is taken [kW].
        export_max_kw: The most that is given [kW].
    """

    import_max_kw: float = np.inf
    export_max_kw: float = np.inf


def tracked_kw(
    planned_kw: FloatArray,
    rest_kw: float,
    stores: Stores,
    hours: float,
    *,
    band: Band | None = None,
    contract: Contract | None = None,
) -> FloatArray:
    """Return what each battery really does in the quarter, shape ``(B,)`` [kW].

    Batteries that the plan leaves alone take part like the others. Where they follow the meter
    none charges while another gives. A contract is kept as far as they can, whatever is followed.

    Args:
        planned_kw: What the plan has each battery do, shape ``(B,)``; positive charges [kW].
        rest_kw: What all but the batteries take from the meter on average: use less panels [kW].
        stores: The batteries at the start of the quarter.
        hours: How long it is [h].
        band: What may pass at the meter while batteries rest; None where they do what was planned.
        contract: What may pass at the meter.
    """
    contract = contract or Contract()
    least_kw, most_kw = stores.least_kw(hours), stores.most_kw(hours)
    begun_kw = np.clip(planned_kw, least_kw, most_kw)
    total_kw = float(begun_kw.sum()) if band is None else band.wanted_kw(rest_kw)
    high_kw = contract.import_max_kw - rest_kw
    low_kw = min(-contract.export_max_kw - rest_kw, high_kw)
    total_kw = min(max(total_kw, low_kw), high_kw)
    if band is not None:
        least_kw = least_kw if total_kw < 0 else np.zeros_like(least_kw)
        most_kw = most_kw if total_kw > 0 else np.zeros_like(most_kw)
        begun_kw = np.clip(begun_kw, least_kw, most_kw)
    up = total_kw > begun_kw.sum()
    room_kw = most_kw - begun_kw if up else begun_kw - least_kw
    return fill_kw(total_kw, begun_kw, least_kw, most_kw, room_kw)
