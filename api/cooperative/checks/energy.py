"""How much a connection took and gave, where that is known: the ground of every effect."""

from __future__ import annotations

from dataclasses import dataclass

from api.cooperative.checks.case import CheckCase
from kwartier.units import EpochS, Wh


@dataclass(frozen=True, slots=True)
class KnownEnergy:
    """The sums over the quarters in which both registers are known.

    Attributes:
        quarters: How many those are.
        import_wh: Taken in them [Wh].
        export_wh: Given in them [Wh].
    """

    quarters: int
    import_wh: Wh
    export_wh: Wh


def known_energy(
    case: CheckCase, connection: str, start_s: EpochS | None = None, end_s: EpochS | None = None
) -> KnownEnergy:
    """Return what is known of a connection in ``[start_s, end_s)``, or in the whole period."""
    readings = case.readings
    if connection not in readings.connections:
        return KnownEnergy(0, 0, 0)
    row = readings.connections.index(connection)
    start, end = case.columns(case.start_s if start_s is None else start_s, end_s)
    inside = slice(start, end)
    known = (
        readings.listed[row, inside]
        & ~readings.taken.missing[row, inside]
        & ~readings.given.missing[row, inside]
    )
    return KnownEnergy(
        int(known.sum()),
        int(readings.taken.energy_wh[row, inside][known].sum()),
        int(readings.given.energy_wh[row, inside][known].sum()),
    )


def energy_cents(case: CheckCase, energy: KnownEnergy) -> int:
    """Return what energy is worth: import at the buying, export at the selling price."""
    bought = case.prices.bought_cents(energy.import_wh)
    return bought + case.prices.sold_cents(energy.export_wh)
