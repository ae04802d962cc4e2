"""A record in memory with honest transactions: for tests of the protocol, not of a database."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from collectors.store import Counts, DeadLetter, DeviceKey, KeptEvent, Latest, QuarterEnergy
from kwartier.events import EventKind
from kwartier.identity import GatewayId
from kwartier.units import EpochS
from kwartier.wire import Block


@dataclass(slots=True)
class Held:
    """What is in the record."""

    upto: dict[tuple[GatewayId, str], int] = field(default_factory=dict)
    points: dict[tuple[DeviceKey, str, EpochS], int] = field(default_factory=dict)
    blocks: int = 0
    readings: int = 0
    added_twice: int = 0
    conflicts: int = 0
    seen: set[tuple[GatewayId, str, int]] = field(default_factory=set)
    letters: list[DeadLetter] = field(default_factory=list)
    events: list[KeptEvent] = field(default_factory=list)


class MemoryIntake:
    """One open transaction, on a copy of what changes."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.upto: dict[tuple[GatewayId, str], int] = {}
        self.blocks: list[Block] = []
        self.letters: list[DeadLetter] = []
        self.events: list[KeptEvent] = []

    def watermark(self, gateway: GatewayId, epoch: str) -> int:
        key = (gateway, epoch)
        return self.upto.get(key, self.held.upto.get(key, 0))

    def advance(self, gateway: GatewayId, epoch: str, upto: int) -> None:
        self.upto[gateway, epoch] = max(upto, self.watermark(gateway, epoch))

    def add(self, block: Block, payload: bytes, received_s: EpochS) -> None:  # noqa: ARG002 - a record's shape
        if any(name == "poison_w" for name in block.columns):
            raise ValueError("a value that no database takes")
        self.blocks.append(block)

    def set_aside(self, letter: DeadLetter) -> None:
        self.letters.append(letter)

    def note_event(self, kept: KeptEvent) -> bool:
        told = {(one.gateway, one.event) for one in [*self.held.events, *self.events]}
        is_new = (kept.gateway, kept.event) not in told
        self.events += [kept] if is_new else []
        return is_new

    def commit(self) -> None:
        for block in self.blocks:
            self._put(block)
        self.held.letters += self.letters
        self.held.events += self.events
        self.held.upto.update(self.upto)

    def _put(self, block: Block) -> None:
        place = (block.gateway, block.epoch, block.seq)
        self.held.added_twice += place in self.held.seen
        self.held.seen.add(place)
        self.held.blocks += 1
        self.held.readings += len(block.at_s)
        key = DeviceKey(block.gateway, block.device)
        for reading in block.readings():
            for name, value in reading.values.items():
                stood = self.held.points.setdefault((key, name, reading.at_s), value)
                self.held.conflicts += stood != value


class MemoryStore:
    """Keeps everything in this process; a copy can be taken and put back."""

    def __init__(self) -> None:
        self._held = Held()
        self._generation = secrets.token_hex(4)

    @property
    def held(self) -> Held:
        return self._held

    @property
    def generation(self) -> str:
        return self._generation

    def copy(self) -> Held:
        return _copied(self._held)

    def put_back(self, held: Held, generation: str) -> None:
        self._held, self._generation = _copied(held), generation

    @contextmanager
    def intake(self) -> Iterator[MemoryIntake]:
        intake = MemoryIntake(self._held)
        yield intake
        intake.commit()

    def latest(self, keys: Collection[DeviceKey] | None = None) -> list[Latest]:
        raise NotImplementedError

    def quarters(
        self,
        names: Collection[str],
        start_s: EpochS,
        end_s: EpochS,
        keys: Collection[DeviceKey] | None = None,
    ) -> list[QuarterEnergy]:
        raise NotImplementedError

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        return sorted(
            (at_s, value)
            for (held, series, at_s), value in self._held.points.items()
            if (held, series) == (key, name) and start_s <= at_s < end_s
        )

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        return self._held.letters[-limit:]

    def events(self, gateways: Collection[GatewayId], each: int) -> list[KeptEvent]:
        newest = self._held.events[::-1]
        return [
            kept
            for name in sorted(gateways)
            for kept in [one for one in newest if one.gateway == name][:each]
        ]

    def event_counts(self) -> Mapping[EventKind, int]:
        return Counter(one.event.kind for one in self._held.events)

    def counts(self) -> Counts:
        held = self._held
        return Counts(
            len(held.points), held.readings, held.blocks, len(held.letters), held.conflicts
        )

    def close(self) -> None:
        """Let go of nothing."""


def _copied(held: Held) -> Held:
    return replace(
        held,
        upto=dict(held.upto),
        points=dict(held.points),
        seen=set(held.seen),
        letters=list(held.letters),
        events=list(held.events),
    )
