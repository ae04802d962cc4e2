"""The service manager hears from us only while every part that matters still turns.

Source:
    sd_notify(3): datagrams to the socket named by NOTIFY_SOCKET; a name that begins with ``@`` is
    of the abstract kind. WATCHDOG_USEC says how long the manager waits, WATCHDOG_PID for whom.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kwartier.clock import Clock

_log = logging.getLogger(__name__)

Turns: TypeAlias = Callable[[], int]
"""Returns how often a part has turned; any other number than before means that it goes on."""


@dataclass(frozen=True, slots=True)
class Manager:
    """Where the service manager listens, and how long it waits for a sign of life.

    Attributes:
        address: Its socket; empty where there is no manager.
        within_s: It restarts us without a sign for so long [s]; None where it does not watch.
    """

    address: str = ""
    within_s: float | None = None

    @classmethod
    def of_environment(cls, environment: Mapping[str, str], pid: int | None = None) -> Manager:
        """Return what the manager has said; without it, nobody is told anything."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return cls()
        waits, whose = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
        ours = whose in {"", str(os.getpid() if pid is None else pid)}
        watches = ours and waits.isascii() and waits.isdigit() and int(waits) > 0
        return cls(address, int(waits) / 1e6 if watches else None)

    def tell(self, *words: str) -> bool:
        """Send words such as ``READY=1``; False when nobody takes them."""
        if not self.address:
            return False
        path = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as outlet:
                outlet.setblocking(False)
                outlet.sendto("\n".join(words).encode(), path)
        except OSError as error:
            _log.warning("the service manager does not listen: %s", error.strerror)
            return False
        return True


class Watchdog:
    """Feeds the manager's watchdog when every part has turned since it was fed last.

    A part that hangs, in a read that never returns or in a lock, stops the feeding; the manager
    then starts the process anew, and the battery's own timer has made it neutral long before.
    """

    def __init__(self, manager: Manager, parts: Mapping[str, Turns], clock: Clock) -> None:
        """Watch these parts, by name; nothing is told before ``ready``."""
        self._manager = manager
        self._parts = dict(parts)
        self._clock = clock
        self._turns = {name: turns() for name, turns in self._parts.items()}
        self._fed_s = clock.monotonic_s()
        self._hangs: tuple[str, ...] = ()
        self.fed = 0
        """How often it was fed."""

    def ready(self) -> None:
        """Say that the outbox is open and the sources are started."""
        self._manager.tell("READY=1")

    def stopping(self) -> None:
        """Say that we stop in order."""
        self._manager.tell("STOPPING=1")

    def turn(self) -> None:
        """Feed it when half of its time is over and every part has turned."""
        within_s = self._manager.within_s
        if within_s is None:
            return
        now_s = self._clock.monotonic_s()
        if now_s < self._fed_s + within_s / 2:
            return
        turns = {name: part() for name, part in self._parts.items()}
        hangs = tuple(name for name, count in turns.items() if count == self._turns[name])
        if hangs:
            self._note(hangs)
            return
        self._note(())
        if self._manager.tell("WATCHDOG=1"):
            self._turns, self._fed_s = turns, now_s
            self.fed += 1

    def _note(self, hangs: tuple[str, ...]) -> None:
        if hangs and hangs != self._hangs:
            _log.error("not turning: %s", ", ".join(hangs))
        self._hangs = hangs
