"""A street put together of recorded households: what they used and made, a local day a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from api.replay.meters import Measured, MeterHistory
from kwartier.errors import InputError
from kwartier.interval import HOME_ZONE, QUARTER_S, Quarter, day_of, local_day
from kwartier.units import EpochS
from optimizer.forecast import DAY, WINDOW_DAYS
from optimizer.moment_backtest import LEAST_HISTORY, StreetDays
from optimizer.problem import FloatArray


def whole_days(measured: Measured) -> tuple[date, date]:
    """Return the first and the last local day that is whole on record.

    Raises:
        InputError: There is none.
    """
    begun = day_of(measured.start_s)
    begun += timedelta(days=int(local_day(begun)[0] < measured.start_s))
    ended = day_of(measured.end_s) - timedelta(days=1)
    if ended < begun:
        raise InputError("there is no whole day on record: give meters from midnight to midnight")
    return begun, ended


def judged_days(measured: Measured, first: date | None, last: date | None) -> StreetDays:
    """Return the days that are to be judged, with the four weeks before them where there are any.

    Args:
        measured: What was recorded.
        first: The first day to judge; the first that has enough before it when None.
        last: The last day to judge; the last whole one when None.

    Raises:
        InputError: The days lie outside the record, or in the wrong order.
    """
    begun, ended = whole_days(measured)
    wanted = (first or begun + timedelta(days=LEAST_HISTORY), last or ended)
    if not begun <= wanted[0] <= wanted[1] <= ended:
        raise InputError(
            f"from {wanted[0]} to {wanted[1]}: the whole days on record are {begun} to {ended}, "
            f"and {LEAST_HISTORY} of them must lie before the first"
        )
    from_day = max(begun, wanted[0] - timedelta(days=WINDOW_DAYS))
    return replace(street_days(measured, from_day, wanted[1]), first=(wanted[0] - from_day).days)


def street_days(measured: Measured, first: date, last: date) -> StreetDays:
    """Return the days of a street of all recorded households.

    A quarter counts when every household that has begun and not ended is known in it. On the day
    the clock goes forward one hour is missing, and on the day it goes back the second one of the
    two is taken, so that a column is always the same time of day.

    Args:
        measured: What was recorded.
        first: The first local day.
        last: The last one.
    """
    start_s, end_s = local_day(first)[0], local_day(last)[1]
    use, made = powers(measured.meters.values(), start_s, end_s)
    days = [first + timedelta(days=place) for place in range((last - first).days + 1)]
    use_kw, solar_kw = np.full((2, len(days), DAY), np.nan)
    for row, day in enumerate(days):
        from_s, until_s = local_day(day)
        for at_s in range(from_s, until_s, QUARTER_S):
            local = Quarter(at_s).start.astimezone(HOME_ZONE)
            column = local.hour * 4 + local.minute // 15
            place = (at_s - start_s) // QUARTER_S
            use_kw[row, column], solar_kw[row, column] = use[place], made[place]
    return StreetDays(tuple(local_day(day)[0] for day in days), use_kw, solar_kw)


def powers(
    meters: Iterable[MeterHistory], start_s: EpochS, end_s: EpochS
) -> tuple[FloatArray, FloatArray]:
    """Return the use and solar power of all households together, shape ``(T,)`` each [kW]."""
    count = (end_s - start_s) // QUARTER_S
    use, made = np.zeros(count), np.zeros(count)
    missing, there = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    for meter in meters:
        places = (meter.starts_s - start_s) // QUARTER_S
        inside = (places >= 0) & (places < count)
        taken, given = _energies(meter.import_wh), _energies(meter.export_wh)
        sun = given if meter.produced_wh is None else _energies(meter.produced_wh)
        at = places[inside]
        use[at] += np.maximum(0, taken + sun - given)[inside] * 4 / 1000
        made[at] += sun[inside] * 4 / 1000
        begun = (meter.start_s - start_s) // QUARTER_S
        whole = np.zeros(count, dtype=np.bool_)
        whole[max(0, begun) : max(0, int(places[-1]) + 1)] = True
        there |= whole
        known = np.zeros(count, dtype=np.bool_)
        known[at] = True
        missing |= whole & ~known
    use[missing | ~there] = made[missing | ~there] = np.nan
    return use, made


def _energies(register_wh: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.diff(register_wh, prepend=0)
