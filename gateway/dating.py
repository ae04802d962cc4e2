"""What is dated by the gateway's own clock, dated rightly: nothing is stamped before time is known.

A Pi without a clock of its own starts in the past and learns the time from the network, or from the
P1 meter. Until then readings that carry the gateway's time wait on the monotonic count, and get
their date when it is known. Afterwards a leap of the wall's clock is not believed before the meter,
or a quarter of an hour, bears it out.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from kwartier.clock import Clock
from kwartier.events import Event, EventKind
from kwartier.identity import DeviceId
from kwartier.reading import ClockSource, Reading

_log = logging.getLogger(__name__)

MOST_HELD = 10_000
"""Readings that wait for the time, about 10 MB; of more the oldest go out as unsure."""
EARLIEST_S = 1_735_689_600
"""2025-01-01T00:00Z: a clock that shows less was never set [s]."""

_DAY_S = 86_400
_FOLLOWED_S = 30.0
"""A clock may be put right by so much without a question [s]."""
_BORNE_OUT_S = 900.0
"""A leap that stands so long is believed where no meter says otherwise [s]."""
_METER_AGREES_S = 120.0
_STEADY_S = 5.0
"""Two readings of a meter whose stamps follow the monotonic count so closely tell the time [s]."""
_REDATED_S = 10.0
_METER_OFF_S, _METER_BACK_S = 300.0, 200.0
_ABOUT_AN_HOUR_S = (3_300.0, 3_900.0)
_NOTED_EACH_S = 3_600.0


class TimeService(Protocol):
    """Knows whether the machine's clock was set."""

    def synchronised(self) -> bool:
        """Return whether the wall's clock can be believed."""


class MachineTime:
    """What systemd's time service says; a machine without it is believed."""

    def __init__(self, folder: Path = Path("/run/systemd/timesync")) -> None:
        """Look into the service's folder, which is there from its start on."""
        self._folder = folder

    def synchronised(self) -> bool:
        """Return whether the clock was set since the machine started."""
        return (self._folder / "synchronized").exists() or not self._folder.is_dir()


class LastKnown:
    """The newest instant known for sure, kept as the date of an empty file."""

    def __init__(self, path: Path) -> None:
        """Keep it at ``path``."""
        self._path = path

    def read(self) -> float:
        """Return the instant [s]; the beginning of 2025 where none was kept."""
        try:
            return max(self._path.stat().st_mtime, EARLIEST_S)
        except OSError:
            return EARLIEST_S

    def note(self, at_s: float) -> None:
        """Keep an instant [s]; where the disk takes nothing the old one stays."""
        try:
            self._path.touch()
            os.utime(self._path, (at_s, at_s))
        except OSError as error:
            _log.warning("%s cannot be written: %s", self._path, error.strerror)


