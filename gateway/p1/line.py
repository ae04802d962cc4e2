"""One ``[[p1]]`` as it runs: its port, its reader, and what is kept of its meters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from gateway.p1.channels import ChannelNames
from gateway.p1.homewizard import SCHEME, HomeWizardSource
from gateway.p1.memory import MeterMemory, read_memory, write_memory
from gateway.p1.plausible import Gate, Refusals
from gateway.p1.reader import P1Counters, P1Reader
from gateway.p1.sealed import Unsealer
from gateway.p1.serial_port import P1Source
from gateway.p1.settings import P1Line
from kwartier.clock import Clock
from kwartier.events import Event, EventKind
from kwartier.identity import DeviceId
from kwartier.reading import Reading


class _Source(Protocol):
    def start(self, on_reading: Callable[[Reading], None]) -> None: ...
    def stop(self) -> None: ...
    @property
    def alive(self) -> bool: ...
    @property
    def connected(self) -> bool: ...
    @property
    def counters(self) -> P1Counters: ...


class MeterLine:
    """Reads one meter, knows it again after a restart, and tells when it was swapped."""

    def __init__(
        self, line: P1Line, clock: Clock, folder: Path, tell: Callable[[Event], None]
    ) -> None:
        """Wire one line; nothing is opened before ``start``.

        Args:
            line: As in the settings.
            clock: The gateway's clock.
            folder: Where ``<device>.meters.json`` is kept.
            tell: Is told what happened to the meter, on the source's thread.

        Raises:
            MissingExtraError: A part that it needs is not installed.
        """
        self._path = folder / f"{line.device}.meters.json"
        kept = read_memory(self._path)
        self._clock = clock
        self._tell = tell
        self._gate = Gate(line.fuse_a, self._happened, kept.standing)
        self._names = ChannelNames(kept.owners)
        self._kept = kept
        unsealer = None if line.keys is None else Unsealer(line.keys)
        reader = P1Reader(line.device, unsealer=unsealer, gate=self._gate, names=self._names)
        self._source: _Source
        if line.address.startswith(SCHEME):
            self._source = HomeWizardSource(line.address, clock, reader, key=line.token)
        else:
            self._source = P1Source(line.address, clock, line=line.line, reader=reader)

    @property
    def alive(self) -> bool:
        """Return whether its thread runs."""
        return self._source.alive

    @property
    def connected(self) -> bool:
        """Return whether the line is there now."""
        return self._source.connected

    @property
    def counters(self) -> P1Counters:
        """Return what happened on the line so far."""
        return self._source.counters

    @property
    def refusals(self) -> Refusals:
        """Return what was held back, and why."""
        return self._gate.refusals

    def start(self, on_reading: Callable[[Reading], None]) -> None:
        """Read from now on; ``on_reading`` is called on the line's thread, in order."""

        def keep_and_hand_on(reading: Reading) -> None:
            self._keep()
            on_reading(reading)

        self._source.start(keep_and_hand_on)

    def stop(self) -> None:
        """Read no more."""
        self._source.stop()

    def _keep(self) -> None:
        """Write down which meters stand where, when that changed."""
        known = MeterMemory(self._gate.standing, dict(self._names.owners))
        if known != self._kept:
            self._kept = known
            write_memory(self._path, known)

    def _happened(self, kind: EventKind, device: DeviceId, reason: str) -> None:
        self._tell(Event(kind, device, int(self._clock.now_s()), reason))
