"""What InfluxDB must hold beside points: tasks and tokens, as plain values.

Texts and rights are made of constants of this house only; nothing that a person typed is in them.
Sums over homes are in no task: a task cannot remember what it told before, so two of its sums
could differ by one home. They come from the record, by `collectors.influx_community`.

Source:
    docs.influxdata.com, Flux standard library: option task, aggregateWindow, to; InfluxDB OSS v2,
    "Process data with tasks".
"""

from __future__ import annotations

from dataclasses import dataclass

from kwartier.charts import COMMUNITY, QUARTER, QUARTERS, RAW, READINGS
from kwartier.series import SERIES, Kind

_PREFIX = "kwartier-"


@dataclass(frozen=True, slots=True)
class WantedTask:
    """A task by its name and its whole text."""

    name: str
    flux: str


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """What a token may do with one bucket: ``read`` or ``write``."""

    action: str
    bucket: str


@dataclass(frozen=True, slots=True)
class WantedToken:
    """A token of least rights.

    Attributes:
        name: Its description there.
        file: The file its secret is written to.
        rights: All that it may do.
    """

    name: str
    file: str
    rights: frozenset[Right]


def _token(word: str, *rights: Right) -> WantedToken:
    return WantedToken(f"{_PREFIX}{word}", f"{word}.token", frozenset(rights))


TOKENS = (
    _token("writer", Right("write", RAW.name)),
    _token("reader", Right("read", RAW.name), Right("read", QUARTER.name)),
    _token("community", Right("write", COMMUNITY.name)),
    _token("grafana", Right("read", COMMUNITY.name)),
)
"""Collector, charts of a home, sums, Grafana: none may do what another does."""


def stands(name: str) -> bool:
    """Return whether a quarter-hour tells a series by its first value; else by the mean."""
    return SERIES[name].kind is not Kind.INSTANT or name == "tariff"


def _is_one_of(names: list[str]) -> str:
    return " or ".join(f'r._field == "{name}"' for name in names)


def _rollup(name: str, every: str, reach: str) -> WantedTask:
    """Return a task that writes the quarter-hours of a reach anew; the same twice is the same."""
    standing = [name for name in SERIES if stands(name)]
    flowing = [name for name in SERIES if not stands(name)]
    flux = f"""import "date"
import "math"

option task = {{name: "{_PREFIX}{name}", every: {every}, offset: 3m}}

end = date.truncate(t: now(), unit: 15m)
readings = from(bucket: "{RAW.name}")
  |> range(start: date.sub(d: {reach}, from: end), stop: end)
  |> filter(fn: (r) => r._measurement == "{READINGS}")

readings
  |> filter(fn: (r) => {_is_one_of(standing)})
  |> aggregateWindow(every: 15m, fn: first, createEmpty: false, timeSrc: "_start")
  |> set(key: "_measurement", value: "{QUARTERS}")
  |> to(bucket: "{QUARTER.name}")

readings
  |> filter(fn: (r) => {_is_one_of(flowing)})
  |> aggregateWindow(every: 15m, fn: mean, createEmpty: false, timeSrc: "_start")
  |> map(fn: (r) => ({{r with _value: int(v: math.round(x: r._value))}}))
  |> set(key: "_measurement", value: "{QUARTERS}")
  |> to(bucket: "{QUARTER.name}")
"""
    return WantedTask(f"{_PREFIX}{name}", flux)


TASKS = (_rollup("quarters", "15m", "3h"), _rollup("late-quarters", "1d", "15d"))
"""The last hours every quarter-hour; once a day also what gateways brought up to 14 days late."""
