"""What one home took, made, gave, kept and used in a quarter-hour, from its registers.

A home's use is what it took, plus what its own roof made, less what it gave, and less what its own
battery kept. Where no inverter is read, or it is silent as inverters are at night, the roof is
known only by what it gave: then the solar energy is the export and the use is the import, both
without what the battery did. That keeps the balance and is called an estimate where an inverter
should have spoken. Where the battery is silent what it did counts as use, which is an estimate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from collectors.store import DeviceKey, Quality, QuarterEnergy
from kwartier.model import Battery, Connection
from kwartier.units import EpochS, Wh

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Amount = TypeVar("Amount", int, "NDArray[np.int64]")
"""One home at one time, or many at many times."""
Energies: TypeAlias = dict[tuple[DeviceKey, str], dict[EpochS, QuarterEnergy]]
"""Energies by device and register, then by the start of the quarter [s]."""


@dataclass(frozen=True, slots=True)
class HomeQuarter:
    """One home in one quarter-hour.

    Attributes:
        start_s: The quarter's start [s].
        import_wh: Taken from the grid [Wh].
        export_wh: Given to the grid [Wh].
        solar_wh: Made on its roof, as far as is known [Wh].
        import_estimated: Whether the import is an estimate.
        export_estimated: Whether the export is an estimate.
        solar_estimated: Whether the solar energy is an estimate.
        battery_wh: What its own batteries took, less what they gave [Wh]; None while one is
            silent, 0 where there are none.
        battery_estimated: Whether that is an estimate.
    """

    start_s: EpochS
    import_wh: Wh
    export_wh: Wh
    solar_wh: Wh
    import_estimated: bool = False
    export_estimated: bool = False
    solar_estimated: bool = False
    battery_wh: Wh | None = 0
    battery_estimated: bool = False

    @property
    def estimated(self) -> bool:
        """Whether a part of it is an estimate."""
        return (
            self.import_estimated
            or self.export_estimated
            or self.solar_estimated
            or self.battery_estimated
            or not self.is_use_known
        )

    @property
    def is_use_known(self) -> bool:
        """Whether its use is known apart from its batteries; forecasts look at no other."""
        return self.battery_wh is not None

    @property
    def use_wh(self) -> Wh:
        """What the home used [Wh]; two meters read a second apart never make it negative."""
        return max(0, self.import_wh + self.solar_wh - self.export_wh - (self.battery_wh or 0))

    @property
    def use_and_battery_wh(self) -> Wh:
        """What the home used, with what its batteries took counted as use [Wh]."""
        return max(0, self.import_wh + self.solar_wh - self.export_wh)


def home_quarters(
    connection: Connection, batteries: Sequence[Battery], energies: Energies
) -> dict[EpochS, HomeQuarter]:
    """Return a home's known quarters by their start.

    Args:
        connection: The home.
        batteries: The batteries behind its meter.
        energies: What is on record.
    """
    meter = DeviceKey(connection.gateway, connection.meter)
    taken = energies.get((meter, "import_wh"), {})
    given = energies.get((meter, "export_wh"), {})
    made: dict[EpochS, QuarterEnergy] = {}
    if connection.solar is not None:
        made = energies.get((DeviceKey(connection.gateway, connection.solar), "produced_wh"), {})
    counters = [_Counters.of(one, energies) for one in batteries]
    told: dict[EpochS, HomeQuarter] = {}
    for at_s, into in taken.items():
        out = given.get(at_s)
        if given and out is None:
            continue
        sun = made.get(at_s)
        import_wh, export_wh = _known_wh(into), _known_wh(out)
        silent_roof = connection.solar is not None and sun is None
        kept = _kept_by(counters, at_s) if counters else _NOTHING
        told[at_s] = HomeQuarter(
            at_s,
            import_wh,
            export_wh,
            _sun_beside(import_wh, export_wh, kept) if sun is None else _known_wh(sun),
            _guessed(into),
            _guessed(out),
            silent_roof or _guessed(sun),
            None if kept is None else kept.charged_wh - kept.discharged_wh,
            kept is not None and kept.estimated,
        )
    return told


def sun_unseen(taken: Amount, given: Amount, charged: Amount, discharged: Amount) -> Amount:
    """Return what a roof that is not read made at least; energy [Wh] or power [W], all alike.

    That is what was given, by the roof and not by a battery, and what charged a battery beyond
    what was taken from the grid. Arrays of one shape are reckoned place by place.
    """
    beside_battery, beyond_grid = given - discharged, charged - taken
    return beside_battery * (beside_battery > 0) + beyond_grid * (beyond_grid > 0)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a home's batteries took and gave in one quarter [Wh]."""

    charged_wh: Wh
    discharged_wh: Wh
    estimated: bool


_NOTHING = _Kept(0, 0, estimated=False)


@dataclass(frozen=True, slots=True)
class _Counters:
    """What one battery's counters told, and the most that it can have done in a quarter [Wh]."""

    charged: Mapping[EpochS, QuarterEnergy]
    discharged: Mapping[EpochS, QuarterEnergy]
    most_wh: Wh

    @classmethod
    def of(cls, battery: Battery, energies: Energies) -> _Counters:
        key = DeviceKey(battery.gateway, battery.device)
        return cls(
            energies.get((key, "charged_wh"), {}),
            energies.get((key, "discharged_wh"), {}),
            battery.capacity_wh,
        )


def _kept_by(counters: Sequence[_Counters], at_s: EpochS) -> _Kept | None:
    """Return what a home's batteries took and gave in a quarter; None while one is silent.

    A counter that jumps by more than the battery holds tells of another battery, and of nothing.
    """
    charged_wh = discharged_wh = 0
    estimated = False
    for one in counters:
        taken, given = one.charged.get(at_s), one.discharged.get(at_s)
        if taken is None or given is None:
            return None
        if max(_known_wh(taken), _known_wh(given)) > one.most_wh:
            return None
        charged_wh += _known_wh(taken)
        discharged_wh += _known_wh(given)
        estimated = estimated or _guessed(taken) or _guessed(given)
    return _Kept(charged_wh, discharged_wh, estimated)


def _sun_beside(import_wh: Wh, export_wh: Wh, kept: _Kept | None) -> Wh:
    told = kept or _NOTHING
    return sun_unseen(import_wh, export_wh, told.charged_wh, told.discharged_wh)


def _known_wh(energy: QuarterEnergy | None) -> Wh:
    """Return a register's energy; a register that the meter does not have counted nothing."""
    return 0 if energy is None or energy.energy_wh is None else energy.energy_wh


def _guessed(energy: QuarterEnergy | None) -> bool:
    return energy is not None and energy.quality is not Quality.MEASURED
