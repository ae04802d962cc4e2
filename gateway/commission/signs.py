"""Do plus and minus agree? What the meter does when an inverter or battery moves; pure reckoning.

When an inverter makes 100 W more, the meter shows 100 W less: the slope of the meter's changes on
the inverter's is -1. A battery that charges 100 W more makes it show 100 W more: +1. All devices
are fitted at once, so that one does not answer for another.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

BIN_S = 5
"""Samples are averaged over so long [s]."""
SPAN = 6
"""A change is the difference over so many bins."""
LEAST_S = 600
"""Below this length nothing is judged [s]."""
TOLERANCE = 0.2
"""How far from -1 or +1 a slope may be."""
_LARGEST_ERROR = 0.12
"""The standard error with which a slope still says something."""
_LEAST_MOVE_W = 40.0
"""A device whose changes are smaller than this in the mean square shows nothing [W]."""
_MOST_LAG = 3
"""Meter and device may be so many bins apart."""
_ROUNDS = 3
_OUTLIER = 4.0
"""Changes so many times the usual residual away are somebody's kettle, not the sun."""
_SIGMAS = 1.4826
"""Standard deviations of a normal law per median of what is left, signs apart."""
_LEAST_USUAL_W = 20.0
"""In a quiet house nothing nearer than a few times this is left out [W]."""
_MOST_COUNTED_W = 500.0
"""One kettle counts no more than this when fits are compared [W]."""


class Sign(StrEnum):
    """What is found of one device."""

    GOOD = "good"
    TURNED = "turned"
    """Plus and minus are the wrong way round."""
    ODD = "odd"
    """It moves with the meter, but not one to one: another device is between them."""
    WEAK = "weak"
    """It moved too little, or too much else moved: look again when the sun shines."""
    SHORT = "short"
    """Not measured long enough yet."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What stood still for one moment.

    Attributes:
        at_s: When [s].
        meter_w: At the grid connection; positive is taken [W].
        devices_w: Per device its power as it tells it now [W]; always in the same order.
    """

    at_s: float
    meter_w: int
    devices_w: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slope:
    """How the meter follows one device.

    Attributes:
        sign: The verdict.
        slope: Watts of the meter per watt of the device; None when nothing could be fitted.
        error: Its standard error.
        correlation: Of the device's changes with the meter's, -1 to 1.
        minutes: How long was looked [min].
    """

    sign: Sign
    slope: float | None
    error: float | None
    correlation: float | None
    minutes: float


def judge_signs(samples: Sequence[Sample], expected: Sequence[int]) -> list[Slope]:
    """Return a verdict per device.

    Args:
        samples: In order of time.
        expected: Per device -1 for one that makes power, +1 for one that takes it.
    """
    minutes = (samples[-1].at_s - samples[0].at_s) / 60 if samples else 0.0
    if minutes * 60 < LEAST_S:
        return [Slope(Sign.SHORT, None, None, None, minutes) for _ in expected]
    meter, devices = _bins(samples, len(expected))
    best: _Fit | None = None
    for lag in range(-_MOST_LAG, _MOST_LAG + 1):
        fit = _fitted(_shifted(meter, devices, lag), _moving(devices))
        if fit is not None and (best is None or fit.unexplained < best.unexplained):
            best = fit
    return [
        _judged(place, wanted, best, devices, meter, minutes)
        for place, wanted in enumerate(expected)
    ]


@dataclass(frozen=True, slots=True)
class _Fit:
    columns: tuple[int, ...]
    slopes: tuple[float, ...]
    errors: tuple[float, ...]
    unexplained: float


_Rows = list[tuple[float, list[float]]]
"""Per change: the meter's, and each device's."""


def _judged(
    place: int,
    wanted: int,
    fit: _Fit | None,
    devices: list[list[float | None]],
    meter: list[float | None],
    minutes: float,
) -> Slope:
    if fit is None or place not in fit.columns:
        return Slope(Sign.WEAK, None, None, None, minutes)
    at = fit.columns.index(place)
    slope, error = fit.slopes[at], fit.errors[at]
    along = _correlation(_changes(devices[place]), _changes(meter))
    if error > _LARGEST_ERROR:
        sign = Sign.WEAK
    elif abs(slope - wanted) <= TOLERANCE:
        sign = Sign.GOOD
    elif abs(slope + wanted) <= TOLERANCE:
        sign = Sign.TURNED
    elif abs(slope) <= TOLERANCE:
        sign = Sign.WEAK  # a battery that holds the meter at zero looks like this
    else:
        sign = Sign.ODD
    return Slope(sign, slope, error, along, minutes)


