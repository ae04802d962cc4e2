"""The peak that a month will have anyway: what the last weeks say it is worth keeping under.

A plan looks a day and a half ahead, a peak is paid by the month. Whoever sees only the days ahead
pays to stay low on the first of the month, for a peak that a later day will pass whatever is done.
So the month is begun from a level: the one that would have been cheapest to keep to over the last
weeks. Lower than that, batteries would have to hold so much back for the worst day that it costs
more than the lower peak saves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from optimizer.forecast import DAY
from optimizer.problem import Battery, FloatArray

DAYS = 28
"""So many days back are looked at."""
LEAST_DAYS = 5
"""With fewer days on record nothing is said."""
_QUARTER_H = 0.25
_LEVELS = 40
_MONTH_DAYS = 30
_TURN = 12
"""Quarters in which a battery is filled, and those in which it is emptied: three hours of each."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Batteries taken as one.

    Attributes:
        usable_kwh: What is stored between empty and full [kWh].
        charge_kw: The most they take [kW].
        discharge_kw: The most they give [kW].
        charge_efficiency: Stored over taken in.
        discharge_efficiency: Given over taken from store.
        wear_eur_per_kwh: What giving a kWh costs.
    """

    usable_kwh: float
    charge_kw: float
    discharge_kw: float
    charge_efficiency: float
    discharge_efficiency: float
    wear_eur_per_kwh: float


def storage_of(batteries: Sequence[Battery]) -> Storage | None:
    """Return batteries taken as one; None where they store nothing."""
    sizes = np.array([_usable_kwh(one) for one in batteries])
    usable = float(sizes.sum())
    if usable <= 0:
        return None
    part = sizes / usable

    def mean(values: list[float]) -> float:
        return float(part @ np.array(values))

    return Storage(
        usable,
        sum(float(np.min(one.charge_max_kw)) for one in batteries),
        sum(float(np.min(one.discharge_max_kw)) for one in batteries),
        mean([one.charge_efficiency for one in batteries]),
        mean([one.discharge_efficiency for one in batteries]),
        mean([one.wear_eur_per_kwh for one in batteries]),
    )


def level_kw(
    residual_kw: FloatArray,
    storage: Storage,
    peak_price_eur_per_kw: float,
    room_eur_per_kwh: float,
) -> float:
    """Return the peak that would have been cheapest to keep to; 0 where too little is known.

    Over the quarters gone by, ``price * level + room * held(level)`` is least. What has to be held
    for a level is what the worst stretch above it takes from full batteries that charge below it.

    Args:
        residual_kw: Use less sun, quarter after quarter, shape ``(N,)``; NaN where not known.
        storage: The batteries.
        peak_price_eur_per_kw: What a kW of a month's peak costs.
        room_eur_per_kwh: What a kWh of store earns a month when it need not hold anything.
    """
    known = residual_kw[~np.isnan(residual_kw)]
    if known.size < LEAST_DAYS * DAY:
        return 0.0
    most = max(float(known.max()), 0.0)
    levels = np.linspace(max(float(np.median(known)), 0.0), most, _LEVELS)
    over = known[:, None] - levels
    held = _held_kwh(over, storage)
    possible = (held <= storage.usable_kwh) & (over.max(axis=0) <= storage.discharge_kw)
    cost = peak_price_eur_per_kw * levels + room_eur_per_kwh * held
    # The last level is the highest quarter itself, for which nothing need be held.
    return float(levels[np.argmin(np.where(possible, cost, np.inf))])


def room_eur_per_kwh(buy_eur_per_kwh: FloatArray, storage: Storage) -> float:
    """Return what a kWh of store earns a day by buying cheap and using dear, at least nothing.

    Args:
        buy_eur_per_kwh: A day of prices, shape ``(T,)``.
        storage: The batteries.
    """
    ordered = np.sort(buy_eur_per_kwh)
    turn = min(_TURN, ordered.size)
    dear, cheap = float(ordered[-turn:].mean()), float(ordered[:turn].mean())
    given = dear - storage.wear_eur_per_kwh
    return max(0.0, given * storage.discharge_efficiency - cheap / storage.charge_efficiency)


@dataclass(slots=True, eq=False)
class PeakLevel:
    """The level of a neighbourhood, reckoned anew once a day; for one thread."""

    _day: int | None = field(default=None, init=False)
    _storage: Storage | None = field(default=None, init=False)
    _level_kw: float = field(default=0.0, init=False)
    _rooms: deque[float] = field(default_factory=lambda: deque(maxlen=DAYS), init=False)

    def on(
        self,
        day: int,
        storage: Storage | None,
        peak_price_eur_per_kw: float,
        buy_eur_per_kwh: FloatArray,
        residual_kw: Callable[[], FloatArray],
    ) -> float:
        """Return the level of a day [kW]; 0 without batteries or with too little known.

        Args:
            day: Which, counted on.
            storage: The batteries; other ones than before are reckoned with at once.
            peak_price_eur_per_kw: What a kW of a month's peak costs.
            buy_eur_per_kwh: Prices from now on, at least of a day where known.
            residual_kw: Reads the last :data:`DAYS` days; asked when a level is reckoned.
        """
        if storage is None:
            return 0.0
        if day == self._day and storage == self._storage:
            return self._level_kw
        if day != self._day:
            self._rooms.append(room_eur_per_kwh(buy_eur_per_kwh[:DAY], storage))
        self._day, self._storage = day, storage
        room = _MONTH_DAYS * float(np.mean(self._rooms))
        self._level_kw = level_kw(residual_kw(), storage, peak_price_eur_per_kw, room)
        return self._level_kw


def _usable_kwh(battery: Battery) -> float:
    low = np.maximum(battery.soc_min_kwh, battery.reserve_kwh)
    return max(0.0, float(np.min(np.asarray(battery.soc_max_kwh) - low)))


def _held_kwh(over_kw: FloatArray, storage: Storage) -> FloatArray:
    """Return what had to be in store to keep to each level, ``(N, levels)`` to ``(levels,)``."""
    given = np.minimum(over_kw, storage.discharge_kw) / storage.discharge_efficiency
    taken = np.minimum(-over_kw, storage.charge_kw) * storage.charge_efficiency
    change = _QUARTER_H * np.where(over_kw > 0, given, -taken)
    held = most = np.zeros(change.shape[1])
    # From the end: before a quarter so much must be held as after it, and what it takes itself.
    for step in change[::-1]:
        held = np.maximum(held + step, 0.0)
        most = np.maximum(most, held)
    return most
