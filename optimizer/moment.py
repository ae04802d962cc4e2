"""The signal: is now a good moment to use power, and when is the next one?

One object for every page, lamp and sheet of paper. It is made from the forecast of the solar power
that homes do not use and the battery is not planned to take, and from the signal before it: a
signal changes at most every half hour, unless it no longer knows or begins to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from kwartier.errors import InputError
from kwartier.interval import QUARTER_S, Quarter, instant_text
from kwartier.units import EpochS
from kwartier.wire import Json
from optimizer.problem import BoolArray, FloatArray


class Moment(StrEnum):
    """The four things a signal can say."""

    GOOD = "good"
    NORMAL = "normal"
    LATER = "later"
    UNKNOWN = "unknown"


class MomentReason(StrEnum):
    """Why it says so."""

    SOLAR_SURPLUS = "solar_surplus"
    SURPLUS_LATER = "surplus_later"
    SURPLUS_SHORT = "surplus_short"
    NO_SURPLUS = "no_surplus"
    DATA_MISSING = "data_missing"


@dataclass(frozen=True, slots=True, eq=False)
class Surplus:
    """Forecast of solar power to spare; negative where the neighbourhood takes from the grid.

    Attributes:
        start: The first quarter.
        likely_kw: As likely more as less, shape ``(T,)`` [kW]; NaN where it is not known.
        low_kw: Nine times in ten it is more, shape ``(T,)`` [kW].
        high_kw: Nine times in ten it is less, shape ``(T,)`` [kW].
    """

    start: Quarter
    likely_kw: FloatArray
    low_kw: FloatArray
    high_kw: FloatArray

    def __post_init__(self) -> None:
        shapes = {self.likely_kw.shape, self.low_kw.shape, self.high_kw.shape}
        if len(shapes) > 1 or self.likely_kw.ndim != 1:
            raise InputError(
                f"the surplus has {self.low_kw.size} low, {self.likely_kw.size} likely and "
                f"{self.high_kw.size} high values: give one of each a quarter"
            )


@dataclass(frozen=True, slots=True)
class MomentRules:
    """When a surplus is worth a signal.

    Attributes:
        least_kw: A smaller surplus is none.
        enter: From this chance of a surplus a quarter counts [0..1].
        stay: A good moment lasts while the chance is at least this [0..1].
        quarters: A good moment takes at least so many quarters in a row.
        later_within: 'Better later' looks so many quarters ahead.
        hold_s: A signal stays at least this long [s].
    """

    least_kw: float = 1.0
    enter: float = 0.5
    stay: float = 0.4
    quarters: int = 4
    later_within: int = 48
    hold_s: int = 1800


@dataclass(frozen=True, slots=True)
class Signal:
    """What is said now.

    Attributes:
        state: One of four.
        from_s: Since when this is said [s].
        until_s: When it is expected to change [s]; None where no change is in sight.
        next_from_s: When the next good moment starts [s]; None where none is in sight.
        next_until_s: When that one ends [s].
        confidence: How sure it is [0..1].
        reason: Why.
    """

    state: Moment
    from_s: EpochS
    until_s: EpochS | None
    next_from_s: EpochS | None
    next_until_s: EpochS | None
    confidence: float
    reason: MomentReason


DEFAULT_RULES = MomentRules()


def signal_of(
    surplus: Surplus,
    now_s: EpochS,
    previous: Signal | None = None,
    rules: MomentRules = DEFAULT_RULES,
) -> Signal:
    """Return the signal at an instant.

    Good is a run of quarters with a likely surplus. Better later is a quarter that takes from the
    grid with a good moment to come within hours. Without a forecast for now it is unknown.

    Args:
        surplus: May begin before now: then a run that is under way counts in full.
        now_s: The instant [s].
        previous: What was said before; None the first time.
        rules: When a surplus is worth a signal.
    """
    now = (Quarter.containing(now_s).start_s - surplus.start.start_s) // QUARTER_S
    if not 0 <= now < surplus.likely_kw.size or np.isnan(surplus.likely_kw[now]):
        since_s = previous.from_s if previous and previous.state is Moment.UNKNOWN else now_s
        return Signal(Moment.UNKNOWN, since_s, None, None, None, 0.0, MomentReason.DATA_MISSING)
    chance = chance_of_surplus(surplus, rules.least_kw)
    good = _good_quarters(chance, now, previous, rules)
    states = _states(surplus, good, rules)
    state = states[now]
    ends = next((at for at in range(now, len(states)) if states[at] is not state), None)
    next_from, next_until = _next_run(good, now)
    sure = chance if state is Moment.GOOD else 1.0 - chance
    signal = Signal(
        state=state,
        from_s=previous.from_s if previous and previous.state is state else now_s,
        until_s=_at(surplus, ends),
        next_from_s=_at(surplus, next_from),
        next_until_s=_at(surplus, next_until),
        confidence=round(float(np.nanmean(sure[now:ends])), 2),
        reason=_reason(state, float(chance[now]), rules),
    )
    return _held(signal, previous, now_s, rules)


def chance_of_surplus(surplus: Surplus, least_kw: float) -> FloatArray:
    """Return the chance that each quarter has at least so much to spare, shape ``(T,)``.

    Between the three known points the chance runs in straight lines; beyond them it is 5 or 95 %,
    as a forecast is never sure.
    """
    low, likely, high = surplus.low_kw, surplus.likely_kw, surplus.high_kw

    def part(start: FloatArray, end: FloatArray) -> FloatArray:
        width = np.where(end > start, end - start, 1.0)
        return np.clip((least_kw - start) / width, 0.0, 1.0)

    chance = np.select(
        [np.isnan(likely), least_kw <= low, least_kw > high, least_kw <= likely],
        [np.full(likely.shape, np.nan), 0.95, 0.05, 0.9 - 0.4 * part(low, likely)],
        0.5 - 0.4 * part(likely, high),
    )
    return np.asarray(chance, dtype=np.float64)


def states_of(surplus: Surplus, rules: MomentRules = DEFAULT_RULES) -> list[Moment]:
    """Return what is expected of each quarter, seen from before the first one."""
    chance = chance_of_surplus(surplus, rules.least_kw)
    good = np.zeros(chance.size, dtype=np.bool_)
    for start, end in _runs(chance >= rules.enter):
        good[start:end] = end - start >= rules.quarters
    return _states(surplus, good, rules)


def json_of_signal(signal: Signal) -> dict[str, Json]:
    """Return the signal as pages, MQTT and lamps get it; instants in UTC."""

    def text(at_s: EpochS | None) -> str | None:
        return None if at_s is None else instant_text(at_s)

    return {
        "state": signal.state.value,
        "from": text(signal.from_s),
        "until": text(signal.until_s),
        "next_from": text(signal.next_from_s),
        "next_until": text(signal.next_until_s),
        "confidence": signal.confidence,
        "reason_code": signal.reason.value,
    }


def _good_quarters(
    chance: FloatArray, now: int, previous: Signal | None, rules: MomentRules
) -> BoolArray:
    """Return which quarters lie in a run that is long enough, or in the one under way.

    The run that now lies in lasts as long as ``stay`` allows, from the first time it is told on.
    """
    goes_on = previous is not None and previous.state is Moment.GOOD
    likely = chance >= rules.enter
    begun = goes_on or any(
        start <= now < end and end - start >= rules.quarters for start, end in _runs(likely)
    )
    if begun:
        at = now
        while at < chance.size and chance[at] >= rules.stay:
            likely[at] = True
            at += 1
    good = np.zeros(chance.size, dtype=np.bool_)
    for start, end in _runs(likely):
        under_way = begun and start <= now < end
        good[start:end] = under_way or end - start >= rules.quarters
    return good


def _states(surplus: Surplus, good: BoolArray, rules: MomentRules) -> list[Moment]:
    starts = np.array([start for start, _ in _runs(good)], dtype=np.intp)
    places = np.arange(good.size)
    # How many good moments start before a quarter's end, and before the last one that counts.
    soon = np.searchsorted(starts, places + rules.later_within, "right") > np.searchsorted(
        starts, places, "right"
    )
    later = (surplus.likely_kw < 0) & soon
    unknown = np.isnan(surplus.likely_kw)
    kinds = np.select([unknown, good, later], [0, 1, 2], 3)
    words = (Moment.UNKNOWN, Moment.GOOD, Moment.LATER, Moment.NORMAL)
    return [words[kind] for kind in kinds.tolist()]


def _next_run(good: BoolArray, now: int) -> tuple[int | None, int | None]:
    for start, end in _runs(good):
        if start > now:
            return start, end
    return None, None


def _runs(flags: BoolArray) -> list[tuple[int, int]]:
    """Return the runs of true values as start and end, the end excluded."""
    fenced = np.concatenate([[False], flags, [False]])
    turns = np.flatnonzero(fenced[1:] != fenced[:-1]).tolist()
    return list(zip(turns[::2], turns[1::2], strict=True))


def _reason(state: Moment, chance: float, rules: MomentRules) -> MomentReason:
    if state is Moment.GOOD:
        return MomentReason.SOLAR_SURPLUS
    if state is Moment.LATER:
        return MomentReason.SURPLUS_LATER
    return MomentReason.SURPLUS_SHORT if chance >= rules.enter else MomentReason.NO_SURPLUS


def _held(signal: Signal, previous: Signal | None, now_s: EpochS, rules: MomentRules) -> Signal:
    """Return the signal, or the one before it where that began less than the hold time ago.

    Not to know is left at once: it was no advice that anybody follows.
    """
    if previous is None or previous.state in {signal.state, Moment.UNKNOWN}:
        return signal
    until_s = previous.from_s + rules.hold_s
    if now_s >= until_s:
        return signal
    return Signal(
        previous.state,
        previous.from_s,
        until_s,
        signal.next_from_s,
        signal.next_until_s,
        previous.confidence,
        previous.reason,
    )


def _at(surplus: Surplus, quarter: int | None) -> EpochS | None:
    return None if quarter is None else surplus.start.next(quarter).start_s
