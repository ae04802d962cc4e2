"""A store whose series are read from InfluxDB, once everything was forwarded: for its promises."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.forward_book import ForwardBook
from collectors.forwarder import Forwarder
from collectors.influx import Influx
from collectors.influx_store import InfluxStore
from collectors.sqlite_store import SqliteStore
from collectors.store import DeviceKey, Latest, QuarterEnergy
from kwartier.clock import VirtualClock
from kwartier.errors import ContractError
from kwartier.identity import short_id
from kwartier.units import EpochS
from kwartier.wire import decode_block, encode_block
from tests.collectors.blocks import HOME, RECEIVED_S, registers
from tests.collectors.store_conformance import EVER, NewStore

_METERS = {short_id(meter): meter for meter in ("E0001", "E0002")}


class ForwardedStore(SqliteStore):
    """Intake, dead letters, events and counts by SQLite; points, quarters, newest by InfluxDB."""

    def __init__(self, path: Path, door: Influx, site: str) -> None:
        super().__init__(path)
        clock = VirtualClock(RECEIVED_S)
        self._record = SqliteStore(path, read_only=True)
        self._book = ForwardBook(path.with_name(f"{path.name}.forwarded"))
        self._forwarder = Forwarder(self._record, door, self._book, site, clock)
        self._told = InfluxStore(door, site, clock)

    def latest(self, keys: Collection[DeviceKey] | None = None) -> list[Latest]:
        self._forward()
        told = self._told.latest(keys)
        return [replace(one, meter=_METERS.get(one.meter, one.meter)) for one in told]

    def quarters(
        self,
        names: Collection[str],
        start_s: EpochS,
        end_s: EpochS,
        keys: Collection[DeviceKey] | None = None,
    ) -> list[QuarterEnergy]:
        self._forward()
        registers = [name for name in names if name.endswith("_wh")]
        return self._told.quarters(registers, start_s, end_s, keys)

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        self._forward()
        return self._told.points(key, name, start_s, end_s)

    def close(self) -> None:
        self._book.close()
        self._record.close()
        super().close()

    def _forward(self) -> None:
        while self._forwarder.step():
            pass
        assert self._book.dead == 0, self._book.dead_lines()


class RisingOnTheWire:
    """One promise in another form: what is forwarded came over the wire, where rows rise."""

    def test_one_instant_twice_in_a_block_is_stored_once(self, new_store: NewStore) -> None:
        assert new_store().points(HOME, "import_wh", *EVER) == []
        told = encode_block(registers(1, (1, 6), (0, 5), (1, 7), (0, 5)))

        with pytest.raises(ContractError, match="must rise"):
            decode_block(told)
