"""Readings gathered into blocks: what is written to disk and sent as one.

A block holds readings of one device, one meter and one clock, in rising order of time. It is
closed when it is full or old, when the meter or the clock changes, and by the first reading of a
new quarter-hour: that reading is the register that closes the quarter, so it never waits.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from kwartier.identity import DeviceId
from kwartier.interval import QUARTER_S
from kwartier.reading import Reading
from kwartier.wire import MAX_ROWS


@dataclass(frozen=True, slots=True)
class Draft:
    """A closed block that has no number yet.

    Attributes:
        readings: One or more readings of one device, meter and clock, in rising order of time.
        crc_failures: Telegrams of the device dropped since the draft before.
    """

    readings: tuple[Reading, ...]
    crc_failures: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """When a block is closed.

    Attributes:
        rows: At so many readings.
        age_s: So long after its first reading arrived [s].
        at_quarters: Also by the first reading of a new quarter-hour; not where history is played
            back, because then every reading would be a block.
    """

    rows: int = 60
    age_s: float = 60.0
    at_quarters: bool = True

    def __post_init__(self) -> None:
        assert 1 <= self.rows <= MAX_ROWS, self.rows
        assert self.age_s > 0, self.age_s


@dataclass(slots=True)
class _Open:
    """The block of one device that is still being filled."""

    until_s: float
    readings: list[Reading] = field(default_factory=list)


class Gatherer:
    """Gathers readings into drafts; usable from several threads."""

    def __init__(self, shape: Shape | None = None) -> None:
        """Start empty."""
        self._shape = shape or Shape()
        self._lock = threading.Lock()
        self._open: dict[DeviceId, _Open] = {}
        self._quarter: dict[DeviceId, int] = {}
        self._crc_failures: dict[DeviceId, int] = {}
        self.repeated = 0
        """Readings left out because the instant was already there."""

    def add(self, reading: Reading, now_s: float) -> list[Draft]:
        """Take one reading and return the drafts that it closed.

        Args:
            reading: What a device said.
            now_s: The monotonic count at its arrival [s].
        """
        with self._lock:
            drafts: list[Draft] = []
            group = self._open.get(reading.device)
            if group is not None:
                last = group.readings[-1]
                same = (last.meter, last.clock) == (reading.meter, reading.clock)
                if same and reading.at_s == last.at_s:
                    self.repeated += 1
                    return drafts
                if not same or reading.at_s < last.at_s:
                    drafts.append(self._closed(reading.device))
                    group = None
            if group is None:
                group = self._open[reading.device] = _Open(now_s + self._shape.age_s)
            group.readings.append(reading)
            closes_quarter = self._new_quarter(reading) and self._shape.at_quarters
            if closes_quarter or len(group.readings) >= self._shape.rows:
                drafts.append(self._closed(reading.device))
            return drafts

    def crc_failed(self, device: DeviceId, count: int = 1) -> None:
        """Count telegrams that were dropped; the device's next draft tells it."""
        with self._lock:
            self._crc_failures[device] = self._crc_failures.get(device, 0) + count

    def due(self, now_s: float) -> list[Draft]:
        """Return the drafts whose age has come."""
        with self._lock:
            old = [device for device, group in self._open.items() if group.until_s <= now_s]
            return [self._closed(device) for device in old]

    def company(self, now_s: float) -> list[Draft]:
        """Return the drafts at half their age or more: they may go along with one that goes now.

        Each transaction costs a memory card the same few pages, however much is in it.
        """
        return self.due(now_s + self._shape.age_s / 2)

    def deadline_s(self) -> float | None:
        """Return the monotonic count at which a draft becomes due; None when all is closed."""
        with self._lock:
            return min((group.until_s for group in self._open.values()), default=None)

    def rest(self) -> list[Draft]:
        """Close everything, as before a stop."""
        with self._lock:
            return [self._closed(device) for device in list(self._open)]

    def _closed(self, device: DeviceId) -> Draft:
        group = self._open.pop(device)
        return Draft(tuple(group.readings), self._crc_failures.pop(device, 0))

    def _new_quarter(self, reading: Reading) -> bool:
        """Return whether the reading is the first that its device has in a quarter-hour."""
        quarter = reading.at_s // QUARTER_S
        before = self._quarter.get(reading.device)
        self._quarter[reading.device] = quarter
        return before is not None and before != quarter
