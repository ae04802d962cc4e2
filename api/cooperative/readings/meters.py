"""Meters and what their registers stood at: they only count up, and a swap needs both ends."""

from __future__ import annotations

from api.cooperative.database import Desk
from api.cooperative.statement import MeterPart
from kwartier.units import EpochS


def meters_between(
    desk: Desk, connection: str, start_s: EpochS, end_s: EpochS
) -> tuple[MeterPart, ...]:
    """Return the meters of a connection in a period, the replaced one first, serials shortened."""
    raise NotImplementedError
