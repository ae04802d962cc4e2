"""The stored names: what each series means, its unit and how it behaves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a series behaves in time."""

    REGISTER = "register"
    """Counts up for the life of a meter; energy is a difference of two."""
    PART = "part"
    """Counts up as a part of a register that is stored too; its quarter-hours are not kept."""
    INSTANT = "instant"
    """Is true at its instant only."""


@dataclass(frozen=True, slots=True)
class Series:
    """One stored name.

    Attributes:
        name: As it stands on the wire and in the store; its last word is its unit.
        kind: Register, part of one, or instant.
        meaning: In one line, with its sign.
    """

    name: str
    kind: Kind
    meaning: str


def _registers(*rows: tuple[str, str]) -> list[Series]:
    return [Series(name, Kind.REGISTER, meaning) for name, meaning in rows]


def _parts(*rows: tuple[str, str]) -> list[Series]:
    return [Series(name, Kind.PART, meaning) for name, meaning in rows]


def _instants(*rows: tuple[str, str]) -> list[Series]:
    return [Series(name, Kind.INSTANT, meaning) for name, meaning in rows]


SERIES: dict[str, Series] = {
    series.name: series
    for series in [
        *_registers(
            ("import_wh", "taken from the grid, all tariffs [Wh]"),
            ("export_wh", "given to the grid, all tariffs [Wh]"),
            ("produced_wh", "made by an inverter, AC side [Wh]"),
            ("charged_wh", "taken in by a battery, AC side [Wh]"),
            ("discharged_wh", "given back by a battery, AC side [Wh]"),
            ("gas_dm3", "gas used [dm3]"),
            ("water_dm3", "water used [dm3]"),
            ("heat_kj", "heat used [kJ]"),
            ("cold_kj", "cold used [kJ]"),
        ),
        *_parts(
            ("import_t1_wh", "taken from the grid in tariff 1 [Wh]"),
            ("import_t2_wh", "taken from the grid in tariff 2 [Wh]"),
            ("export_t1_wh", "given to the grid in tariff 1 [Wh]"),
            ("export_t2_wh", "given to the grid in tariff 2 [Wh]"),
        ),
        *_instants(
            ("import_w", "taken from the grid now [W]"),
            ("export_w", "given to the grid now [W]"),
            ("import_l1_w", "taken on phase 1 now [W]"),
            ("import_l2_w", "taken on phase 2 now [W]"),
            ("import_l3_w", "taken on phase 3 now [W]"),
            ("export_l1_w", "given on phase 1 now [W]"),
            ("export_l2_w", "given on phase 2 now [W]"),
            ("export_l3_w", "given on phase 3 now [W]"),
            ("voltage_l1_dv", "voltage of phase 1 [0.1 V]"),
            ("voltage_l2_dv", "voltage of phase 2 [0.1 V]"),
            ("voltage_l3_dv", "voltage of phase 3 [0.1 V]"),
            ("current_l1_ma", "current of phase 1, without sign [mA]"),
            ("current_l2_ma", "current of phase 2, without sign [mA]"),
            ("current_l3_ma", "current of phase 3, without sign [mA]"),
            ("tariff", "tariff in force, as the meter numbers them"),
            ("solar_w", "made by an inverter now, AC side [W]"),
            ("battery_w", "battery's AC power now; positive charges [W]"),
            ("soc_permille", "stored energy as part of the usable capacity [1/1000]"),
            ("setpoint_w", "set-point the battery obeys; positive charges [W]"),
            ("revert_s", "time left before the battery reverts by itself [s]"),
        ),
    ]
}
"""Every series the house stores, by name."""
