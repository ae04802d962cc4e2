"""What is in InfluxDB in the exchanges of influx_exchanges/, and what is asked of it.

Two homes of the cooperative ``zonnewijk`` around noon on 1 July 2026. The second one's meter was
changed at 10:08. Everything that is expected is worked out by hand from these registers.
"""

from __future__ import annotations

from collectors.line_protocol import block_lines
from collectors.store import DeviceKey, Latest, Quality, QuarterEnergy
from kwartier.identity import short_id
from kwartier.interval import epoch_s, parse_instant
from kwartier.reading import ClockSource
from kwartier.wire import Block

SITE = "zonnewijk"


def at(clock: str) -> int:
    """Return an instant of that day in UTC [s]."""
    return epoch_s(parse_instant(f"2026-07-01T{clock}Z"))


HOME_1 = DeviceKey("gw-01", "p1")
HOME_2 = DeviceKey("gw-02", "p1")
START_S, END_S = at("10:00:00"), at("10:45:00")

_FIRST_HOME = {
    "10:00:00": (1000, 1200),
    "10:07:00": (1130, 1100),
    "10:14:50": (1247, 1000),
    "10:15:00": (1250, 1000),
    "10:29:50": (1493, 900),
    "10:30:00": (1500, None),
}


def blocks() -> list[Block]:
    """Return what was forwarded; the last row of the first home has no power."""
    clocks = tuple(at(clock) for clock in _FIRST_HOME)
    first = {
        "import_wh": tuple(wh for wh, _ in _FIRST_HOME.values()),
        "import_w": tuple(w for _, w in _FIRST_HOME.values()),
    }
    old = (at("10:00:00"), at("10:07:00"))
    new = (at("10:08:00"), at("10:15:00"), at("10:30:00"))
    unsure = (at("10:40:00"),)
    meter = ClockSource.METER
    return [
        Block("gw-01", "e1", 1, "p1", "meter-a", meter, clocks, first),
        Block("gw-02", "e1", 1, "p1", "meter-old", meter, old, {"import_wh": (5000, 5100)}),
        Block("gw-02", "e1", 2, "p1", "meter-new", meter, new, {"import_wh": (0, 40, 90)}),
        Block("gw-02", "e1", 3, "p1", "meter-new", ClockSource.UNSURE, unsure,
              {"import_w": (70,)}),
    ]  # fmt: skip


def lines() -> list[str]:
    """Return the lines that were written."""
    return [line for block in blocks() for line in block_lines(block, SITE)]


POINTS = [
    (at("10:00:00"), 1200),
    (at("10:07:00"), 1100),
    (at("10:14:50"), 1000),
    (at("10:15:00"), 1000),
    (at("10:29:50"), 900),
]

LATEST = [
    Latest(HOME_1, short_id("meter-a"), "import_w", at("10:29:50"), 900),
    Latest(HOME_1, short_id("meter-a"), "import_wh", at("10:30:00"), 1500),
    Latest(HOME_2, short_id("meter-new"), "import_w", at("10:40:00"), 70),
    Latest(HOME_2, short_id("meter-new"), "import_wh", at("10:30:00"), 90),
]


def _measured(key: DeviceKey, clock: str, energy_wh: int) -> QuarterEnergy:
    return QuarterEnergy(key, "import_wh", at(clock), energy_wh, Quality.MEASURED)


QUARTERS = [
    _measured(HOME_1, "10:00:00", 250),
    _measured(HOME_1, "10:15:00", 250),
    _measured(HOME_2, "10:00:00", (5100 - 5000) + (40 - 0)),
    _measured(HOME_2, "10:15:00", 50),
]
