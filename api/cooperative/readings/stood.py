"""What a connection's registers counted between the instants at which they were read."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.readings.days import Direction
from api.cooperative.readings.meters import meters_of
from api.cooperative.readings.registers import newest_readings
from api.cooperative.readings.rises import MeterStands, Node, boundary_nodes
from kwartier.units import EpochS


def register_nodes(
    desk: Desk, connection: str, register: Direction, start_s: EpochS, end_s: EpochS
) -> list[Node]:
    """Return what a register counted up to each boundary in ``[start_s, end_s]``, over swaps."""
    stood = newest_readings(desk, [connection], start_s, end_s)
    return boundary_nodes(
        [
            MeterStands(
                f"{connection} {meter.number}",
                meter.digits,
                meter.installed_s,
                meter.removed_s,
                tuple(
                    (each.at_s, each.wh)
                    for each in stood.get((connection, meter.number), ())
                    if each.register is register
                ),
            )
            for meter in meters_of(desk, [connection])
        ]
    )
