"""Who wrote a row, and when: the two columns that every row of registry and law has."""

from __future__ import annotations

from typing import TypedDict

from api.cooperative.database import Desk
from kwartier.units import EpochS


class Stamp(TypedDict):
    """When a row was written and by which officer."""

    recorded_at_s: EpochS
    recorded_by: str


def stamp(desk: Desk) -> Stamp:
    """Return what a row written at this desk bears."""
    return {"recorded_at_s": desk.at_s, "recorded_by": desk.officer.id}
