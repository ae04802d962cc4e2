"""What a meter says, held against what it said before: nonsense that passed a checksum stays out.

One damaged telegram in 65,536 has a right checksum by chance, and some meters have none. A reading
in doubt waits. When the next ones contradict it, it is dropped; when ten in a row agree with one
another, all ten are let through and the meter has a new beginning. Ten, because damage never
repeats itself so often, and because ten seconds of a meter that sends each second, or two minutes
of an old one, delay nothing that matters. While they wait nothing of them is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from typing import TypeAlias

from kwartier.events import EventKind
from kwartier.identity import DeviceId, MeterId
from kwartier.reading import Reading
from kwartier.series import SERIES, Kind
from kwartier.units import Watt

AGREEING = 10
"""So many readings in a row that agree with one another are believed."""
USUAL_FUSE_A = 80
"""The largest connection of a house, 3x80 A [A]."""

_PHASES = 3
_VOLT = 230
_OVERLOAD_PERCENT = 145
"""A gG fuse carries 1.45 times its current for an hour or more (IEC 60269-1, table 2)."""
_HIGHEST_DV = 4_000
_STEPS = (10_000, 1_000, 100, 10)
"""The steps in which registers count, coarsest first, in their own unit; finer ones count as 1."""
_COUNTS_EACH_S = 10
_POWER_HOLDS_S = 60
"""Over a longer time the power at both ends says nothing of what lay between [s]."""
_PER_HOUR = {"dm3": 100_000, "kj": 720_000}
"""The most that flows through a house's other meters: 100 m3, and 200 kW of heat."""
_REGISTERS = frozenset(name for name, known in SERIES.items() if known.kind is not Kind.INSTANT)
_SIDES = (("import_wh", "import_w"), ("export_wh", "export_w"))
_AMONG_THEMSELVES = 20
"""Readings that wait agree within so many times the bound: a larger connection than the settings
say is delayed, and never lost."""
_TOLD_AGAIN_S = 3_600
_MOST_DEVICES = 32

Tell: TypeAlias = Callable[[EventKind, DeviceId, str], None]
"""Is told what happened to a device, in a sentence."""


class Doubt(StrEnum):
    """Why a reading waits."""

    OTHER_METER = "another meter"
    WENT_BACK = "a register went back"
    LEAPT = "a register grew more than the connection can carry"


