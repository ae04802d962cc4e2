"""Quarter-hour energy from registers that only count up: the difference between both ends.

A quarter keeps the first and the last reading inside it, its span. Taking in a reading again, late
or out of order gives the same span, so it gives the same energy. What a register stood at on a
boundary is one function of the readings around it; the energy of a quarter is a difference of two
such values. So neighbours always add up to the register's own difference, to the watt-hour.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from collectors.store import Quality, QuarterEnergy
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS, Wh

NEAR_S = 30
"""Readings this close together around a boundary count as a measurement of it [s]."""
REACH = 2
"""How many readings that take part in a step back are passed over to find a sound one."""
SURROUNDINGS = 2 * (REACH + 2)
"""Spans on each side of a changed one that settle every energy the change can touch."""


@dataclass(frozen=True, slots=True)
class Span:
    """The first and the last reading of one register in one quarter.

    Attributes:
        start_s: The quarter's start [s].
        first_s: When the first reading was [s]; on the quarter's start it belongs to it.
        first: What the register stood at then.
        last_s: When the last reading was [s].
        last: What it stood at then.
    """

    start_s: EpochS
    first_s: EpochS
    first: int
    last_s: EpochS
    last: int

    def widened(self, other: Span) -> Span:
        """Return the span of both; of two readings at one instant the one held here stays."""
        early = other if other.first_s < self.first_s else self
        late = other if other.last_s > self.last_s else self
        return Span(self.start_s, early.first_s, early.first, late.last_s, late.last)


@dataclass(frozen=True, slots=True)
class Known:
    """The energy of one quarter, where it is known."""

    energy_wh: Wh
    quality: Quality


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a register stood at on a boundary."""

    value: int
    measured: bool


class Register:
    """One register of one meter, in order of time.

    A reading next to a step back is not sound: nobody can say which of the two is wrong. It is
    passed over, and what lies between its sound neighbours is an estimate whose sum is exact. Where
    the sound neighbours fall as well, the quarters between them are missing.
    """

    def __init__(
        self, spans: Sequence[Span], *, follows: bool = False, is_followed: bool = False
    ) -> None:
        """Keep the spans.

        Args:
            spans: In order of time, at most one a quarter.
            follows: The first span is the meter's opening, after another meter.
            is_followed: The last span is the meter's closing, before another meter.
        """
        self._times: list[EpochS] = []
        self._values: list[int] = []
        for span in spans:
            self._times.append(span.first_s)
            self._values.append(span.first)
            if span.last_s > span.first_s:
                self._times.append(span.last_s)
                self._values.append(span.last)
        self._quarters = {span.start_s for span in spans}
        self._opening = spans[0].start_s if spans and follows else None
        self._closing = spans[-1].start_s if spans and is_followed else None

    def known(self, start_s: EpochS) -> Known | None:
        """Return the energy between both ends of a quarter; None when an end is not known."""
        start = self._standing(start_s)
        end = self._standing(start_s + QUARTER_S)
        return _difference(start, end)

    def known_with_ends(self, start_s: EpochS) -> Known | None:
        """Return the energy of a quarter, up to a closing and from an opening register too."""
        start = self._standing(start_s)
        end = self._standing(start_s + QUARTER_S)
        if start is None and start_s == self._opening:
            start = self._end(0)
        if end is None and start_s == self._closing:
            end = self._end(-1)
        return _difference(start, end)

    def speaks_in(self, start_s: EpochS) -> bool:
        """Return whether there is a reading in a quarter."""
        return start_s in self._quarters

    def covers(self, start_s: EpochS) -> bool:
        """Return whether a quarter lies between the first and the last reading, ends included."""
        if not self._times:
            return False
        return self._times[0] < start_s + QUARTER_S and self._times[-1] >= start_s

    def changes_hands_in(self, start_s: EpochS) -> bool:
        """Return whether the meter opens after another one, or closes before one, in a quarter."""
        return start_s in (self._opening, self._closing)

    def _end(self, place: int) -> _Standing | None:
        place %= len(self._times)
        return _Standing(self._values[place], measured=True) if self._is_sound(place) else None

    def _standing(self, at_s: EpochS) -> _Standing | None:
        place = bisect_left(self._times, at_s)
        after = self._sound(place, +1)
        if after is None:
            return None
        if self._times[after] == at_s:
            return _Standing(self._values[after], measured=True)
        before = self._sound(place - 1, -1)
        if before is None or self._values[before] > self._values[after]:
            return None
        gap_s = self._times[after] - self._times[before]
        rise = self._values[after] - self._values[before]
        value = self._values[before] + rise * (at_s - self._times[before]) // gap_s
        return _Standing(value, measured=gap_s <= NEAR_S)

    def _sound(self, place: int, step: int) -> int | None:
        """Return the nearest place with a sound reading, from a place on."""
        for candidate in range(place, place + step * (REACH + 1), step):
            if not 0 <= candidate < len(self._times):
                return None
            if self._is_sound(candidate):
                return candidate
        return None

    def _is_sound(self, place: int) -> bool:
        values = self._values
        if place and values[place - 1] > values[place]:
            return False
        return place + 1 == len(values) or values[place] <= values[place + 1]


