"""Every question that boards ask of InfluxDB, in Flux: few and simple, in one place.

All of them ask the bucket of sums and nothing else, under the names of `kwartier.charts`. Grafana
fills in ``v.``: the bucket, the range that is looked at, and a window of at least a quarter-hour.
A window without values is an empty one, so that a gap is drawn as a gap.

Source:
    docs.influxdata.com, "Flux standard library"; grafana.com/docs, "InfluxDB query editor".
"""

from __future__ import annotations

from kwartier.charts import SUMS

_DAYS = """import "date"
import "timezone"

option location = timezone.location(name: "Europe/Amsterdam")

"""
"""Lets a day be a day of Amsterdam, of 23, 24 or 25 hours; without it days end at UTC."""
_START = "v.timeRangeStart"
_WHOLE_DAYS = "date.truncate(t: v.timeRangeStart, unit: 1d)"
_WINDOWS = 'aggregateWindow(every: v.windowPeriod, fn: mean, createEmpty: true, timeSrc: "_start")'
_FIELD = 'keep(columns: ["_time", "_value", "_field"])'
_VALUE = 'keep(columns: ["_time", "_value"])'
_SIDE_BY_SIDE = 'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'
_GIVEN = "(if r.grid_w < 0 then -r.grid_w else 0)"
_TAKEN = "(if r.grid_w > 0 then r.grid_w else 0)"
_SUN_GIVEN = f"(if -r.grid_w > r.solar_w then r.solar_w else {_GIVEN})"
"""What the battery gives to the grid beside the sun is no sun of this quarter-hour."""
_USE_TAKEN = f"(if r.grid_w > r.load_w then r.load_w else {_TAKEN})"
"""What the battery takes from the grid is not used yet."""


def over_time(measurement: str, field: str, divisor: int = 1) -> str:
    """Return the question for a field over time, divided to the unit that is shown."""
    return _piped(_points(measurement, field), *_divided(divisor), _WINDOWS, _FIELD)


def newest(measurement: str, field: str, divisor: int = 1) -> str:
    """Return the question for the newest value of a field."""
    return _piped(_points(measurement, field), "last()", *_divided(divisor), _FIELD)


def shared_by_day() -> str:
    """Return the question for what was shared on each day [Wh]."""
    return _DAYS + _piped(_points(SUMS, "shared_wh", start=_WHOLE_DAYS), _by_day("sum"), _FIELD)


def surplus_now() -> str:
    """Return the question for what the sun gives more than homes use, in the newest quarter [W]."""
    return _piped(
        _points(SUMS, "solar_w", "load_w"),
        _SIDE_BY_SIDE,
        "filter(fn: (r) => exists r.solar_w and exists r.load_w)",
        _valued("r.solar_w - r.load_w"),
        "last()",
        _VALUE,
    )


def grid_over_time() -> str:
    """Return the question for what all together take from the grid; negative gives to it [W]."""
    return _balance(_START) + _piped("balance", _valued("r.grid_w"), _WINDOWS, _VALUE)


def sun_used_by_day() -> str:
    """Return the question for the sun that all together used themselves, each day [Wh]."""
    return _day_of_balance(_energy(f"r.solar_w - {_SUN_GIVEN}"), "sum")


def sun_given_by_day() -> str:
    """Return the question for the sun that went to the grid at once, each day [Wh]."""
    return _day_of_balance(_energy(_SUN_GIVEN), "sum")


def taken_peak_by_day() -> str:
    """Return the question for the quarter-hour that took most from the grid, each day [W]."""
    return _day_of_balance(_TAKEN, "max")


def given_peak_by_day() -> str:
    """Return the question for the quarter-hour that gave most to the grid, each day [W]."""
    return _day_of_balance(_GIVEN, "max")


def taken_peak() -> str:
    """Return the question for the most that any quarter-hour took from the grid [W]."""
    return _balance(_START) + _piped("balance", _valued(_TAKEN), "max()", _VALUE)


def self_use() -> str:
    """Return the question for the part of the sun that all together used themselves [%]."""
    return _balance(_START) + _part(f"r.solar_w - {_SUN_GIVEN}", "r.solar_w")


def self_sufficiency() -> str:
    """Return the question for the part of the use that did not come from the grid [%]."""
    return _balance(_START) + _part(f"r.load_w - {_USE_TAKEN}", "r.load_w")


def _piped(*steps: str) -> str:
    return "\n  |> ".join(steps)


def _points(measurement: str, *fields: str, start: str = _START) -> str:
    wanted = " or ".join(f'r._field == "{field}"' for field in fields)
    return _piped(
        "from(bucket: v.defaultBucket)",
        f"range(start: {start}, stop: v.timeRangeStop)",
        f'filter(fn: (r) => r._measurement == "{measurement}" and ({wanted}))',
    )


def _balance(start: str) -> str:
    """Return what names each quarter's ``grid_w``: use and battery less the sun.

    A quarter in which one of them is not known has no balance. Where there never was a battery,
    none is waited for.
    """
    quarters = _points(SUMS, "solar_w", "load_w", "battery_w", start=start)
    battery = _piped(
        "quarters",
        'filter(fn: (r) => r._field == "battery_w")',
        "first()",
        'findColumn(fn: (key) => true, column: "_value")',
    )
    balance = _piped(
        "quarters",
        _SIDE_BY_SIDE,
        "filter(fn: (r) => exists r.solar_w and exists r.load_w)",
        "filter(fn: (r) => exists r.battery_w or length(arr: battery) == 0)",
        "map(fn: (r) => ({r with charged_w: if exists r.battery_w then r.battery_w else 0}))",
        "map(fn: (r) => ({r with grid_w: r.load_w + r.charged_w - r.solar_w}))",
    )
    return f"quarters = {quarters}\n\nbattery = {battery}\n\nbalance = {balance}\n\n"


def _day_of_balance(value: str, aggregate: str) -> str:
    return (
        _DAYS
        + _balance(_WHOLE_DAYS)
        + _piped("balance", _valued(value), _by_day(aggregate), _VALUE)
    )


def _part(part: str, whole: str) -> str:
    """Return the share of two sums over the range, in percent; nothing where the whole is zero."""
    return _piped(
        "balance",
        "reduce(identity: {part: 0, whole: 0}, fn: (r, accumulator) => "
        f"({{part: accumulator.part + {part}, whole: accumulator.whole + {whole}}}))",
        "filter(fn: (r) => r.whole > 0)",
        "map(fn: (r) => ({_value: 100.0 * float(v: r.part) / float(v: r.whole)}))",
    )


def _by_day(aggregate: str) -> str:
    return f'aggregateWindow(every: 1d, fn: {aggregate}, createEmpty: true, timeSrc: "_start")'


def _energy(power: str) -> str:
    """Return the energy of a quarter-hour's mean power [Wh]."""
    return f"float(v: {power}) / 4.0"


def _valued(value: str) -> str:
    return f"map(fn: (r) => ({{r with _value: {value}}}))"


def _divided(divisor: int) -> tuple[str, ...]:
    if divisor == 1:
        return ()
    return (f"map(fn: (r) => ({{r with _value: float(v: r._value) / {divisor}.0}}))",)