class Dating:
    """A clock that tells the time as far as it is known, and dates readings; for any thread.

    Attributes:
        unsure: Readings that went out without anybody knowing the time.
        redated: Readings that got another date than they came with.
        leaps: Leaps of the wall's clock that were not followed at once.
    """

    def __init__(self, clock: Clock, service: TimeService, last_known: LastKnown) -> None:
        """Begin without knowing the time, unless the service vouches for the clock."""
        self._clock = clock
        self._service = service
        self._last_known = last_known
        self._lock = threading.RLock()
        self._held: deque[tuple[float, Reading]] = deque()
        self._guess_zero_s = last_known.read() - clock.monotonic_s()
        self._zero_s: float | None = None
        self._by_meter = False
        self._leap: tuple[float, float] | None = None
        self._meter: tuple[float, float] | None = None
        self._meter_is_steady = False
        self._off: set[DeviceId] = set()
        self._seen: dict[DeviceId, float] = {}
        self._noted_s: float | None = None
        self._told_s: float | None = None
        self._tell: Callable[[Event], None] = _nobody
        self.unsure = 0
        self.redated = 0
        self.leaps = 0

    def watch(self, tell: Callable[[Event], None]) -> None:
        """Have ``tell`` told when a clock is found to be off."""
        self._tell = tell

    def monotonic_s(self) -> float:
        """Return the monotonic count [s]."""
        return self._clock.monotonic_s()

    def now_s(self) -> float:
        """Return the time [s]; until it is known, at least what it was before the restart."""
        with self._lock:
            zero_s = self._look()
            return self._clock.monotonic_s() + (self._guess_zero_s if zero_s is None else zero_s)

    @property
    def is_known(self) -> bool:
        """Whether the time is known."""
        with self._lock:
            return self._look() is not None

    @property
    def held(self) -> int:
        """How many readings wait for the time."""
        with self._lock:
            return len(self._held)

    def date(self, reading: Reading) -> list[Reading]:
        """Return the readings whose date is now known, in order; often just this one."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if reading.clock is not ClockSource.METER:
                self._held.append((now_s, reading))
                return self._due()
            if "import_wh" in reading.values or "import_w" in reading.values:
                self._meter_said(reading, now_s)
                reading = self._marked(reading, now_s)
            return [*self._due(), reading]

    def rest(self) -> list[Reading]:
        """Return what still waits, dated as well as may be, as before a stop."""
        with self._lock:
            due = self._due()
            due += [self._guessed() for _ in range(len(self._held))]
            return due

    def _due(self) -> list[Reading]:
        zero_s = self._look()
        if zero_s is None:
            return [self._guessed() for _ in range(len(self._held) - MOST_HELD)]
        due = [self._dated(reading, zero_s + came_s) for came_s, reading in self._held]
        self._held.clear()
        return due

    def _dated(self, reading: Reading, at_s: float) -> Reading:
        if abs(reading.at_s - at_s) <= _REDATED_S:
            return reading
        self.redated += 1
        return replace(reading, at_s=int(at_s), clock=ClockSource.GATEWAY)

    def _guessed(self) -> Reading:
        came_s, reading = self._held.popleft()
        self.unsure += 1
        at_s = int(self._guess_zero_s + came_s)
        return replace(reading, at_s=at_s, clock=ClockSource.UNSURE)

    def _look(self) -> float | None:
        """Return the wall's time less the monotonic count [s], as far as it is known."""
        now_s, wall_s = self._clock.monotonic_s(), self._clock.now_s()
        zero_s = wall_s - now_s
        if wall_s >= EARLIEST_S and self._service.synchronised():
            if self._zero_s is None or self._by_meter or self._may_follow(zero_s, now_s):
                self._zero_s, self._by_meter, self._leap = zero_s, False, None
        elif self._zero_s is None and self._meter is not None and self._meter_is_steady:
            self._zero_s, self._by_meter = self._meter[0], True
            _log.info("the time is taken from the meter until the network tells it")
        if self._zero_s is not None and (
            self._noted_s is None or now_s >= self._noted_s + _NOTED_EACH_S
        ):
            self._noted_s = now_s
            self._last_known.note(self._zero_s + now_s)
        return self._zero_s

    def _may_follow(self, zero_s: float, now_s: float) -> bool:
        """Return whether the wall's clock may be believed, though it may have leapt."""
        assert self._zero_s is not None
        if abs(zero_s - self._zero_s) <= _FOLLOWED_S:
            return True
        if self._leap is None or abs(self._leap[0] - zero_s) > _FOLLOWED_S:
            self._leap = zero_s, now_s
            self.leaps += 1
            if self._told_s is None or now_s >= self._told_s + _NOTED_EACH_S:
                self._told_s = now_s
                self._say(
                    None, now_s, "the gateway's clock leapt: readings keep to the count before"
                )
        if self._meter is not None and now_s - self._meter[1] <= _BORNE_OUT_S:
            return abs(self._meter[0] - zero_s) <= _METER_AGREES_S
        return now_s - self._leap[1] >= _BORNE_OUT_S

    def _meter_said(self, reading: Reading, now_s: float) -> None:
        """Note a meter's stamp, where it is within a day of what is known."""
        zero_s = reading.at_s - now_s
        known_s = self._guess_zero_s if self._zero_s is None else self._zero_s
        if abs(zero_s - known_s) > _DAY_S:
            return
        before_s = self._seen.get(reading.device)
        self._meter_is_steady = before_s is not None and abs(before_s - zero_s) <= _STEADY_S
        self._seen[reading.device] = zero_s
        self._meter = zero_s, now_s

    def _marked(self, reading: Reading, now_s: float) -> Reading:
        """Return a meter's reading, marked where its clock is an hour from the known time."""
        zero_s = self._look()
        if zero_s is None or self._by_meter:
            return reading
        off_s = abs(reading.at_s - now_s - zero_s)
        if off_s > _METER_OFF_S and reading.device not in self._off:
            self._off.add(reading.device)
            self._say(reading, now_s, "the meter's clock is minutes or more from the gateway's")
        elif off_s <= _METER_BACK_S:
            self._off.discard(reading.device)
        if _ABOUT_AN_HOUR_S[0] <= off_s <= _ABOUT_AN_HOUR_S[1]:
            return replace(reading, clock=ClockSource.UNSURE)
        return reading

    def _say(self, reading: Reading | None, now_s: float, reason: str) -> None:
        assert self._zero_s is not None
        device = None if reading is None else reading.device
        self._tell(Event(EventKind.CLOCK_OFF, device, int(self._zero_s + now_s), reason))


def _nobody(_event: Event) -> None:
    """Tell nobody."""
