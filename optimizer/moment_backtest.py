"""How often the signal was right: said again over days that were measured, with what was known.

Each quarter-hour gets the forecast that could be made then: what was usual at the same time on the
days before, and, where that is asked for, how today has gone so far. What the signal says is held
against the surplus that the street really had. 'Always good between 11 and 15' is judged beside it:
a signal that is no better than that is not worth a lamp.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kwartier.errors import InputError
from kwartier.interval import QUARTER_S, Quarter
from optimizer.forecast import DAY, WINDOW_DAYS, forecast_of
from optimizer.moment import (
    DEFAULT_RULES,
    Moment,
    MomentRules,
    Signal,
    Surplus,
    chance_of_surplus,
    signal_of,
)
from optimizer.nowcast import DEFAULT_NOWCAST, Nowcast, corrected
from optimizer.problem import BoolArray, FloatArray

NOON_HOURS = (11, 15)
"""What everybody would guess: good from and until these local hours."""
LEAST_HISTORY = 7
"""Days that must lie before the first day that is judged."""


@dataclass(frozen=True, slots=True, eq=False)
class StreetDays:
    """What a street used and made, a local day a row and a quarter of the wall clock a column.

    Attributes:
        starts_s: The start of each local day [s].
        use_kw: Shape ``(D, 96)`` [kW]; NaN where it is not known.
        solar_kw: Shape ``(D, 96)`` [kW]; NaN likewise.
        first: The first day that is judged; the ones before it are only looked back on.
    """

    starts_s: tuple[int, ...]
    use_kw: FloatArray
    solar_kw: FloatArray
    first: int = 0

    def __post_init__(self) -> None:
        wanted = (len(self.starts_s), DAY)
        if self.use_kw.shape != wanted or self.solar_kw.shape != wanted:
            raise InputError(
                f"use is {self.use_kw.shape} and sun {self.solar_kw.shape} for {wanted[0]} days: "
                f"give {DAY} quarters of each day"
            )


@dataclass(frozen=True, slots=True)
class Hits:
    """How what was said 'good' agrees with what was.

    Attributes:
        said_good: Quarters that were called good.
        right: How many of them had the surplus.
        had_surplus: Quarters that had it.
    """

    said_good: int
    right: int
    had_surplus: int

    @property
    def precision(self) -> float | None:
        """What part of the good quarters was good; None when none was called so."""
        return self.right / self.said_good if self.said_good else None

    @property
    def recall(self) -> float | None:
        """What part of the surplus was told; None when there was none."""
        return self.right / self.had_surplus if self.had_surplus else None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came out.

    Attributes:
        days: Days that were judged.
        quarters: Quarters that were judged.
        signal: How the signal did.
        noon: How 'always good from 11 to 15' did.
        brier: Mean squared error of the chance of a surplus; 0 is perfect.
        brier_noon: The same of a chance of 1 from 11 to 15 and 0 outside.
        changes_per_day: How often the signal changed.
        good_moments: Stretches that were called good.
        false_alarms: How many of them had no surplus in any quarter.
        surplus_moments: Stretches of at least an hour that had a surplus.
        missed_moments: How many of them were never called good.
        lead_hours: How long before a good moment began it was announced, the median [h]; None
            without one.
    """

    days: int
    quarters: int
    signal: Hits
    noon: Hits
    brier: float
    brier_noon: float
    changes_per_day: float
    good_moments: int
    false_alarms: int
    surplus_moments: int
    missed_moments: int
    lead_hours: float | None