@dataclass(slots=True)
class Refusals:
    """What the gate did since the start.

    Attributes:
        swaps: Meters that gave way to another one.
        beginnings: Registers that began anew under the same meter id.
        went_back: Readings that waited for a register below the last one.
        leapt: Readings that waited for a register far above the last one.
        other_meter: Readings that waited for an id other than the last one.
        dropped: Readings that waited and were contradicted.
        values: Single values left out because the connection cannot carry them.
    """

    swaps: int = 0
    beginnings: int = 0
    went_back: int = 0
    leapt: int = 0
    other_meter: int = 0
    dropped: int = 0
    values: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Which meter stands where, and how often its registers have begun.

    Attributes:
        meter: Its id as it sends it.
        beginning: 1, and one more each time its registers went back and stayed there.
    """

    meter: MeterId
    beginning: int = 1

    @property
    def series(self) -> MeterId:
        """The id under which its readings travel: a new beginning is a meter of its own."""
        return self.meter if self.beginning == 1 else f"{self.meter}~{self.beginning}"


@dataclass(slots=True)
class _Device:
    """What is known of one device."""

    standing: Standing | None = None
    last: Reading | None = None
    waiting: list[Reading] = field(default_factory=list)
    told_s: int | None = None


class Gate:
    """Lets readings through that can follow what was let through before.

    Keeps the last reading of each device and at most nine that wait.

    Attributes:
        refusals: What it did so far.
    """

    def __init__(
        self,
        fuse_a: int = USUAL_FUSE_A,
        tell: Tell | None = None,
        standing: Mapping[DeviceId, Standing] | None = None,
    ) -> None:
        """Judge a connection of three phases of ``fuse_a`` [A].

        Args:
            fuse_a: The fuse of one phase [A].
            tell: Is told of swapped meters and of registers that went back.
            standing: Which meter stood where before a restart.
        """
        self.refusals = Refusals()
        self._largest_w: Watt = _PHASES * _VOLT * fuse_a * _OVERLOAD_PERCENT // 100
        self._tell = tell
        units = {
            "w": self._largest_w,
            "ma": fuse_a * 1_000 * _OVERLOAD_PERCENT // 100,
            "dv": _HIGHEST_DV,
        }
        self._most = {
            name: units[unit]
            for name in SERIES
            if name not in _REGISTERS and (unit := name.rpartition("_")[2]) in units
        }
        self._devices = {
            device: _Device(known)
            for device, known in list((standing or {}).items())[:_MOST_DEVICES]
        }

    @property
    def standing(self) -> dict[DeviceId, Standing]:
        """Which meter stands where, for a restart to know it."""
        known = self._devices.items()
        return {device: one.standing for device, one in known if one.standing is not None}

    def admit(self, reading: Reading) -> list[Reading]:
        """Return the readings that this one lets through, in order; often just itself."""
        known = self._devices.get(reading.device)
        if known is None:
            if len(self._devices) >= _MOST_DEVICES:
                return []
            known = self._devices[reading.device] = _Device()
        reading = self._stripped(reading)
        doubt = self._doubt(known, reading)
        if doubt is None:
            return self._believed(known, reading)
        self._count(doubt, known, reading)
        if known.waiting and not self._agree(known.waiting[-1], reading):
            self._drop(known)
        known.waiting.append(reading)
        if len(known.waiting) < AGREEING:
            return []
        return self._begin(known, doubt)

    def _doubt(self, known: _Device, reading: Reading) -> Doubt | None:
        if known.standing is not None and known.standing.meter != reading.meter:
            return Doubt.OTHER_METER
        if known.last is None:
            return None
        if any(grown < 0 for _, grown in _growth(known.last, reading)):
            return Doubt.WENT_BACK
        return Doubt.LEAPT if self._leaps(known.last, reading) else None

    def _believed(self, known: _Device, reading: Reading) -> list[Reading]:
        """Let a sound reading through, and what waited where that lies between it and the last."""
        chain = [*known.waiting, reading]
        if known.waiting:
            if not _rises(chain if known.last is None else [known.last, *chain]):
                self._drop(known)
                chain = [reading]
            known.waiting = []
        known.last = reading
        known.standing = known.standing or Standing(reading.meter)
        return _renamed(chain, known.standing)

    def _begin(self, known: _Device, doubt: Doubt) -> list[Reading]:
        """Believe what waited: another meter, or the same one whose registers begin anew."""
        chain, known.waiting = known.waiting, []
        before, last = known.standing, chain[-1]
        known.last, known.told_s = last, None
        if before is None or before.meter != last.meter:
            known.standing = Standing(last.meter)
            self.refusals.swaps += 1
            self._say(
                EventKind.METER_SWAPPED, last, "another meter stands here: a new series begins"
            )
        elif doubt is Doubt.WENT_BACK:
            known.standing = Standing(last.meter, before.beginning + 1)
            self.refusals.beginnings += 1
        assert known.standing is not None
        return _renamed(chain, known.standing)

    def _count(self, doubt: Doubt, known: _Device, reading: Reading) -> None:
        match doubt:
            case Doubt.OTHER_METER:
                self.refusals.other_meter += 1
            case Doubt.LEAPT:
                self.refusals.leapt += 1
            case Doubt.WENT_BACK:
                self.refusals.went_back += 1
                if known.told_s is None or abs(reading.at_s - known.told_s) >= _TOLD_AGAIN_S:
                    known.told_s = reading.at_s
                    reason = "a register is below what it was: readings wait until they agree"
                    self._say(EventKind.REGISTER_WENT_BACK, reading, reason)

    def _say(self, kind: EventKind, reading: Reading, reason: str) -> None:
        if self._tell is not None:
            self._tell(kind, reading.device, reason)

    def _drop(self, known: _Device) -> None:
        self.refusals.dropped += len(known.waiting)
        known.waiting.clear()

    def _agree(self, earlier: Reading, later: Reading) -> bool:
        return earlier.meter == later.meter and not (
            any(grown < 0 for _, grown in _growth(earlier, later))
            or self._leaps(earlier, later, _AMONG_THEMSELVES)
        )

    def _leaps(self, earlier: Reading, later: Reading, times: int = 1) -> bool:
        """Return whether a register grew more than the time and the connection allow.

        Meters count on each ten seconds or so, in steps of 1 Wh to 1 kWh; both add to the bound.
        """
        seconds = abs(later.at_s - earlier.at_s)
        for name, grown in _growth(earlier, later):
            per_hour = _PER_HOUR.get(name.rpartition("_")[2], self._largest_w)
            flow = per_hour * (seconds + _COUNTS_EACH_S) // 3600
            if grown > (2 * _step(earlier.values[name]) + flow) * times:
                return True
        return seconds <= _POWER_HOLDS_S and any(
            self._differs(earlier, later, seconds, *side) for side in _SIDES
        )

    def _differs(
        self, earlier: Reading, later: Reading, seconds: int, register: str, power: str
    ) -> bool:
        """Return whether a register grew otherwise than the power at both ends lets expect.

        Between two telegrams the power may have been another; so half of what the connection
        carries in the time is granted.
        """
        energies = earlier.values.get(register), later.values.get(register)
        powers = earlier.values.get(power), later.values.get(power)
        if None in energies or None in powers:
            return False
        before_wh, after_wh = (energy or 0 for energy in energies)
        expected_wh = sum(watt or 0 for watt in powers) * seconds / 2 / 3600
        granted_wh = self._largest_w * (seconds / 2 + _COUNTS_EACH_S) / 3600
        return abs(after_wh - before_wh - expected_wh) > 2 * _step(before_wh) + granted_wh

    def _stripped(self, reading: Reading) -> Reading:
        """Return a reading without the values that no such connection can show."""
        wild = [
            name for name, value in reading.values.items() if value > self._most.get(name, value)
        ]
        if not wild:
            return reading
        self.refusals.values += len(wild)
        kept = {name: value for name, value in reading.values.items() if name not in wild}
        return replace(reading, values=kept)


def _renamed(chain: list[Reading], standing: Standing) -> list[Reading]:
    if standing.beginning == 1:
        return chain
    return [replace(one, meter=standing.series) for one in chain]


def _growth(earlier: Reading, later: Reading) -> list[tuple[str, int]]:
    """Return how much each register that both tell has grown, in its own unit."""
    return [
        (name, value - earlier.values[name])
        for name, value in later.values.items()
        if name in earlier.values and name in _REGISTERS
    ]


def _step(value: int) -> int:
    """Return the coarsest step in which a register with this value may count."""
    return next((step for step in _STEPS if value % step == 0), 1)


def _rises(readings: list[Reading]) -> bool:
    """Return whether no register of one meter goes back from one reading to the next."""
    return all(
        earlier.meter == later.meter and all(grown >= 0 for _, grown in _growth(earlier, later))
        for earlier, later in pairwise(readings)
    )
