"""A method that does not look at today made to follow it: yesterday, and what is usual."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.forecast import Forecast
from optimizer.forecasting.days import LONGEST_DAY
from optimizer.forecasting.history import History, Method
from optimizer.forecasting.soon import followed
from optimizer.nowcast import Follow


@dataclass(frozen=True, slots=True)
class Follower:
    """A method whose rest of today follows what was measured of it.

    Attributes:
        of: Who forecasts.
        follow: How the rest of today follows.
    """

    of: Method
    follow: Follow

    @property
    def name(self) -> str:
        """The name of the method that is made to follow."""
        return self.of.name

    def following(self, follow: Follow) -> Follower:
        """Return the same method following the day otherwise."""
        return replace(self, follow=follow)

    def forecast(self, history: History, steps: int) -> Forecast:
        """Return what the method says, the rest of today moved to where it is now.

        Raises:
            InputError: The number of steps is out of range.
        """
        told, now = self.of.forecast(history, steps), history.kw.size
        day = history.clock(LONGEST_DAY).day
        midnight, end = (int(np.searchsorted(day, day[now] + later)) for later in (0, 1))
        if midnight == now:
            return told
        said = self.of.forecast(history.until(midnight), end - midnight)
        moved, count = followed(
            np.array([said.likely, said.low, said.high]), history.kw[midnight:], self.follow
        )
        here = min(count, steps)
        if not here:
            return told
        least = np.where(said.low >= 0, 0.0, -np.inf)
        rows = np.array([told.likely, told.low, told.high])
        rows[:, :here] = np.maximum(moved, least)[:, now - midnight :][:, :here]
        return Forecast(rows[0], rows[1], rows[2], told.days, here)
