"""The codes on a P1 port as data: what each object of a telegram means and how it is stored.

Sources, by the letters used below:

- N: Netbeheer Nederland, "Dutch Smart Meter Requirements, P1 companion standard" 5.0.2, section
  6.12, and its editions 2.2, 3.0, 4.0 and 4.2.2.
- B: Fluvius, "e-MUCS - P1" 1.7.1 and 2.1.1, chapter on the objects in the telegram.
- L: Creos and others, "Specification of the P1 user port" for Luxembourg.
- T: recorded telegrams of meters in Lithuania, Hungary, Austria and Germany.
- M: EN 13757-3, table of device types.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Base(StrEnum):
    """The whole unit a series is stored in."""

    WH = "Wh"
    W = "W"
    DV = "0.1 V"
    MA = "mA"
    DM3 = "dm3"
    KJ = "kJ"
    COUNT = "1"


_FACTORS: dict[Base, dict[str, int]] = {
    Base.WH: {"Wh": 1, "kWh": 1000, "MWh": 1_000_000},
    Base.W: {"W": 1, "kW": 1000, "MW": 1_000_000},
    Base.DV: {"V": 10, "": 10},
    Base.MA: {"A": 1000, "": 1000},
    Base.DM3: {"dm3": 1, "l": 1, "m3": 1000},
    Base.KJ: {"kJ": 1, "MJ": 1000, "GJ": 1_000_000, "kWh": 3600, "MWh": 3_600_000},
    Base.COUNT: {"": 1},
}
UNIT_FACTORS: dict[Base, dict[str, int]] = {
    base: factors | {unit.lower(): factor for unit, factor in factors.items()}
    for base, factors in _FACTORS.items()
}
"""Base units in one unit, as it should be written and in lower case; ``""`` is one left out."""


@dataclass(frozen=True, slots=True)
class MeterObject:
    """One object of the electricity meter itself.

    Attributes:
        code: Its OBIS code without the sixth number.
        series: The name it is stored under (``kwartier.series``), or an inner name of a tariff
            that only counts towards the total.
        base: The unit of the stored whole number.
        source: The letter of the document above.
    """

    code: str
    series: str
    base: Base
    source: str


METER_OBJECTS: dict[str, MeterObject] = {
    row.code: row
    for row in [
        MeterObject("1-0:1.8.0", "import_wh", Base.WH, "L"),
        MeterObject("1-0:1.8.1", "import_t1_wh", Base.WH, "N"),
        MeterObject("1-0:1.8.2", "import_t2_wh", Base.WH, "N"),
        MeterObject("1-0:1.8.3", "import_t3_wh", Base.WH, "T"),
        MeterObject("1-0:1.8.4", "import_t4_wh", Base.WH, "T"),
        MeterObject("1-0:2.8.0", "export_wh", Base.WH, "L"),
        MeterObject("1-0:2.8.1", "export_t1_wh", Base.WH, "N"),
        MeterObject("1-0:2.8.2", "export_t2_wh", Base.WH, "N"),
        MeterObject("1-0:2.8.3", "export_t3_wh", Base.WH, "T"),
        MeterObject("1-0:2.8.4", "export_t4_wh", Base.WH, "T"),
        MeterObject("0-0:96.14.0", "tariff", Base.COUNT, "N"),
        MeterObject("1-0:1.7.0", "import_w", Base.W, "N"),
        MeterObject("1-0:2.7.0", "export_w", Base.W, "N"),
        MeterObject("1-0:21.7.0", "import_l1_w", Base.W, "N"),
        MeterObject("1-0:41.7.0", "import_l2_w", Base.W, "N"),
        MeterObject("1-0:61.7.0", "import_l3_w", Base.W, "N"),
        MeterObject("1-0:22.7.0", "export_l1_w", Base.W, "N"),
        MeterObject("1-0:42.7.0", "export_l2_w", Base.W, "N"),
        MeterObject("1-0:62.7.0", "export_l3_w", Base.W, "N"),
        MeterObject("1-0:32.7.0", "voltage_l1_dv", Base.DV, "N"),
        MeterObject("1-0:52.7.0", "voltage_l2_dv", Base.DV, "N"),
        MeterObject("1-0:72.7.0", "voltage_l3_dv", Base.DV, "N"),
        MeterObject("1-0:31.7.0", "current_l1_ma", Base.MA, "N"),
        MeterObject("1-0:51.7.0", "current_l2_ma", Base.MA, "N"),
        MeterObject("1-0:71.7.0", "current_l3_ma", Base.MA, "N"),
    ]
}
"""The objects that become series, by code; T1 and T2 mean day and night the other way in BE."""

STAMP = "0-0:1.0.0"
"""When the telegram was made; absent before DSMR 4 (N)."""
VERSIONS = ("1-3:0.2.8", "0-0:96.1.4")
"""The edition of the standard, Dutch (N) and Belgian (B)."""
METER_IDS = ("0-0:96.1.1", "0-0:42.0.0", "0-0:96.1.0", "1-0:96.1.0", "1-0:0.0.0", "0-0:96.1.255")
"""The meter's own id, best first: N and B, then L, then as seen in HU and DE (T)."""
SHORT_FAILURES = "0-0:96.7.21"
LONG_FAILURES = "0-0:96.7.9"
FAILURE_LOG = "1-0:99.97.0"
"""``(count)(0-0:96.7.19)`` and then pairs ``(end)(seconds*s)`` (N)."""
TEXT_MESSAGE = "0-0:96.13.0"
QUARTER_AVERAGE = "1-0:1.4.0"
"""The average import of the running quarter-hour (B)."""
MONTH_PEAK = "1-0:1.6.0"
"""``(when)(value)``: the highest quarter-hour of this month (B)."""
PEAK_HISTORY = "0-0:98.1.0"
"""``(count)(code)(code)`` and then triples ``(month end)(when)(value)`` (B)."""

