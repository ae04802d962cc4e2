"""The read half of a store for series and charts, answered by InfluxDB.

Watermarks, intake, dead letters, events, counts and the quarters that money is reckoned from stay
in SQLite; what stands here was forwarded from there and may lag behind. Questions are fixed texts:
what varies travels beside them as parameters, and names of series and devices pass an allow-list
first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from collectors.flux_questions import (
    ENDS_OF_QUARTERS,
    ENDS_OF_QUARTERS_OF_SOME,
    LATEST,
    METERS,
    POINTS,
)
from collectors.influx import Influx, Param, Value
from collectors.quarters import Register, known_of_device, spans_of
from collectors.store import DeviceKey, Latest, QuarterEnergy
from kwartier.clock import Clock
from kwartier.errors import ContractError
from kwartier.identity import CoopId, MeterId, checked_name
from kwartier.interval import QUARTER_S
from kwartier.series import SERIES, Kind
from kwartier.units import EpochS

LATEST_WITHIN_S = 31 * 86_400
"""How far back the newest value of a series is looked for [s]."""
AROUND_S = 6 * 3600
"""How far outside a period registers are read, to know them at its ends [s]."""

_Point: TypeAlias = tuple[EpochS, int]
_Change: TypeAlias = tuple[EpochS, MeterId]


class SeriesReader(Protocol):
    """What charts need of a store; every `collectors.store.Store` can do it too."""

    def latest(self, keys: Collection[DeviceKey] | None = None) -> list[Latest]:
        """Return the newest value of each series of some devices, or of all."""

    def quarters(
        self,
        names: Collection[str],
        start_s: EpochS,
        end_s: EpochS,
        keys: Collection[DeviceKey] | None = None,
    ) -> list[QuarterEnergy]:
        """Return every quarter known in ``[start_s, end_s)``, in order of key, name and time."""

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        """Return one series in ``[start_s, end_s)``, in order of time."""


class InfluxStore:
    """A `SeriesReader` on one cooperative's forwarded readings."""

    def __init__(self, influx: Influx, site: CoopId, clock: Clock) -> None:
        """Answer from one bucket."""
        self._influx = influx
        self._site = checked_name(site, "cooperative")
        self._clock = clock

    def latest(self, keys: Collection[DeviceKey] | None = None) -> list[Latest]:
        """Return the newest value of each series within a month; the meter by its short name."""
        now_s = int(self._clock.now_s()) + 1
        newest: dict[tuple[DeviceKey, str], _Point] = {}
        for row in self._rows(LATEST, now_s - LATEST_WITHIN_S, now_s):
            if row.name in SERIES and (keys is None or row.key in keys):
                held = newest.get((row.key, row.name))
                if held is None or row.at_s > held[0]:
                    newest[row.key, row.name] = (row.at_s, row.number)
        meters = self._meters(now_s) if newest else {}
        return [
            Latest(key, _meter_at(meters.get(key, []), at_s), name, at_s, value)
            for (key, name), (at_s, value) in sorted(newest.items())
        ]

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        """Return one series in ``[start_s, end_s)``, in order of time.

        Raises:
            ContractError: The name or the device's is not one of ours.
        """
        _checked_series(name)
        of_device: dict[str, Param] = {
            "_gateway": checked_name(key.gateway, "gateway"),
            "_device": checked_name(key.device, "device"),
            "_name": name,
        }
        told = self._rows(POINTS, start_s, end_s, of_device)
        return sorted({row.at_s: row.number for row in told}.items())

    def quarters(
        self,
        names: Collection[str],
        start_s: EpochS,
        end_s: EpochS,
        keys: Collection[DeviceKey] | None = None,
    ) -> list[QuarterEnergy]:
        """Return every quarter known in ``[start_s, end_s)``, in order of key, name and time.

        Reckoned as the record reckons them, from the first and last register of each quarter. A
        silence of more than six hours at either end of the period leaves its quarters missing.

        Raises:
            ContractError: A name is not a register of ours.
        """
        for name in names:
            _checked_series(name, Kind.REGISTER)
        readings = self._ends(names, start_s - AROUND_S, end_s + AROUND_S, keys)
        meters = self._meters(end_s + AROUND_S) if readings else {}
        told: list[QuarterEnergy] = []
        for (key, name), points in sorted(readings.items()):
            changes = meters.get(key, [])
            registers = _registers(points + self._around(key, name, changes, points), changes)
            first_s, last_s = min(points)[0], max(points)[0]
            window = max(start_s, first_s - QUARTER_S), min(end_s, last_s + QUARTER_S)
            told += _known(key, name, registers, *window)
        return told

    def _ends(
        self,
        names: Collection[str],
        start_s: EpochS,
        end_s: EpochS,
        keys: Collection[DeviceKey] | None,
    ) -> dict[tuple[DeviceKey, str], list[_Point]]:
        """Return the first and last points of each quarter, by device and name."""
        question, asked = ENDS_OF_QUARTERS, dict[str, Param](_names=sorted(names))
        if keys is not None:
            question = ENDS_OF_QUARTERS_OF_SOME
            asked["_gateways"] = sorted({checked_name(key.gateway, "gateway") for key in keys})
        found: dict[tuple[DeviceKey, str], list[_Point]] = defaultdict(list)
        for row in self._rows(question, start_s, end_s, asked):
            if keys is None or row.key in keys:
                found[row.key, row.name].append((row.at_s, row.number))
        return found

    def _around(
        self, key: DeviceKey, name: str, changes: list[_Change], points: list[_Point]
    ) -> list[_Point]:
        """Return all points of the quarters in which the meter was changed.

        There the first and last of the quarter belong to two meters, and the closing register of
        one and the opening of the other lie between them.
        """
        asked = {at_s // QUARTER_S for at_s, _ in points}
        quarters = {at_s // QUARTER_S for at_s, _ in changes[1:]}
        return [
            point
            for quarter in sorted(asked & quarters)
            for point in self.points(key, name, quarter * QUARTER_S, (quarter + 1) * QUARTER_S)
        ]

    def _meters(self, end_s: EpochS) -> dict[DeviceKey, list[_Change]]:
        """Return when each device first spoke for each of its meters, in order of time."""
        changes: dict[DeviceKey, list[_Change]] = defaultdict(list)
        for row in self._influx.ask(METERS, self._params(0, end_s)):
            changes[_key(row)].append((_at_s(row), _text(row, "_value")))
        return {key: sorted(of_device) for key, of_device in changes.items()}

    def _rows(
        self, flux: str, start_s: EpochS, end_s: EpochS, params: Mapping[str, Param] | None = None
    ) -> Iterator[_Row]:
        for row in self._influx.ask(flux, {**self._params(start_s, end_s), **(params or {})}):
            number = row.get("_value")
            if type(number) is not int:
                raise ContractError(
                    f"InfluxDB holds {number!r} where a whole number is due: "
                    "did somebody else write into this bucket?"
                )
            yield _Row(row, _at_s(row), number)

    def _params(self, start_s: EpochS, end_s: EpochS) -> dict[str, Param]:
        return {
            "_bucket": self._influx.bucket,
            "_site": self._site,
            "_start": datetime.fromtimestamp(start_s, UTC),
            "_stop": datetime.fromtimestamp(end_s, UTC),
        }


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of an answer whose value is a whole number."""

    raw: Mapping[str, Value]
    at_s: EpochS
    number: int

    @property
    def key(self) -> DeviceKey:
        return _key(self.raw)

    @property
    def name(self) -> str:
        return _text(self.raw, "_field")


def _registers(points: Iterable[_Point], changes: list[_Change]) -> list[Register]:
    """Return the registers of a device's meters, one after another."""
    starts = [at_s for at_s, _ in changes[1:]]
    of_meter: dict[int, list[_Point]] = defaultdict(list)
    for point in points:
        of_meter[bisect_right(starts, point[0])].append(point)
    order = sorted(of_meter)
    return [
        Register(
            spans_of(of_meter[number]),
            follows=number != order[0],
            is_followed=number != order[-1],
        )
        for number in order
    ]


def _known(
    key: DeviceKey, name: str, registers: list[Register], start_s: EpochS, end_s: EpochS
) -> Iterator[QuarterEnergy]:
    for at_s in range(start_s // QUARTER_S * QUARTER_S, end_s, QUARTER_S):
        known = known_of_device(registers, at_s) if at_s >= start_s else None
        if known is not None:
            yield QuarterEnergy(key, name, at_s, known.energy_wh, known.quality)


def _meter_at(changes: list[_Change], at_s: EpochS) -> MeterId:
    """Return the short name of the meter at an instant; empty when none was told."""
    place = bisect_right([since_s for since_s, _ in changes], at_s)
    return changes[place - 1][1] if place else ""


def _checked_series(name: str, kind: Kind | None = None) -> None:
    series = SERIES.get(name)
    if series is None or (kind is not None and series.kind is not kind):
        what = "series" if kind is None else kind.value
        raise ContractError(
            f"{name[:40]!r} is no {what} that is known here: see kwartier/series.py"
        )


def _key(row: Mapping[str, Value]) -> DeviceKey:
    return DeviceKey(_text(row, "gateway"), _text(row, "device"))


def _text(row: Mapping[str, Value], column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str):
        raise ContractError(f"InfluxDB's answer has {value!r} in column {column!r}: text is due")
    return value


def _at_s(row: Mapping[str, Value]) -> EpochS:
    value = row.get("_time")
    if not isinstance(value, datetime):
        raise ContractError(f"InfluxDB's answer has {value!r} in column '_time': a time is due")
    return int(value.timestamp())
