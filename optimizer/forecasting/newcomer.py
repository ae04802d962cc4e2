"""What to expect of who has just joined: its own few days, and before those a usual shape.

One day of one's own already says more than any profile (measured on 324 homes: sixteen together
25 % off after a day, where the profile is 52 % off), so the profile only fills what no day has.
Its shape is our own and coarse, made in whole twentieths: a low night, a small morning, a high
evening, flatter at weekends and a third more in winter than in summer, as every profile of homes
in the Netherlands has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.forecast import DAY, Forecast, check_steps, forecast_of
from optimizer.forecasting.blend import fill, nothing
from optimizer.forecasting.days import Sky, days_of
from optimizer.forecasting.history import History, LocalQuarters, days_before
from optimizer.forecasting.names import Name
from optimizer.forecasting.sun_experts import slot_ratio
from optimizer.problem import FloatArray

_WORK_DAY = (
    0.60, 0.55, 0.50, 0.50, 0.50, 0.55, 0.70, 0.95, 1.00, 0.95, 0.90, 0.95,
    1.00, 0.95, 0.90, 0.95, 1.10, 1.50, 1.75, 1.70, 1.60, 1.50, 1.25, 0.85,
)  # fmt: skip
_WEEKEND = (
    0.65, 0.55, 0.50, 0.50, 0.50, 0.50, 0.55, 0.70, 0.95, 1.15, 1.20, 1.20,
    1.25, 1.20, 1.10, 1.10, 1.20, 1.50, 1.65, 1.60, 1.50, 1.40, 1.20, 0.90,
)  # fmt: skip
_WINTER_MORE = 0.14
_COLDEST_DAY = 15
_YEAR_DAYS = 365.25
_LEAST_SEEN = 16
"""Four hours of readings: the least that says how large a home is."""
_LOW, _HIGH = 0.4, 1.9


def usual_shape(clock: LocalQuarters) -> FloatArray:
    """Return power against a year's mean at each quarter, shape ``(N,)``; about 1 on average."""
    work, weekend = (_quarters(np.array(hours)) for hours in (_WORK_DAY, _WEEKEND))
    of_day = np.where(clock.weekday >= 5, weekend[clock.slot], work[clock.slot])
    # 1970 began on the first of January, so days count from there.
    season = 1 + _WINTER_MORE * np.cos(2 * np.pi * (clock.day - _COLDEST_DAY) / _YEAR_DAYS)
    shape: FloatArray = of_day * season
    return shape


@dataclass(frozen=True, slots=True)
class Newcomer:
    """The method for homes of which less than a week is known.

    Attributes:
        name: What it is called.
        yearly_kwh: What is used in a year, where somebody said so; None to go by readings only.
    """

    name: str = Name.FEW_DAYS
    yearly_kwh: float | None = None

    def forecast(self, history: History, steps: int) -> Forecast:
        """Return the same time on the days there are, and the usual shape at their level elsewhere.

        NaN with neither four hours of readings nor a year's use.

        Raises:
            InputError: The number of steps is out of range.
        """
        own = forecast_of(days_before(history, steps))
        mean_kw = self._mean_kw(history)
        if mean_kw is None or not np.isnan(own.likely).any():
            return own
        shaped = mean_kw * usual_shape(history.clock(steps))[history.kw.size :]
        lacking = np.isnan(own.likely)
        return Forecast(
            np.where(lacking, shaped, own.likely),
            np.where(lacking, _LOW * shaped, own.low),
            np.where(lacking, _HIGH * shaped, own.high),
            own.days,
        )

    def _mean_kw(self, history: History) -> float | None:
        """Return what a year's mean would be [kW]; None where nothing says so."""
        seen = ~np.isnan(history.kw)
        if seen.sum() >= _LEAST_SEEN:
            shape = usual_shape(history.clock())
            return max(0.0, float(history.kw[seen].sum() / shape[seen].sum()))
        return None if self.yearly_kwh is None else self.yearly_kwh / (24 * _YEAR_DAYS)


@dataclass(frozen=True, slots=True)
class YoungRoof:
    """The method for roofs of which less than a week is known: clear sky times what was seen.

    Attributes:
        sky: Sunlight without clouds.
        name: What it is called.
    """

    sky: Sky
    name: str = Name.YOUNG_ROOF

    def forecast(self, history: History, steps: int) -> Forecast:
        """Return clear sky times the ratio of the days seen; NaN before a first morning was seen.

        Raises:
            InputError: The number of steps is out of range.
        """
        check_steps(steps)
        light = self.sky(history.start_s, history.kw.size) > 0
        if (light & ~np.isnan(history.kw)).sum() < _LEAST_SEEN:
            return nothing(steps)
        days, clock = days_of(history, steps, self.sky), history.clock(steps)
        row, now = (clock.day - days.first)[history.kw.size :], history.kw.size
        likely = np.full(steps, np.nan)
        for place in range(int(row[0]), int(row[-1]) + 1):
            here = row == place
            slots = clock.slot[now:][here]
            # On the first day the morning itself is all there is to go by.
            likely[here] = slot_ratio(days, max(place, 1))[slots] if place else np.nan
            fill(days, place, slots, likely[here])
        return Forecast(likely, 0.3 * likely, 2.0 * likely, np.full(steps, float(row[0])))


def _quarters(hours: FloatArray) -> FloatArray:
    """Return quarters on straight lines between the middles of hours, around midnight too."""
    middles = np.arange(-1, 25) * 4 + 1.5
    around = np.concatenate([hours[-1:], hours, hours[:1]])
    quarters: FloatArray = np.interp(np.arange(DAY), middles, around)
    return quarters