CHANNEL_TYPE = "24.1.0"
CHANNEL_IDS = ("96.1.0", "96.1.1")
"""The id of an M-Bus meter, Dutch (N) and Belgian (B)."""
CHANNEL_VALUES = ("24.2.1", "24.2.3", "24.2.2")
"""``(when)(value)``: volume or energy; Belgian gas is on 24.2.3 (B)."""
CHANNEL_OLD_VALUE = "24.3.0"
"""``(when)(status)(minutes)(count)(code)(unit)``, its value on the next line (N 2.2 and 3.0)."""


class MbusType(StrEnum):
    """What a meter on the M-Bus measures."""

    ELECTRICITY = "electricity"
    GAS = "gas"
    HEAT = "heat"
    WATER = "water"
    COOLING = "cooling"


MBUS_TYPES: dict[int, MbusType] = {
    2: MbusType.ELECTRICITY,
    3: MbusType.GAS,
    4: MbusType.HEAT,
    6: MbusType.WATER,
    7: MbusType.WATER,
    10: MbusType.COOLING,
    11: MbusType.COOLING,
    12: MbusType.HEAT,
}
"""Device types by number (M); 6 is warm water, 10 and 11 cooling in and out, 12 heat inlet."""

MBUS_SERIES: dict[MbusType, tuple[str, Base]] = {
    MbusType.GAS: ("gas_dm3", Base.DM3),
    MbusType.HEAT: ("heat_kj", Base.KJ),
    MbusType.WATER: ("water_dm3", Base.DM3),
    MbusType.COOLING: ("cold_kj", Base.KJ),
}
"""Where an M-Bus meter's value is stored; a second electricity meter is shown, never stored."""

ZONE_OF_MAKER: dict[str, str] = {"ESO5": "Europe/Vilnius"}
"""Whose winter is not UTC+1, by the first letters of the header (T); others keep Dutch time."""
