"""What the street used and made in the last quarters, as far as it is known; never shown."""

from __future__ import annotations

import numpy as np

from collectors.queries import Records
from kwartier.interval import QUARTER_S
from kwartier.units import EpochS
from optimizer.problem import FloatArray

ENOUGH = 0.8
"""A quarter counts when so many of the homes are known in it, scaled up to all of them."""


def measured_kw(records: Records, start_s: EpochS, end_s: EpochS) -> tuple[FloatArray, FloatArray]:
    """Return use and solar power of all homes together in some quarters, shape ``(T,)`` each [kW].

    NaN where too few homes are known.

    Raises:
        StoreBusyError: The record cannot be read now.
    """
    period = records.period(start_s, end_s)
    count = (end_s - start_s) // QUARTER_S
    use, made = np.full(count, np.nan), np.full(count, np.nan)
    for place in range(count):
        at_s = start_s + place * QUARTER_S
        heard = [quarters[at_s] for quarters in period.homes.values() if at_s in quarters]
        known = [quarter for quarter in heard if quarter.is_use_known]
        if known and len(known) >= ENOUGH * len(period.homes):
            scale = len(period.homes) / len(known) * 4 / 1000
            use[place] = sum(home.use_wh for home in known) * scale
            made[place] = sum(home.solar_wh for home in known) * scale
    return use, made
