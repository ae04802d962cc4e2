"""Weather as every service is brought to it: instants in UTC, W/m² and °C, and over which time.

Services stamp a mean by its end, by its start, or give a value for an instant; here each value
carries its own time, so nobody has to remember which service does what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from collectors.answers import AnswerError
from kwartier.interval import QUARTER_S, Quarter, instant_text
from kwartier.units import EpochS

MAX_SPANS = 30_000
"""The most values of one measure in one answer: three years of hours."""
TIMES_S = range(-1_600_000_000, 7_258_118_400)
"""Instants that weather may have [s]: 1919 to 2199; the oldest hourly files begin in 1951."""


class Measure(StrEnum):
    """What is told; the unit ends the name."""

    GHI_W_M2 = "ghi_w_m2"
    """Sunlight on the flat ground."""
    DHI_W_M2 = "dhi_w_m2"
    """The part of it that comes from the whole sky."""
    DNI_W_M2 = "dni_w_m2"
    """Sunlight straight from the sun, on a plane that faces it."""
    PLANE_W_M2 = "plane_w_m2"
    """Sunlight on a roof of the asked slope."""
    TEMPERATURE_C = "temperature_c"
    """Air temperature."""
    WIND_M_S = "wind_m_s"
    """Wind at 10 m."""
    CLOUD_PERCENT = "cloud_percent"
    """How much of the sky is covered."""
    SOLAR_W = "solar_w"
    """What the asked panels make."""


BOUNDS: Mapping[Measure, tuple[float, float]] = {
    Measure.GHI_W_M2: (-20, 2000),
    Measure.DHI_W_M2: (-20, 2000),
    Measure.DNI_W_M2: (-20, 2000),
    Measure.PLANE_W_M2: (-20, 2500),
    Measure.TEMPERATURE_C: (-60, 60),
    Measure.WIND_M_S: (0, 120),
    Measure.CLOUD_PERCENT: (0, 100),
    Measure.SOLAR_W: (0, 1e9),
}
"""What each can be; sensors tell a little less than no light at night."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """One value.

    Attributes:
        start_s: From when [s].
        end_s: Until when it is the mean [s]; the same as ``start_s`` for the value of an instant.
        value: In the unit of its measure.
    """

    start_s: EpochS
    end_s: EpochS
    value: float


@dataclass(frozen=True, slots=True)
class Weather:
    """What one service told at one time.

    Attributes:
        source: Which service.
        issued_s: When it was told, or measured last [s]: it may not be used for plans before.
        spans: Values of each measure in order of time; what is not in it is missing.
    """

    source: str
    issued_s: EpochS
    spans: Mapping[Measure, tuple[Span, ...]]

    def quarters(self, measure: Measure, start: Quarter, count: int) -> list[float | None]:
        """Return the mean of each quarter-hour, or None where it is not told."""
        return on_quarters(self.spans.get(measure, ()), start, count)


def weather(source: str, issued_s: EpochS, told: Mapping[Measure, Iterable[Span]]) -> Weather:
    """Return what a service told, in order.

    Raises:
        AnswerError: A value is past all sense, or two stand at one time.
    """
    spans = {measure: _checked(source, measure, some) for measure, some in told.items()}
    return Weather(source, issued_s, {measure: some for measure, some in spans.items() if some})


def on_quarters(spans: Sequence[Span], start: Quarter, count: int) -> list[float | None]:
    """Return values by quarter-hour: means by how long each overlaps, instants by a straight line.

    A quarter that is not told whole is missing; between two instants more than an hour and a
    minute apart nothing is drawn.

    Args:
        spans: Values in order of time, all means or all instants.
        start: The first quarter.
        count: How many.
    """
    if any(span.end_s > span.start_s for span in spans):
        return [_mean(spans, start.next(place)) for place in range(count)]
    return [_between(spans, start.next(place).start_s + QUARTER_S // 2) for place in range(count)]


_WIDEST_S = 3660


def _mean(spans: Sequence[Span], quarter: Quarter) -> float | None:
    covered, total = 0, 0.0
    for span in _around(spans, quarter.start_s, quarter.end_s):
        overlap_s = min(span.end_s, quarter.end_s) - max(span.start_s, quarter.start_s)
        if overlap_s > 0:
            covered += overlap_s
            total += span.value * overlap_s
    return total / QUARTER_S if covered == QUARTER_S else None


def _between(spans: Sequence[Span], at_s: EpochS) -> float | None:
    place = _first_after(spans, at_s)
    if place in {0, len(spans)}:
        return None
    before, after = spans[place - 1], spans[place]
    if before.start_s == at_s:
        return before.value
    length_s = after.start_s - before.start_s
    if length_s > _WIDEST_S:
        return None
    part = (at_s - before.start_s) / length_s
    return before.value + (after.value - before.value) * part


def _around(spans: Sequence[Span], start_s: EpochS, end_s: EpochS) -> Sequence[Span]:
    """Return the spans that may overlap ``[start_s, end_s)``."""
    return spans[max(0, _first_after(spans, start_s) - 1) : _first_after(spans, end_s)]


def _first_after(spans: Sequence[Span], at_s: EpochS) -> int:
    low, high = 0, len(spans)
    while low < high:
        middle = (low + high) // 2
        if spans[middle].start_s <= at_s:
            low = middle + 1
        else:
            high = middle
    return low


def _checked(source: str, measure: Measure, told: Iterable[Span]) -> tuple[Span, ...]:
    spans = tuple(sorted(told))
    low, high = BOUNDS[measure]
    if len(spans) > MAX_SPANS:
        raise AnswerError(f"{source}: more than {MAX_SPANS} values of {measure}: ask for less")
    end_s = None
    for span in spans:
        if span.start_s not in TIMES_S or span.end_s not in TIMES_S:
            raise AnswerError(f"{source}: {measure} has an instant in no year of weather")
        if not isfinite(span.value) or not low <= span.value <= high:
            raise AnswerError(
                f"{source}: {measure} of {span.value:g} at {instant_text(span.start_s)} "
                f"lies outside {low:g} to {high:g}"
            )
        if end_s is not None and span.start_s < end_s:
            raise AnswerError(
                f"{source}: two values of {measure} at {instant_text(span.start_s)}: which one?"
            )
        end_s = max(span.end_s, span.start_s + 1)
    return spans