def spans_of(points: Iterable[tuple[EpochS, int]]) -> list[Span]:
    """Return the spans of readings ``(instant, register)`` in any order."""
    spans: dict[EpochS, Span] = {}
    for at_s, value in points:
        start_s = at_s // QUARTER_S * QUARTER_S
        span = Span(start_s, at_s, value, at_s, value)
        held = spans.get(start_s)
        spans[start_s] = span if held is None else held.widened(span)
    return [spans[start_s] for start_s in sorted(spans)]


def steps_back(before: Span | None, span: Span) -> int:
    """Return how many times the register falls between the span before and the end of this one."""
    fell_into = before is not None and before.last > span.first
    return int(fell_into) + int(span.first > span.last)


def known_of_device(registers: Collection[Register], start_s: EpochS) -> Known | None:
    """Return the energy of one quarter over the meters that a device had, one after another.

    The closing register of the old meter and the opening one of the new add up. It is a measurement
    when both are read inside the quarter, otherwise an estimate: what ran between was never read.

    Source:
        Rule 9 for imperfect data of docs/settlement.md.
    """
    energy_wh = 0
    quality = Quality.MEASURED
    covering = [register for register in registers if register.covers(start_s)]
    for register in covering:
        known = register.known_with_ends(start_s)
        if known is None:
            return None
        alone = not any(other.speaks_in(start_s) for other in covering if other is not register)
        if known.quality is Quality.ESTIMATED or (register.changes_hands_in(start_s) and alone):
            quality = Quality.ESTIMATED
        energy_wh += known.energy_wh
    return Known(energy_wh, quality) if covering else None


@dataclass(frozen=True, slots=True)
class GroupEnergy:
    """What several devices counted together in one quarter-hour.

    Attributes:
        name: Which register.
        start_s: The quarter's start [s].
        energy_wh: The sum over the devices that are known.
        known: How many devices are in the sum.
        estimated: How many of those are an estimate.
    """

    name: str
    start_s: EpochS
    energy_wh: Wh
    known: int
    estimated: int


def fold(quarters: Iterable[QuarterEnergy]) -> list[GroupEnergy]:
    """Return the sums over devices, in order of name and time; what is missing is not counted."""
    sums: dict[tuple[str, EpochS], list[int]] = {}
    for quarter in quarters:
        if quarter.energy_wh is None:
            continue
        total = sums.setdefault((quarter.name, quarter.start_s), [0, 0, 0])
        total[0] += quarter.energy_wh
        total[1] += 1
        total[2] += quarter.quality is Quality.ESTIMATED
    return [GroupEnergy(name, start_s, *sums[name, start_s]) for name, start_s in sorted(sums)]


def _difference(start: _Standing | None, end: _Standing | None) -> Known | None:
    if start is None or end is None or end.value < start.value:
        return None
    measured = start.measured and end.measured
    return Known(end.value - start.value, Quality.MEASURED if measured else Quality.ESTIMATED)
