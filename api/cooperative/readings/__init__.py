"""The durable copy of what settlement used: versions of days, meters, and where they come from."""

from __future__ import annotations

from api.cooperative.readings.days import DayValues, Direction, Source
from api.cooperative.readings.matrices import latest_reading, matrix
from api.cooperative.readings.meters import meters_between, meters_within
from api.cooperative.readings.record import day_values, store_day, store_days, versions_of

__all__ = [
    "DayValues",
    "Direction",
    "Source",
    "day_values",
    "latest_reading",
    "matrix",
    "meters_between",
    "meters_within",
    "store_day",
    "store_days",
    "versions_of",
]
