"""Several records read as one: what shards of a neighbourhood keep, for pages and settlement.

Each gateway stands in one record. While gateways are being moved, or after somebody forgot to move
them, one may stand in two: then every instant and every quarter is told once, the better known one.
A record that cannot be read makes the answer an error and never a silent part of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import astuple
from heapq import merge
from pathlib import Path

from collectors.sqlite_store import SqliteStore
from collectors.store import (
    Counts,
    DeadLetter,
    DeviceKey,
    Intake,
    KeptEvent,
    Latest,
    Quality,
    QuarterEnergy,
    Store,
)
from kwartier.errors import SettingsError
from kwartier.events import Event, EventKind
from kwartier.identity import GatewayId
from kwartier.units import EpochS

_BETTER = {Quality.MEASURED: 0, Quality.ESTIMATED: 1, Quality.MISSING: 2}


def open_records(paths: Sequence[Path]) -> Store:
    """Open one record, or several as one, for reading.

    Args:
        paths: The files, each once.

    Raises:
        SettingsError: None is named, or one twice.
        StoreBusyError: One is not there, or cannot be read now.
        StoreDamagedError: One is damaged.
    """
    if not paths or len({path.resolve() for path in paths}) != len(paths):
        raise SettingsError("records: name at least one, and each of them once")
    with ExitStack() as opened:
        stores: list[Store] = []
        for path in paths:
            store = SqliteStore(path, read_only=True)
            opened.callback(store.close)
            stores.append(store)
        opened.pop_all()
    return stores[0] if len(stores) == 1 else UnionStore(stores)


class UnionStore:
    """Some stores, read as one; see `collectors.store.Store`. It takes nothing in."""

    def __init__(self, stores: Sequence[Store]) -> None:
        """Read these; they are closed with it."""
        self._stores = tuple(stores)

    @property
    def generation(self) -> str:
        """The lives of all stores together; one that was restored makes another."""
        return "+".join(store.generation for store in self._stores)

    def intake(self) -> AbstractContextManager[Intake]:
        """Refuse: each shard's own collector takes in."""
        raise AssertionError("several records as one are only read")

    def latest(self, keys: Collection[DeviceKey] | None = None) -> list[Latest]:
        """Return the newest value of each series of some devices, or of all."""
        newest: dict[tuple[DeviceKey, str], Latest] = {}
        for store in self._stores:
            for latest in store.latest(keys):
                known = newest.setdefault((latest.key, latest.name), latest)
                if known.at_s < latest.at_s:
                    newest[latest.key, latest.name] = latest
        return list(newest.values())

    def quarters(
        self,
        names: Collection[str],
        start_s: EpochS,
        end_s: EpochS,
        keys: Collection[DeviceKey] | None = None,
    ) -> list[QuarterEnergy]:
        """Return every quarter known in ``[start_s, end_s)``, in order of key, name and time."""
        told = [store.quarters(names, start_s, end_s, keys) for store in self._stores]
        found: list[QuarterEnergy] = []
        for quarter in merge(*told, key=_place):
            if not found or _place(found[-1]) != _place(quarter):
                found.append(quarter)
            elif _BETTER[quarter.quality] < _BETTER[found[-1].quality]:
                found[-1] = quarter
        return found

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        """Return one series in ``[start_s, end_s)``, in order of time.

        What stands in two stores is told once; two meters that spoke at one instant, as one store
        tells them, are told twice.
        """
        found: Counter[tuple[EpochS, int]] = Counter()
        for store in self._stores:
            found |= Counter(store.points(key, name, start_s, end_s))
        return sorted(found.elements())

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """Return the newest messages set aside, newest first."""
        letters = [letter for store in self._stores for letter in store.dead_letters(limit)]
        return sorted(letters, key=lambda letter: letter.received_s, reverse=True)[:limit]

    def events(self, gateways: Collection[GatewayId], each: int) -> list[KeptEvent]:
        """Return what happened on some gateways, newest first: at most so many of each."""
        told = [kept for store in self._stores for kept in store.events(gateways, each)]
        found: dict[tuple[GatewayId, Event], KeptEvent] = {}
        left = Counter(dict.fromkeys(gateways, each))
        for kept in sorted(told, key=lambda kept: kept.received_s, reverse=True):
            if left[kept.gateway] > 0 and (kept.gateway, kept.event) not in found:
                found[kept.gateway, kept.event] = kept
                left[kept.gateway] -= 1
        return list(found.values())

    def event_counts(self) -> Mapping[EventKind, int]:
        """Return how many events of each kind were ever kept; a kind without one is absent."""
        return dict(sum((Counter(store.event_counts()) for store in self._stores), Counter()))

    def counts(self) -> Counts:
        """Return how much is held."""
        told = [astuple(store.counts()) for store in self._stores]
        return Counts(*map(sum, zip(*told, strict=True)))

    def size_bytes(self) -> int:
        """Return how large the files are together [bytes]."""
        return sum(store.size_bytes() for store in self._stores if isinstance(store, SqliteStore))

    def close(self) -> None:
        """Let go of all databases."""
        with ExitStack() as closing:
            for store in self._stores:
                closing.callback(store.close)


def _place(quarter: QuarterEnergy) -> tuple[DeviceKey, str, EpochS]:
    return quarter.key, quarter.name, quarter.start_s
