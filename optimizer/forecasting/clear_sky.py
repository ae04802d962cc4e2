"""The one door to pvlib: how much sunlight a place would have without clouds.

pvlib brings pandas along, a second and 90 MB, so it is only loaded when a sun is asked for.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from kwartier.errors import InputError
from kwartier.interval import QUARTER_S
from optimizer.problem import FloatArray

_DAY_S = 86_400
_REMEMBERED_DAYS = 1200


@dataclass(frozen=True, slots=True)
class ClearSky:
    """Sunlight without clouds on the flat ground of one place; remembers days it reckoned.

    Any thread may ask.

    A town is near enough: half a degree moves the sun by two minutes. What a roof makes of it is
    learned by those who ask, so neither slope nor shade is needed.

    Attributes:
        latitude: North of the equator [°].
        longitude: East of Greenwich [°].
    """

    latitude: float = 52.1
    longitude: float = 5.2
    _days: dict[int, FloatArray] = field(default_factory=dict, compare=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise InputError(
                f"{self.latitude}, {self.longitude} is no place on earth: give degrees north from "
                "-90 to 90 and degrees east from -180 to 180"
            )

    def __call__(self, start_s: int, count: int) -> FloatArray:
        """Return the sunlight of quarters from ``start_s`` on, shape ``(count,)`` [W/m²].

        Source:
            Haurwitz's clear sky (1945) at the middle of each quarter, by pvlib.
        """
        first, last = start_s // _DAY_S, (start_s + QUARTER_S * max(count, 1) - 1) // _DAY_S
        wanted = range(first, last + 1)
        with self._lock:
            self._reckon([day for day in wanted if day not in self._days])
            whole = np.concatenate([self._days[day] for day in wanted])
            while len(self._days) > _REMEMBERED_DAYS:
                del self._days[min(self._days)]
        skipped = (start_s - first * _DAY_S) // QUARTER_S
        return whole[skipped : skipped + count]

    def _reckon(self, days: list[int]) -> None:
        if not days:
            return
        import pandas
        from pvlib import clearsky, solarposition

        slots = QUARTER_S * np.arange(_DAY_S // QUARTER_S) + QUARTER_S // 2
        middles_s = (np.array(days)[:, None] * _DAY_S + slots).ravel()
        middles = pandas.to_datetime(middles_s, unit="s", utc=True)
        sun = solarposition.get_solarposition(middles, self.latitude, self.longitude)
        light = clearsky.haurwitz(sun["apparent_zenith"])["ghi"]
        rows = np.asarray(light, dtype=np.float64).reshape(len(days), -1)
        self._days.update(zip(days, rows, strict=True))
