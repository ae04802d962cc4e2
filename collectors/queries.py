"""From the record to answers: what homes used, what the sun made, what the neighbourhood does now.

A home's use is what it took, plus what its own roof made, less what it gave. Where no inverter is
read, or it is silent as inverters are at night, the roof is known only by what it gave: then the
solar energy is the export and the use is the import, which keeps the balance and is called an
estimate where an inverter should have spoken.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from collectors.disclosure import Disclosure
from collectors.store import DeviceKey, Quality, QuarterEnergy, Store
from kwartier.clock import Clock
from kwartier.interval import QUARTER_S
from kwartier.model import Community, Connection
from kwartier.units import EpochS, Wh

ANSWER_AGE_S = 5.0
"""How old an answer may be before the store is asked again [s]."""
GRACE_S = 300
"""How long a quarter waits for the last home before its sum is told without it [s]."""
_NAMES = ("import_wh", "export_wh", "produced_wh", "charged_wh", "discharged_wh")
_KEPT_PERIODS = 16

_Energies: TypeAlias = dict[tuple[DeviceKey, str], dict[EpochS, QuarterEnergy]]


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
    """

    start_s: EpochS
    import_wh: Wh
    export_wh: Wh
    solar_wh: Wh
    import_estimated: bool = False
    export_estimated: bool = False
    solar_estimated: bool = False

    @property
    def estimated(self) -> bool:
        """Whether a part of it is an estimate."""
        return self.import_estimated or self.export_estimated or self.solar_estimated

    @property
    def use_wh(self) -> Wh:
        """What the home used [Wh]; two meters read a second apart never make it negative."""
        return max(0, self.import_wh + self.solar_wh - self.export_wh)


@dataclass(frozen=True, slots=True)
class SumQuarter:
    """The neighbourhood in one quarter-hour, over enough homes to hide each of them.

    Attributes:
        start_s: The quarter's start [s].
        homes: How many homes the sums cover.
        import_wh: Taken from the grid by homes [Wh].
        export_wh: Given to the grid by homes [Wh].
        solar_wh: Made on their roofs [Wh].
        use_wh: Used by them [Wh].
        charged_wh: Taken in by the shared batteries [Wh]; None when it is missing.
        discharged_wh: Given back by the shared batteries [Wh]; None when it is missing.
        estimated: How many of the homes are estimated in part.
    """

    start_s: EpochS
    homes: int
    import_wh: Wh
    export_wh: Wh
    solar_wh: Wh
    use_wh: Wh
    charged_wh: Wh | None
    discharged_wh: Wh | None
    estimated: int


@dataclass(frozen=True, slots=True)
class BatteryQuarter:
    """The shared batteries together in one quarter-hour [Wh]; None where one is missing."""

    start_s: EpochS
    charged_wh: Wh | None
    discharged_wh: Wh | None


@dataclass(frozen=True, slots=True)
class Period:
    """All that is known of ``[start_s, end_s)``, home by home; never shown as it is.

    Attributes:
        start_s: The first instant [s].
        end_s: The first instant after it [s].
        homes: Each home's known quarters, by its id and the quarter's start.
        batteries: The shared batteries by the quarter's start.
    """

    start_s: EpochS
    end_s: EpochS
    homes: Mapping[str, Mapping[EpochS, HomeQuarter]]
    batteries: Mapping[EpochS, BatteryQuarter]


