"""How many points InfluxDB holds of each series of a day, beside how many the record does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from collectors.flux_questions import COUNTS
from collectors.influx import Influx
from collectors.influx_store import InfluxStore
from collectors.store import DeviceKey, Latest
from kwartier.charts import DAY_S
from kwartier.errors import ContractError
from kwartier.identity import CoopId
from kwartier.series import SERIES
from kwartier.units import EpochS


class Past(Protocol):
    """Single readings of the past: the record, or months put away."""

    def latest(self) -> list[Latest]:
        """Return the newest value of each series; so it tells which series there are."""

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        """Return one series in ``[start_s, end_s)``."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A series of which both hold another number of instants.

    Attributes:
        key: Whose.
        name: Which.
        day_s: In which 24 hours from here on [s].
        record: How many the record holds.
        influx: How many InfluxDB holds.
    """

    key: DeviceKey
    name: str
    day_s: EpochS
    record: int
    influx: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of one day."""

    record: int
    influx: int
    differences: tuple[Difference, ...]


def series_of(past: Past) -> list[tuple[DeviceKey, str]]:
    """Return every series that has a name of this house, in order."""
    return sorted({(one.key, one.name) for one in past.latest() if one.name in SERIES})


def compare_day(
    past: Past, influx: Influx, store: InfluxStore, site: CoopId, start_s: EpochS, end_s: EpochS
) -> Comparison:
    """Return how many instants of each series both hold in ``[start_s, end_s)``, at most a day.

    An instant that came once with a clock nobody checked and once with a checked one stands there
    twice; a series whose quick count differs is therefore counted again, instant by instant.
    """
    assert end_s - start_s <= DAY_S
    held = _counts(influx, site, start_s, end_s)
    record, there = 0, 0
    differences: list[Difference] = []
    for key, name in series_of(past):
        ours = len({at_s for at_s, _ in past.points(key, name, start_s, end_s)})
        theirs = held[key, name]
        if ours != theirs:
            theirs = len(store.points(key, name, start_s, end_s))
        if ours != theirs:
            differences.append(Difference(key, name, start_s, ours, theirs))
        record += ours
        there += theirs
    return Comparison(record, there, tuple(differences))


def _counts(
    influx: Influx, site: CoopId, start_s: EpochS, end_s: EpochS
) -> Counter[tuple[DeviceKey, str]]:
    found: Counter[tuple[DeviceKey, str]] = Counter()
    told = influx.ask(
        COUNTS,
        {
            "_bucket": influx.bucket,
            "_site": site,
            "_start": datetime.fromtimestamp(start_s, UTC),
            "_stop": datetime.fromtimestamp(end_s, UTC),
        },
    )
    for row in told:
        gateway, device, name = row.get("gateway"), row.get("device"), row.get("_field")
        count = row.get("_value")
        if not (
            isinstance(gateway, str)
            and isinstance(device, str)
            and isinstance(name, str)
            and isinstance(count, int)
        ):
            raise ContractError("InfluxDB counted in no known form")
        found[DeviceKey(gateway, device), name] += count
    return found
