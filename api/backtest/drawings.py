"""What the page of a backtest draws: savings, months, an average day, peaks, the best week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from api.backtest.plots import Axes, Series, bars, lines, lying_bars
from api.backtest.question import Question, WorkFolder
from api.backtest.run import saving_eur, walks_of
from api.backtest.words import Language, day_name, euros, month_name, number, policy_name, word
from optimizer.backtest.course import prices_of
from optimizer.backtest.outcome import Outcome, costs_eur, exchange_kw
from optimizer.backtest.policies import NONE, PERFECT, SELF_USE, TRACKING, Policy
from optimizer.forecast import DAY
from optimizer.problem import FloatArray

_WEEK = 7 * DAY
_TOP_QUARTERS = 400
_LOOKS = {NONE: 3, SELF_USE: 1, TRACKING: 0, PERFECT: 2}


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """The judged quarters, one after the other.

    Attributes:
        places: Where they stand in the course, shape ``(N,)``.
        months: The month of each, such as ``2016-05``, shape ``(N,)``.
        costs: What each costs by way of steering.
        exchange: What passed in each, likewise [kW].
        stored: What was stored after each, likewise [kWh].
    """

    places: FloatArray
    months: list[str]
    costs: dict[str, FloatArray]
    exchange: dict[str, FloatArray]
    stored: dict[str, FloatArray]

    @classmethod
    def of(cls, folder: WorkFolder, question: Question, policies: Sequence[Policy]) -> Played:
        """Return what each way of steering did, as it stands in a folder."""
        stretches = question.stretches()
        places = np.concatenate([np.arange(one.first, one.end) for one in stretches.values()])
        months = [name for name, one in stretches.items() for _ in range(one.end - one.first)]
        costs, exchange, stored = {}, {}, {}
        for policy in policies:
            walks = walks_of(folder, question, policy.name)
            course = question.course
            costs[policy.name] = np.concatenate([costs_eur(course, *walk) for walk in walks])
            exchange[policy.name] = np.concatenate([exchange_kw(course, *walk) for walk in walks])
            stored[policy.name] = np.concatenate([walked.stored_kwh for _, walked in walks])
        return cls(places, months, costs, exchange, stored)


def savings_plot(found: dict[str, Outcome], lang: Language) -> str:
    """Return what each way saved over no battery, a bar each; nothing where that was not played."""
    names = [name for name in found if name != NONE]
    values = [saving_eur(name, found) for name in names]
    if NONE not in found or not names:
        return ""
    axes = Axes(word("savings_plot", lang), "", "€", (), lambda value: euros(value, lang))
    looks = [_LOOKS.get(name, 4) for name in names]
    return lying_bars(
        axes, [policy_name(name, lang) for name in names], [v or 0.0 for v in values], looks
    )


def plots_of(question: Question, played: Played, best: str, lang: Language) -> list[str]:
    """Return the plots of the judged quarters.

    Args:
        question: What was played.
        played: What came of it.
        best: The way of steering that the page speaks of.
        lang: The page's.
    """
    drawn = [_day_plot(question, played, best, lang), _peaks_plot(played, best, lang)]
    if NONE in played.costs:
        drawn.insert(0, _months_plot(played, lang))
        drawn += _week_plots(question, played, best, lang)
    return drawn


def _months_plot(played: Played, lang: Language) -> str:
    months = sorted(set(played.months))
    of_month = np.array(played.months)
    saved = {
        name: [
            float(np.nansum((played.costs[NONE] - costs)[of_month == month])) for month in months
        ]
        for name, costs in played.costs.items()
        if name in {SELF_USE, TRACKING, PERFECT}
    }
    series = [
        Series(policy_name(name, lang), values, _LOOKS[name]) for name, values in saved.items()
    ]
    if not series:
        return ""
    axes = Axes(
        word("months_plot", lang), word("month", lang), "€", (), lambda value: number(value, lang)
    )
    return bars(
        axes,
        [month_name(month, lang)[0 if len(months) > 6 else slice(None)] for month in months],
        series,
    )


def _day_plot(question: Question, played: Played, best: str, lang: Language) -> str:
    slots = question.course.clock.slot[played.places]

    def mean(values: FloatArray) -> FloatArray:
        known = ~np.isnan(values)
        counted = np.bincount(slots[known], minlength=DAY)
        summed = np.bincount(slots[known], weights=values[known], minlength=DAY)
        with np.errstate(invalid="ignore"):
            told: FloatArray = summed / counted
        return told

    series = [
        Series(word("use", lang), mean(question.course.use_kw[played.places]), 3),
        Series(word("sun", lang), mean(question.course.sun_kw[played.places]), 1),
        Series(
            word("net_with", lang, name=policy_name(best, lang)), mean(played.exchange[best]), 0
        ),
    ]
    if NONE in played.exchange:
        series.append(Series(word("net_without", lang), mean(played.exchange[NONE]), 2))
    marks = [(4.0 * hour, f"{hour}") for hour in range(0, 25, 4)]
    axes = Axes(
        word("day_plot", lang), word("clock", lang), "kW", marks, lambda value: number(value, lang)
    )
    return lines(axes, series)


def _peaks_plot(played: Played, best: str, lang: Language) -> str:
    names = [name for name in (NONE, SELF_USE, best) if name in played.exchange]
    series = []
    for name in dict.fromkeys(names):
        known = played.exchange[name][~np.isnan(played.exchange[name])]
        series.append(
            Series(
                policy_name(name, lang), np.sort(known)[::-1][:_TOP_QUARTERS], _LOOKS.get(name, 4)
            )
        )
    count = max(len(one.values) for one in series)
    marks = [(float(place), number(place, lang)) for place in range(0, count + 1, 100)]
    axes = Axes(
        word("peaks_plot", lang), word("rank", lang), "kW", marks, lambda value: number(value, lang)
    )
    return lines(axes, series)


def _week_plots(question: Question, played: Played, best: str, lang: Language) -> list[str]:
    """Return price, store and exchange of the week that saved most."""
    if played.places.size < DAY:
        return []
    saved = np.nan_to_num(played.costs[NONE] - played.costs[best])
    length = min(_WEEK, saved.size)
    midnights = np.flatnonzero(question.course.clock.slot[played.places] == 0)
    midnights = midnights[midnights + length <= saved.size]
    if not midnights.size:
        return []
    total = np.concatenate([[0.0], np.cumsum(saved)])
    first = int(midnights[np.argmax(total[midnights + length] - total[midnights])])
    week = slice(first, first + length)
    places = played.places[week].astype(np.int64)
    begun = question.first + timedelta(
        days=int(
            question.course.clock.day[places[0]] - question.course.clock.day[int(played.places[0])]
        )
    )
    marks = [
        (float(DAY * day) + DAY / 2, f"{(begun + timedelta(days=day)).day}")
        for day in range(length // DAY)
    ]
    prices = prices_of(question.course)

    def axes(key: str, unit: str, digits: int = 0) -> Axes:
        across = f"{word('date', lang)}, {day_name(begun, lang)} \u2013"
        return Axes(word(key, lang), across, unit, marks, lambda v: number(v, lang, digits))

    return [
        lines(
            axes("week_plot", word("price_axis", lang), 2),
            [
                Series(word("buy", lang), prices.buy[places], 2, is_stepped=True),
                Series(word("sell", lang), prices.sell[places], 1, is_stepped=True),
            ],
            170.0,
        ),
        lines(
            axes("stored_plot", "kWh"),
            [Series(policy_name(best, lang), played.stored[best][week], 0)],
            170.0,
        ),
        lines(
            axes("exchange_plot", "kW"),
            [
                Series(policy_name(NONE, lang), played.exchange[NONE][week], 3),
                Series(policy_name(best, lang), played.exchange[best][week], 0),
            ],
        ),
    ]