class Records:
    """Answers from the store, each at most some seconds old; safe to share between threads."""

    def __init__(
        self,
        store: Store,
        community: Community,
        clock: Clock,
        disclosure: Disclosure | None = None,
    ) -> None:
        """Answer for one neighbourhood."""
        self._store = store
        self._community = community
        self._clock = clock
        self._disclosure = Disclosure() if disclosure is None else disclosure
        self._lock = threading.Lock()
        self._periods: dict[tuple[EpochS, EpochS], tuple[float, Period]] = {}

    def period(self, start_s: EpochS, end_s: EpochS) -> Period:
        """Return all that is known of a period; for settling, and for a home's own page."""
        asked_at = self._clock.monotonic_s()
        with self._lock:
            kept = self._periods.get((start_s, end_s))
            if kept is not None and asked_at - kept[0] < ANSWER_AGE_S:
                return kept[1]
            period = self._read(start_s, end_s)
            self._periods[start_s, end_s] = (asked_at, period)
            while len(self._periods) > _KEPT_PERIODS:
                del self._periods[next(iter(self._periods))]
            return period

    def home(self, connection: str, start_s: EpochS, end_s: EpochS) -> list[HomeQuarter]:
        """Return one home's known quarters in order of time; its owner alone may see them."""
        known = self.period(start_s, end_s).homes[connection]
        return [known[at_s] for at_s in sorted(known)]

    def sums(self, start_s: EpochS, end_s: EpochS) -> list[SumQuarter]:
        """Return the neighbourhood's quarters that may be told, in order of time."""
        period = self.period(start_s, end_s)
        told = [self._sum(period, at_s) for at_s in range(start_s, end_s, QUARTER_S)]
        return [quarter for quarter in told if quarter is not None]

    def _sum(self, period: Period, start_s: EpochS) -> SumQuarter | None:
        known = {name for name, quarters in period.homes.items() if start_s in quarters}
        late = len(known) < len(period.homes)
        if late and self._clock.now_s() < start_s + QUARTER_S + GRACE_S:
            return None
        told = self._disclosure.homes_for(start_s, known)
        if told is None:
            return None
        homes = [period.homes[name][start_s] for name in told]
        battery = period.batteries.get(start_s, BatteryQuarter(start_s, None, None))
        return SumQuarter(
            start_s,
            len(homes),
            sum(home.import_wh for home in homes),
            sum(home.export_wh for home in homes),
            sum(home.solar_wh for home in homes),
            sum(home.use_wh for home in homes),
            battery.charged_wh,
            battery.discharged_wh,
            sum(home.estimated for home in homes),
        )

    def _read(self, start_s: EpochS, end_s: EpochS) -> Period:
        energies: _Energies = {}
        for energy in self._store.quarters(_NAMES, start_s, end_s):
            if energy.energy_wh is not None:
                energies.setdefault((energy.key, energy.name), {})[energy.start_s] = energy
        homes = {
            name: _home_quarters(connection, energies)
            for name, connection in self._community.connections.items()
        }
        return Period(start_s, end_s, homes, self._battery_quarters(energies))

    def _battery_quarters(self, energies: _Energies) -> dict[EpochS, BatteryQuarter]:
        keys = [
            DeviceKey(battery.gateway, battery.device)
            for battery in self._community.batteries.values()
        ]
        starts = {at_s for key in keys for at_s in energies.get((key, "charged_wh"), {})}
        return {
            at_s: BatteryQuarter(
                at_s,
                _sum_or_none(keys, "charged_wh", at_s, energies),
                _sum_or_none(keys, "discharged_wh", at_s, energies),
            )
            for at_s in starts
        }


def _home_quarters(connection: Connection, energies: _Energies) -> dict[EpochS, HomeQuarter]:
    meter = DeviceKey(connection.gateway, connection.meter)
    taken = energies.get((meter, "import_wh"), {})
    given = energies.get((meter, "export_wh"), {})
    made: dict[EpochS, QuarterEnergy] = {}
    if connection.solar is not None:
        made = energies.get((DeviceKey(connection.gateway, connection.solar), "produced_wh"), {})
    told: dict[EpochS, HomeQuarter] = {}
    for at_s, into in taken.items():
        out = given.get(at_s)
        if given and out is None:
            continue
        sun = made.get(at_s)
        export_wh = _known_wh(out)
        silent_roof = connection.solar is not None and sun is None
        told[at_s] = HomeQuarter(
            at_s,
            _known_wh(into),
            export_wh,
            export_wh if sun is None else _known_wh(sun),
            _guessed(into),
            _guessed(out),
            silent_roof or _guessed(sun),
        )
    return told


def _known_wh(energy: QuarterEnergy | None) -> Wh:
    """Return a register's energy; a register that the meter does not have counted nothing."""
    return 0 if energy is None or energy.energy_wh is None else energy.energy_wh


def _guessed(energy: QuarterEnergy | None) -> bool:
    return energy is not None and energy.quality is not Quality.MEASURED


def _sum_or_none(keys: list[DeviceKey], name: str, at_s: EpochS, energies: _Energies) -> Wh | None:
    total = 0
    for key in keys:
        energy = energies.get((key, name), {}).get(at_s)
        if energy is None or energy.energy_wh is None:
            return None
        total += energy.energy_wh
    return total
