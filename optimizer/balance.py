"""What a quarter's readings come to: supply, demand, and the most each home may receive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kwartier.errors import ContractError
from kwartier.interval import Quarter
from kwartier.units import Wh

BATTERY = "battery"
"""How the battery's connection is named in lists of what is missing or estimated."""


class SelfRule(StrEnum):
    """Whether a home's own export may come back to it as a share.

    Source:
        Convention C5 of docs/settlement.md.
    """

    NO_SELF = "no_self"
    """No: a home's cap is the supply of all others."""
    POOL = "pool"
    """Yes: a home's cap is its import."""
    NET = "net"
    """Import and export of one home are first offset within the quarter, then no."""


@dataclass(frozen=True, slots=True)
class Registers:
    """What the two registers of one connection counted in one quarter.

    A register that the connection does not have counted 0 and is not missing.

    Attributes:
        import_wh: From the grid, for a battery its charge [Wh]; None when it is missing.
        export_wh: To the grid, for a battery its discharge [Wh]; None when it is missing.
        import_estimated: Whether the import was estimated.
        export_estimated: Whether the export was estimated.
    """

    import_wh: Wh | None = 0
    export_wh: Wh | None = 0
    import_estimated: bool = False
    export_estimated: bool = False

    def __post_init__(self) -> None:
        for name, energy_wh in (("import", self.import_wh), ("export", self.export_wh)):
            if energy_wh is not None and (type(energy_wh) is not int or energy_wh < 0):
                raise ContractError(f"{name} {energy_wh!r}: energy is whole watt-hours, 0 or more")


@dataclass(frozen=True, slots=True)
class QuarterReadings:
    """All that was read of one quarter.

    Attributes:
        quarter: Which quarter.
        connections: The members' connections by id.
        battery: The neighbourhood's battery, or all of them together, behind its own meter.
    """

    quarter: Quarter
    connections: Mapping[str, Registers]
    battery: Registers = Registers()

    def missing(self) -> tuple[str, ...]:
        """Return the registers that were not read, such as ``A:export``."""
        return tuple(label for label, energy_wh, _ in self._registers() if energy_wh is None)

    def estimated(self) -> tuple[str, ...]:
        """Return the registers whose energy was estimated, such as ``A:export``."""
        return tuple(label for label, _, estimated in self._registers() if estimated)

    def _registers(self) -> Iterator[tuple[str, Wh | None, bool]]:
        for name in sorted(self.connections):
            read = self.connections[name]
            yield f"{name}:import", read.import_wh, read.import_estimated
            yield f"{name}:export", read.export_wh, read.export_estimated
        battery = self.battery
        yield f"{BATTERY}:charge", battery.import_wh, battery.import_estimated
        yield f"{BATTERY}:discharge", battery.export_wh, battery.export_estimated


@dataclass(frozen=True, slots=True)
class Balance:
    """The quarter as the key sees it; what is missing counts 0.

    Attributes:
        imports_wh: Each connection's demand [Wh]; offset against its export under ``net``.
        exports_wh: Each connection's supply [Wh]; offset against its import under ``net``.
        discharge_wh: What the battery gave [Wh].
        charge_wh: What the battery took [Wh].
        caps_wh: The most each connection may receive [Wh].
    """

    imports_wh: Mapping[str, Wh]
    exports_wh: Mapping[str, Wh]
    discharge_wh: Wh
    charge_wh: Wh
    caps_wh: Mapping[str, Wh]

    @property
    def supply_wh(self) -> Wh:
        """What there is to share: all exports and the battery's discharge [Wh]."""
        return sum(self.exports_wh.values()) + self.discharge_wh


@dataclass(frozen=True, slots=True)
class Rate:
    """A part of a whole as it was counted, not reduced: ``660/1000``; 0 of nothing is 0."""

    part_wh: Wh
    whole_wh: Wh

    def __str__(self) -> str:
        return f"{self.part_wh}/{self.whole_wh}" if self.whole_wh else "0"


def balance_of(readings: QuarterReadings, self_rule: SelfRule) -> Balance:
    """Return supply, demand and caps of one quarter.

    Source:
        Conventions C3, C4, C5 and C11 of docs/settlement.md.
    """
    imports_wh: dict[str, Wh] = {}
    exports_wh: dict[str, Wh] = {}
    for name, registers in readings.connections.items():
        taken, given = registers.import_wh or 0, registers.export_wh or 0
        offset = min(taken, given) if self_rule is SelfRule.NET else 0
        imports_wh[name], exports_wh[name] = taken - offset, given - offset
    discharge_wh = readings.battery.export_wh or 0
    caps_wh = imports_wh
    if self_rule is not SelfRule.POOL:
        supply_wh = sum(exports_wh.values()) + discharge_wh
        caps_wh = {
            name: min(wanted, supply_wh - exports_wh[name]) for name, wanted in imports_wh.items()
        }
    charge_wh = readings.battery.import_wh or 0
    return Balance(imports_wh, exports_wh, discharge_wh, charge_wh, caps_wh)
