"""What is in the bucket of sums in the exchanges, and what the boards' questions make of it.

Two days of Amsterdam: 24 October 2026, with 24 hours, and 25 October, with 25. Only a few quarters
have values, so that everything can be worked out by hand. The second quarter of the 24th has no
battery: nobody knows what the grid gave then, so it is in no balance.
"""

from __future__ import annotations

from kwartier.charts import PLAN, SITE, SUMS
from kwartier.interval import epoch_s, parse_instant

ZONNEWIJK = "zonnewijk"


def at(text: str) -> int:
    """Return an instant in UTC [s]."""
    return epoch_s(parse_instant(text))


START_S, STOP_S = at("2026-10-24T10:00:00Z"), at("2026-10-25T20:00:00Z")
"""The range that is looked at; it begins in the middle of a day."""
HOUR_S = at("2026-10-25T12:00:00Z")
"""The hour of which lines are drawn; nothing is known of its second half."""

_SUMS: dict[str, dict[str, int]] = {
    # 24 October, summer time: 08:00Z is 10:00 in Amsterdam, before the range begins
    "2026-10-24T08:00:00Z": {"homes": 7, "solar_w": 4000, "load_w": 1000, "battery_w": 1000,
                             "soc_permille": 500, "shared_wh": 200},
    "2026-10-24T10:00:00Z": {"homes": 7, "solar_w": 6000, "load_w": 1000},
    "2026-10-24T10:15:00Z": {"homes": 7, "solar_w": 8000, "load_w": 2000, "battery_w": 4000,
                             "soc_permille": 555, "shared_wh": 300},
    "2026-10-24T21:45:00Z": {"homes": 7, "solar_w": 0, "load_w": 5000, "battery_w": -2000,
                             "soc_permille": 540},
    # 25 October: the day began at 22:00Z and ends at 23:00Z, an hour later than usual
    "2026-10-24T22:00:00Z": {"homes": 6, "solar_w": 0, "load_w": 7000, "battery_w": -1000,
                             "soc_permille": 535, "shared_wh": 50},
    # at night the battery charges from the grid, in the morning it gives to it: neither is sun
    "2026-10-25T02:00:00Z": {"homes": 6, "solar_w": 0, "load_w": 500, "battery_w": 4000},
    "2026-10-25T05:00:00Z": {"homes": 6, "solar_w": 0, "load_w": 1000, "battery_w": -3000},
    "2026-10-25T12:00:00Z": {"homes": 6, "solar_w": 2000, "load_w": 1000, "battery_w": 0,
                             "soc_permille": 535},
    "2026-10-25T12:15:00Z": {"homes": 6, "solar_w": 3000, "load_w": 1500, "battery_w": 500,
                             "soc_permille": 537},
}  # fmt: skip
_PLAN: dict[str, dict[str, int]] = {
    "2026-10-25T12:00:00Z": {"solar_w": 2100, "load_w": 1000, "battery_w": 500, "grid_w": -600,
                             "soc_permille": 540, "price_ct_per_mwh": -1250},
    "2026-10-25T19:00:00Z": {"solar_w": 0, "load_w": 6000, "battery_w": -4000, "grid_w": 2000,
                             "soc_permille": 300, "price_ct_per_mwh": 24100},
}  # fmt: skip


def lines() -> list[str]:
    """Return the scene as line protocol, time in seconds."""
    return [*_lines(SUMS, _SUMS), *_lines(PLAN, _PLAN)]


def _lines(measurement: str, points: dict[str, dict[str, int]]) -> list[str]:
    return [
        f"{measurement},{SITE}={ZONNEWIJK} "
        + ",".join(f"{name}={value}i" for name, value in fields.items())
        + f" {at(instant)}"
        for instant, fields in points.items()
    ]