def _bins(
    samples: Sequence[Sample], devices: int
) -> tuple[list[float | None], list[list[float | None]]]:
    """Return the means per bin; None where nothing was seen."""
    start = samples[0].at_s
    count = int((samples[-1].at_s - start) // BIN_S) + 1
    sums = [[0.0] * (devices + 1) for _ in range(count)]
    seen = [0] * count
    for sample in samples:
        at = int((sample.at_s - start) // BIN_S)
        if 0 <= at < count:
            seen[at] += 1
            for column, value in enumerate((sample.meter_w, *sample.devices_w)):
                sums[at][column] += value
    columns: list[list[float | None]] = [
        [row[column] / n if n else None for row, n in zip(sums, seen, strict=True)]
        for column in range(devices + 1)
    ]
    return columns[0], columns[1:]


def _changes(column: list[float | None]) -> list[float | None]:
    return [
        None if now is None or before is None else now - before
        for before, now in zip(column, column[SPAN:], strict=False)
    ]


def _moving(devices: list[list[float | None]]) -> tuple[int, ...]:
    """Return the devices that moved enough to show anything."""
    found = []
    for place, column in enumerate(devices):
        moves = [move for move in _changes(column) if move is not None]
        if moves and math.sqrt(statistics.fmean(move * move for move in moves)) >= _LEAST_MOVE_W:
            found.append(place)
    return tuple(found)


def _shifted(
    meter: list[float | None], devices: list[list[float | None]], lag: int
) -> tuple[list[float | None], list[list[float | None]]]:
    """Return both with the devices ``lag`` bins later."""
    if lag >= 0:
        return meter[lag:], [column[: len(column) - lag] for column in devices]
    return meter[:lag], [column[-lag:] for column in devices]


def _fitted(
    shifted: tuple[list[float | None], list[list[float | None]]], columns: tuple[int, ...]
) -> _Fit | None:
    """Return the least squares, with what is far off left out; None when it cannot be fitted."""
    meter, devices = shifted
    moves = [_changes(devices[column]) for column in columns]
    rows: _Rows = []
    for at, change in enumerate(_changes(meter)):
        beside = [move[at] for move in moves]
        whole = [value for value in beside if value is not None]
        if change is not None and len(whole) == len(columns):
            rows.append((change, whole))
    if not columns or len(rows) < LEAST_S // BIN_S // 2:
        return None
    kept, slopes = rows, [0.0] * len(columns)
    inverse: list[list[float]] = []
    for _ in range(_ROUNDS):
        squares = [
            [math.fsum(row[a] * row[b] for _, row in kept) for b in range(len(columns))]
            for a in range(len(columns))
        ]
        found = _inverse(squares)
        if found is None:
            return None
        inverse = found
        along = [math.fsum(change * row[a] for change, row in kept) for a in range(len(columns))]
        slopes = [
            math.fsum(inverse[a][b] * along[b] for b in range(len(columns)))
            for a in range(len(columns))
        ]
        middle = statistics.median(abs(_residual(row, slopes)) for row in rows)
        usual = max(_SIGMAS * middle, _LEAST_USUAL_W)
        kept = [row for row in rows if abs(_residual(row, slopes)) <= _OUTLIER * usual]
        if len(kept) <= 2 * len(columns):
            return None
    squared = math.fsum(_residual(row, slopes) ** 2 for row in kept)
    variance = squared / (len(kept) - len(columns))
    # Changes overlap SPAN-fold, so they count for SPAN times fewer.
    errors = [math.sqrt(variance * inverse[a][a] * SPAN) for a in range(len(columns))]
    capped = math.fsum(min(_residual(row, slopes) ** 2, _MOST_COUNTED_W**2) for row in rows)
    return _Fit(columns, tuple(slopes), tuple(errors), capped / len(rows))


def _residual(row: tuple[float, list[float]], slopes: list[float]) -> float:
    return row[0] - math.fsum(slope * move for slope, move in zip(slopes, row[1], strict=True))


def _inverse(matrix: list[list[float]]) -> list[list[float]] | None:
    """Return the inverse of a small symmetric matrix, or None when devices move as one."""
    size = len(matrix)
    rows = [[*row, *(1.0 if a == b else 0.0 for b in range(size))] for a, row in enumerate(matrix)]
    for a in range(size):
        pivot = max(range(a, size), key=lambda b, a=a: abs(rows[b][a]))  # type: ignore[misc]  # a is bound here
        rows[a], rows[pivot] = rows[pivot], rows[a]
        if abs(rows[a][a]) <= 1e-9 * max(1.0, matrix[a][a]):
            return None
        rows[a] = [value / rows[a][a] for value in rows[a]]
        for b in range(size):
            if b != a:
                factor = rows[b][a]
                rows[b] = [x - factor * y for x, y in zip(rows[b], rows[a], strict=True)]
    return [row[size:] for row in rows]


def _correlation(one: list[float | None], other: list[float | None]) -> float | None:
    pairs = [(x, y) for x, y in zip(one, other, strict=True) if x is not None and y is not None]
    across = math.fsum(x * x for x, _ in pairs) * math.fsum(y * y for _, y in pairs)
    return math.fsum(x * y for x, y in pairs) / math.sqrt(across) if across > 0 else None
