"""The record: what every store promises, whatever database stands behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kwartier.events import Event, EventKind
from kwartier.identity import DeviceId, GatewayId, MeterId
from kwartier.units import EpochS, Wh
from kwartier.wire import Block


@dataclass(frozen=True, slots=True, order=True)
class DeviceKey:
    """One device of one gateway."""

    gateway: GatewayId
    device: DeviceId


class Quality(StrEnum):
    """How the energy of a quarter-hour is known."""

    MEASURED = "measured"
    """The register was read at both ends, or within the tolerance of them."""
    ESTIMATED = "estimated"
    """Spread over a gap between two readings; the sum over the gap is exact."""
    MISSING = "missing"
    """Not known; it has no number, and is never zero."""


@dataclass(frozen=True, slots=True)
class QuarterEnergy:
    """The energy that one register counted in one quarter-hour.

    Attributes:
        key: Whose register.
        name: Which register, such as ``import_wh``.
        start_s: The quarter's start [s].
        energy_wh: How much; None when it is missing, never negative.
        quality: How it is known.
    """

    key: DeviceKey
    name: str
    start_s: EpochS
    energy_wh: Wh | None
    quality: Quality


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest value of one series."""

    key: DeviceKey
    meter: MeterId
    name: str
    at_s: EpochS
    value: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be taken in, kept whole with the reason."""

    gateway: GatewayId
    epoch: str
    seq: int
    received_s: EpochS
    reason: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """Something that happened on a gateway, as it is kept.

    Attributes:
        gateway: Whose topic it came on; the broker vouches for it.
        event: What happened, and when by the gateway's clock.
        received_s: When it was kept, by ours [s].
    """

    gateway: GatewayId
    event: Event
    received_s: EpochS


@dataclass(frozen=True, slots=True)
class Counts:
    """What a store holds, for checks and metrics.

    Attributes:
        points: Values stored, each (series, instant) once.
        readings: Rows of blocks taken in, each (gateway, epoch, block, row) once.
        blocks: Blocks taken in, each (gateway, epoch, seq) once.
        dead_letters: Messages set aside, each once.
        conflicts: Points that came again with another value; the first one stays.
        steps_back: Places where a register of one meter falls; no quarter is told across them.
    """

    points: int
    readings: int
    blocks: int
    dead_letters: int
    conflicts: int
    steps_back: int = 0


class Intake(Protocol):
    """One open transaction: everything in it becomes durable together, or nothing does."""

    def watermark(self, gateway: GatewayId, epoch: str) -> int:
        """Return the last block taken in with all before it; 0 for none."""

    def advance(self, gateway: GatewayId, epoch: str, upto: int) -> None:
        """Raise the watermark; it never falls."""

    def add(self, block: Block, payload: bytes, received_s: EpochS) -> None:
        """Store a block's points, and keep ``latest`` and the quarters with them."""

    def set_aside(self, letter: DeadLetter) -> None:
        """Keep a message that cannot be stored, with the reason; it counts as taken in."""

    def note_event(self, kept: KeptEvent) -> bool:
        """Keep what happened on a gateway; return False when it was told before."""


class Store(Protocol):
    """Keeps every reading and answers what is known."""

    @property
    def generation(self) -> str:
        """The life of this store; a restored or new one has another."""

    def intake(self) -> AbstractContextManager[Intake]:
        """Open a transaction; it is durable on leaving, and undone when an error leaves it.

        Raises:
            StoreBusyError: The store cannot take it now; nothing was stored, try again.
        """

    def latest(self, keys: Collection[DeviceKey] | None = None) -> list[Latest]:
        """Return the newest value of each series of some devices, or of all."""

    def quarters(
        self,
        names: Collection[str],
        start_s: EpochS,
        end_s: EpochS,
        keys: Collection[DeviceKey] | None = None,
    ) -> list[QuarterEnergy]:
        """Return every quarter known in ``[start_s, end_s)``, in order of key, name and time.

        A quarter that is not in the answer is missing.
        """

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        """Return one series in ``[start_s, end_s)``, in order of time."""

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """Return the newest messages set aside."""

    def events(self, gateways: Collection[GatewayId], each: int) -> list[KeptEvent]:
        """Return what happened on some gateways, newest first: at most so many of each."""

    def event_counts(self) -> Mapping[EventKind, int]:
        """Return how many events of each kind were ever kept; a kind without one is absent."""

    def counts(self) -> Counts:
        """Return how much is held."""

    def close(self) -> None:
        """Let go of the database."""
