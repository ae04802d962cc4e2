"""Looks at devices in turn, each at its own pace; one that is silent does not hold up the rest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from gateway.modbus.breaker import LONGEST_S, STEP_S, UnitPausedError
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.identity import DeviceId
from kwartier.reading import Reading

_log = logging.getLogger(__name__)

_LOOK_S = 0.5


class Poll(Protocol):
    """One device that can be asked how it is."""

    def read(self) -> Reading:
        """Return what it says now.

        Raises:
            KwartierError: It cannot be reached, is busy, or does not serve what we ask for.
        """


class Releasing(Protocol):
    """A link that can be let go."""

    def release(self) -> None:
        """Close the connection where nobody waits for it."""


class ReleasingPoll:
    """A poll that lets its link go after each round, so that another program has a turn."""

    def __init__(self, poll: Poll, link: Releasing) -> None:
        """Ask as ``poll`` does, over ``link``."""
        self._poll = poll
        self._link = link

    def read(self) -> Reading:
        """Return what the device says now; errors as the poll it wraps."""
        try:
            return self._poll.read()
        finally:
            self._link.release()


@dataclass(slots=True)
class Asked:
    """A device and when it is asked again.

    Attributes:
        device: Its name on this gateway.
        poll: How it is asked.
        every_s: How often [s].
        due_s: When next, on the monotonic count [s].
        failures: How often in a row it failed; the pause grows 2 s with each.
    """

    device: DeviceId
    poll: Poll
    every_s: float
    due_s: float = field(default=0.0, init=False)
    failures: int = field(default=0, init=False)


class Poller:
    """Asks the devices behind one link, one after the other."""

    def __init__(self, devices: list[Asked], clock: Clock, take: Callable[[Reading], None]) -> None:
        """Ask ``devices`` and hand what they say to ``take``; nothing before ``start``."""
        self._devices = devices
        self._clock = clock
        self._take = take
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Ask on a thread of its own until ``stop``."""
        names = ", ".join(asked.device for asked in self._devices)
        self._thread = threading.Thread(target=self._run, name=f"poll {names}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the question at hand."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def turn(self) -> None:
        """Ask every device whose time has come."""
        for asked in self._devices:
            now_s = self._clock.monotonic_s()
            if now_s < asked.due_s or self._stopping.is_set():
                continue
            asked.due_s = now_s + asked.every_s
            try:
                reading = asked.poll.read()
            except UnitPausedError:
                asked.due_s = now_s + max(asked.every_s, STEP_S)  # nothing was asked
                continue
            except KwartierError as error:
                self._failed(asked, error)
                continue
            if asked.failures:
                _log.warning("%s is back after %d failures", asked.device, asked.failures)
                asked.failures = 0
            if reading.values:
                self._take(reading)

    def _failed(self, asked: Asked, error: KwartierError) -> None:
        """Ask again later; the pause begins when the question ends, so that others have a turn."""
        if not asked.failures:
            _log.warning("%s is away: %s", asked.device, error)
        asked.failures += 1
        asked.due_s = self._clock.monotonic_s() + max(
            asked.every_s, min(STEP_S * asked.failures, LONGEST_S)
        )

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            self.turn()
