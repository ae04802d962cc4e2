"""The one door to scikit-learn: boosted trees that learn where the experts are off, and how far.

Trees are grown at night from at most nine weeks and kept in memory only; nothing that was pickled
is ever read. They are asked for a part of the day's level, so a cold week does not surprise them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from kwartier.errors import InputError
from optimizer.forecast import DAY, Forecast, check_steps
from optimizer.forecasting.blend import LEAST_QUARTERS, Expert, fill, nothing
from optimizer.forecasting.days import Days, Sky, days_of
from optimizer.forecasting.history import History
from optimizer.forecasting.ranges import HIGH, LOW
from optimizer.forecasting.soon import followed
from optimizer.nowcast import Follow
from optimizer.problem import BoolArray, FloatArray

MOST_DAYS = 63
"""Days that are learned from: at most 6,048 rows."""
_ROUNDS = 80
_LEAVES = 15
_LEAST_IN_LEAF = 40
_STEP = 0.06


class _Model(Protocol):
    """What of a scikit-learn model is used."""

    def fit(self, x: FloatArray, y: FloatArray) -> object: ...

    def predict(self, x: FloatArray) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class Trees:
    """How trees are grown.

    Attributes:
        name: What the method is called.
        experts: Whose opinions the trees start from.
        follow: How the rest of today follows what was measured of it.
        sky: Sunlight without clouds, where the experts ask for it.
    """

    name: str
    experts: tuple[Expert, ...]
    follow: Follow
    sky: Sky | None = None

    def learn(self, history: History) -> GrownTrees:
        """Return trees grown from a history: about three seconds on one core.

        Raises:
            InputError: Less than about two weeks was measured, or scikit-learn is not installed.
        """
        days = days_of(history, 1, self.sky)
        today = len(days.kw) - 1
        rows = range(max(7, today - MOST_DAYS), today)
        seen = [_seen(self.experts, days, row) for row in rows]
        asked = np.concatenate([x for x, _ in seen]) if seen else np.empty((0, 1))
        levels = np.array([level for _, level in seen])
        with np.errstate(invalid="ignore", divide="ignore"):
            parts = (days.kw[rows.start : rows.stop] / levels[:, None]).ravel()
        known = np.isfinite(parts)
        if known.sum() < LEAST_QUARTERS:
            raise InputError(
                f"{int(known.sum())} quarters are too few to grow trees from: "
                f"wait for {LEAST_QUARTERS}"
            )
        telling = _telling(asked[known])
        models = tuple(
            _grown(asked[known][:, telling], parts[known], part) for part in (0.5, LOW, HIGH)
        )
        return GrownTrees(self, models, telling)

    def forecast(self, history: History, steps: int) -> Forecast:
        """Return the forecast of trees grown for this one question; ``learn`` grows them once."""
        check_steps(steps)
        try:
            return self.learn(history).forecast(history, steps)
        except InputError:
            return nothing(steps)


@dataclass(frozen=True, slots=True)
class GrownTrees:
    """A method that was learned from one series and may be asked of that series only."""

    grown_by: Trees
    models: tuple[_Model, ...]
    telling: BoolArray

    @property
    def name(self) -> str:
        """What the method is called."""
        return self.grown_by.name

    @property
    def follow(self) -> Follow:
        """How the rest of today follows what was measured of it."""
        return self.grown_by.follow

    def following(self, follow: Follow) -> GrownTrees:
        """Return the same trees following the day otherwise."""
        return replace(self, grown_by=replace(self.grown_by, follow=follow))

    def forecast(self, history: History, steps: int) -> Forecast:
        """Return what to expect right after a history.

        Raises:
            InputError: The number of steps is out of range.
        """
        check_steps(steps)
        by = self.grown_by
        days = days_of(history, steps, by.sky)
        clock = history.clock(steps)
        row, now = clock.day - days.first, history.kw.size
        today = int(row[now])
        midnight, following = int(np.searchsorted(row, today)), 0
        told = np.full((3, row.size - midnight), np.nan)
        for place in range(today, int(row[-1]) + 1):
            here = row[midnight:] == place
            slots = clock.slot[midnight:][here]
            told[:, here] = self._day(days, place)[:, slots]
            if place == today:
                told[:, here], following = followed(
                    told[:, here], history.kw[midnight:now], by.follow
                )
            fill(days, place, slots, told[0, here])
        least = 0.0 if np.nanmin(days.kw[:today], initial=np.inf) >= 0 else -np.inf
        likely, low, high = np.maximum(told[:, now - midnight :], least)
        counted = np.full(steps, float(min(today, MOST_DAYS)))
        low, high = np.minimum(low, likely), np.maximum(high, likely)
        return Forecast(likely, low, high, counted, following)

    def _day(self, days: Days, row: int) -> FloatArray:
        asked, level = _seen(self.grown_by.experts, days, row)
        if not level > 0:
            return np.full((3, DAY), np.nan)
        return level * np.array([model.predict(asked[:, self.telling]) for model in self.models])


def _seen(experts: tuple[Expert, ...], days: Days, row: int) -> tuple[FloatArray, float]:
    """Return what trees are shown of a day, shape ``(96, F)``, and the level it is measured by."""
    said = np.array([expert(days, row) for expert in experts])
    known = said[~np.isnan(said)]
    level = float(known.mean()) if known.size else float("nan")
    shown = [*(said / level if level > 0 else said), np.arange(DAY, dtype=np.float64)]
    shown.append(np.full(DAY, float(days.weekday(row))))
    shown.append(days.kw[row - 1] / level if level > 0 and row else np.full(DAY, np.nan))
    shown.append(days.kw[row - 7] / level if level > 0 and row >= 7 else np.full(DAY, np.nan))
    shown.extend(
        told[row]
        for told in (days.told_w_per_m2, days.told_c, days.sky_w_per_m2)
        if told is not None
    )
    return np.array(shown).T, level


def _telling(asked: FloatArray) -> BoolArray:
    """Return which columns have at least two values: the others say nothing, or were not told."""
    low = np.nanmin(asked, axis=0, initial=np.inf)
    high = np.nanmax(asked, axis=0, initial=-np.inf)
    telling: BoolArray = low < high
    return telling


def _grown(asked: FloatArray, parts: FloatArray, quantile: float) -> _Model:
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise InputError(
            "trees need scikit-learn, which is not installed: pip install 'kwartier[learn]'"
        ) from error
    model: _Model = HistGradientBoostingRegressor(
        loss="quantile",
        quantile=quantile,
        max_iter=_ROUNDS,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=_LEAST_IN_LEAF,
        learning_rate=_STEP,
        early_stopping=False,
        random_state=0,
    )
    # On a busy machine threads that wait for each other cost more than they bring.
    with threadpool_limits(1):
        model.fit(asked, parts)
    return model
