"""Limits spread over the steps: one number becomes one a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kwartier.errors import InputError
from optimizer.model.neighbourhood import FloatArray, Limit


def series_of(key: str, values: Sequence[float] | FloatArray, count: int) -> FloatArray:
    """Return one value a step, shape ``(T,)``.

    Raises:
        InputError: There are more or fewer values than steps.
    """
    series = np.array(values, dtype=np.float64)
    if series.shape != (count,):
        raise InputError(
            f"{key} has {series.size} values where buy_eur_per_kwh has {count}: give one a step"
        )
    return series


def limit_of(key: str, value: Limit, count: int) -> FloatArray:
    """Return a limit at each step, shape ``(T,)``.

    Raises:
        InputError: There are more or fewer values than steps.
    """
    if isinstance(value, (int, float)):
        return np.full(count, float(value))
    return series_of(key, value, count)


def bounded_limit(
    key: str, value: Limit, count: int, *, low: float, high: float, unit: str
) -> FloatArray:
    """Return a limit at each step whose numbers stay between two others, shape ``(T,)``.

    Raises:
        InputError: There are more or fewer values than steps, or one is out of range.
    """
    spread = limit_of(key, value, count)
    ok = (spread >= low) & (spread <= high)
    if not ok.all():
        step = int(np.argmin(ok))
        place = f"{key}[{step}]" if not isinstance(value, (int, float)) else key
        raise InputError(f"{place} is {spread[step]:g}: give {unit} from {low:g} to {high:g}")
    return spread


def bounded_number(key: str, value: float, *, low: float, high: float, unit: str) -> float:
    """Return a number that stays between two others.

    Raises:
        InputError: It does not.
    """
    if not low <= value <= high:
        raise InputError(f"{key} is {value:g}: give {unit} from {low:g} to {high:g}")
    return float(value)


def step_of(key: str, value: int, *, low: int, high: int) -> int:
    """Return the number of a step that stays between two others.

    Raises:
        InputError: It does not, or is not whole.
    """
    if isinstance(value, bool) or int(value) != value or not low <= value <= high:
        raise InputError(f"{key} is {value}: give the number of a step, {low} to {high}")
    return int(value)


def home_row(key: str, home: str, rows: Mapping[str, int]) -> int:
    """Return the row of a home.

    Raises:
        InputError: No home has that name.
    """
    if home not in rows:
        raise InputError(f"{key} is {home[:60]!r}: give the id of one of the homes")
    return rows[home]