def judge(
    street: StreetDays,
    rules: MomentRules = DEFAULT_RULES,
    *,
    solar_spread: float,
    nowcast: Nowcast | None = DEFAULT_NOWCAST,
    progress: Callable[[int], None] = lambda _: None,
) -> Judgement:
    """Return how the signal would have done on the days that are measured whole.

    Args:
        street: What was measured.
        rules: When a surplus is worth a signal.
        solar_spread: How far the sun may be off its forecast, nine times in ten, as a part of it.
        nowcast: How the forecast follows the day; None leaves it as it was at midnight.
        progress: Is told after each day how many were looked at.

    Raises:
        InputError: No day has enough days before it.
    """
    said: list[BoolArray] = []
    truth: list[BoolArray] = []
    chances: list[FloatArray] = []
    leads: list[float] = []
    changes, previous = 0, None
    for day in range(max(LEAST_HISTORY, street.first), len(street.starts_s)):
        progress(day)
        told = _day(street, day, rules, solar_spread, nowcast, previous)
        if told is None:
            previous = None
            continue
        signals, chance = told
        states = [signal.state for signal in signals]
        before = states[0] if previous is None else previous.state
        changes += sum(a is not b for a, b in zip([before, *states], states, strict=False))
        previous = signals[-1]
        good = np.array([state is Moment.GOOD for state in states])
        said.append(good)
        truth.append(street.solar_kw[day] - street.use_kw[day] >= rules.least_kw)
        chances.append(chance)
        leads += _leads(signals, good)
    if not said:
        raise InputError(
            f"no whole day has {LEAST_HISTORY} days before it: give at least "
            f"{LEAST_HISTORY + 1} days of quarter-hours"
        )
    return _judgement(np.array(said), np.array(truth), np.array(chances), changes, leads, rules)


def _day(
    street: StreetDays,
    day: int,
    rules: MomentRules,
    solar_spread: float,
    nowcast: Nowcast | None,
    previous: Signal | None,
) -> tuple[list[Signal], FloatArray] | None:
    """Return what is said in each quarter of a day and with what chance; None without data."""
    past = slice(max(0, day - WINDOW_DAYS), day)
    use = forecast_of(street.use_kw[past][::-1]).likely
    solar = forecast_of(street.solar_kw[past][::-1]).likely
    measured = street.use_kw[day], street.solar_kw[day]
    if any(np.isnan(part).any() for part in (use, solar, *measured)):
        return None
    start = Quarter(street.starts_s[day])
    signals, chance = [], np.zeros(DAY)
    for place in range(DAY):
        expected_use, expected_solar = np.tile(use, 2), np.tile(solar, 2)
        if nowcast is not None:
            expected_use = corrected(expected_use, measured[0][:place], nowcast.use)
            expected_solar = corrected(expected_solar, measured[1][:place], nowcast.solar)
        likely = expected_solar - expected_use
        spread = solar_spread * expected_solar
        surplus = Surplus(start, likely, likely - spread, likely + spread)
        now_s = start.start_s + place * QUARTER_S
        previous = signal_of(surplus, now_s, previous, rules)
        signals.append(previous)
        chance[place] = chance_of_surplus(surplus, rules.least_kw)[place]
    return signals, chance


def _leads(signals: list[Signal], good: BoolArray) -> list[float]:
    """Return how long before each good moment of a day it was first announced [h]."""
    told = []
    for start, _ in _runs(good):
        begin_s = signals[start].from_s
        early = [
            at
            for at in range(start)
            if (next_s := signals[at].next_from_s) is not None
            and abs(next_s - begin_s) <= 4 * QUARTER_S
        ]
        told.append((start - early[0]) / 4 if early else 0.0)
    return told


def _judgement(
    said: BoolArray,
    truth: BoolArray,
    chance: FloatArray,
    changes: int,
    leads: list[float],
    rules: MomentRules,
) -> Judgement:
    noon = np.zeros_like(said)
    noon[:, NOON_HOURS[0] * 4 : NOON_HOURS[1] * 4] = True
    goods = [(day, *run) for day in range(len(said)) for run in _runs(said[day])]
    suns = [
        (day, start, end)
        for day in range(len(truth))
        for start, end in _runs(truth[day])
        if end - start >= rules.quarters
    ]
    return Judgement(
        len(said),
        said.size,
        _hits(said, truth),
        _hits(noon, truth),
        float(np.mean((chance - truth) ** 2)),
        float(np.mean((noon.astype(np.float64) - truth) ** 2)),
        changes / len(said),
        len(goods),
        sum(not truth[day, start:end].any() for day, start, end in goods),
        len(suns),
        sum(not said[day, start:end].any() for day, start, end in suns),
        float(np.median(leads)) if leads else None,
    )


def _hits(said: BoolArray, truth: BoolArray) -> Hits:
    return Hits(int(said.sum()), int((said & truth).sum()), int(truth.sum()))


def _runs(flags: BoolArray) -> Iterator[tuple[int, int]]:
    fenced = np.concatenate([[False], flags, [False]])
    turns = np.flatnonzero(fenced[1:] != fenced[:-1]).tolist()
    return zip(turns[::2], turns[1::2], strict=True)
