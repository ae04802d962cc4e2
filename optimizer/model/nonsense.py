"""Refuses planning problems whose numbers make no sense, and says which and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kwartier.errors import InputError

if TYPE_CHECKING:
    from optimizer.model.arrays import Problem
    from optimizer.model.neighbourhood import BoolArray, FloatArray

MAX_STEPS = 35_136
"""The longest horizon: a leap year of quarter-hours."""
MAX_BATTERY_STEPS = 4_000_000
"""The largest plan: batteries times steps."""
MIN_INTERVAL_H = 1e-6
"""The shortest step [h]: with less, energy over time is beyond what a computer counts."""
MAX_INTERVAL_H = 24.0
"""The longest step [h]."""
MAX_SIZE = 1e9
"""The largest power, energy or price that is taken for real."""


def refuse_nonsense(problem: Problem) -> None:
    """Refuse a problem whose numbers make no sense.

    Raises:
        InputError: The message names the key as it stands in JSON, the value and the remedy.
    """
    _check_size(problem)
    _check_homes(problem)
    _check_batteries(problem)
    _check_grid(problem)


def refuse_odd_steps(step_h: FloatArray) -> None:
    """Refuse steps that take no time, or too much.

    Raises:
        InputError: The message names the step, its length and the remedy.
    """
    odd = ~((step_h >= MIN_INTERVAL_H) & (step_h <= MAX_INTERVAL_H))
    if odd.any():
        step = int(np.argmax(odd))
        place = "interval_hours" if odd.all() else f"interval_hours[{step}]"
        raise InputError(
            f"{place} is {step_h[step]:g}: give the length of a step in hours, "
            f"{MIN_INTERVAL_H:g} to {MAX_INTERVAL_H:g}, such as 0.25"
        )


def _check_size(problem: Problem) -> None:
    if not 1 <= problem.steps <= MAX_STEPS:
        raise InputError(
            f"buy_eur_per_kwh has {problem.steps} values: give one a step, 1 to {MAX_STEPS}"
        )
    size = problem.steps * max(len(problem.battery_ids), len(problem.home_ids))
    if size > MAX_BATTERY_STEPS:
        raise InputError(
            f"{len(problem.battery_ids)} batteries and {len(problem.home_ids)} homes over "
            f"{problem.steps} steps are too many: at most {MAX_BATTERY_STEPS} of either times "
            "steps; split the neighbourhood or shorten the horizon"
        )
    refuse_twice("homes", problem.home_ids)
    if len(set(problem.battery_ids)) < len(problem.battery_ids):
        for kind in set(problem.store_kinds):
            ids = zip(problem.store_kinds, problem.battery_ids, strict=True)
            refuse_twice(kind, tuple(name for of_kind, name in ids if of_kind is kind))
    for key in ("buy_eur_per_kwh", "sell_eur_per_kwh"):
        prices: FloatArray = getattr(problem, key)
        _refuse_unless(
            np.abs(prices) <= MAX_SIZE,
            prices,
            key,
            f"give a price of {-MAX_SIZE:g} to {MAX_SIZE:g}",
        )


def refuse_twice(kind: str, ids: tuple[str, ...]) -> None:
    """Refuse two parts of one kind with one name.

    Raises:
        InputError: The message names both.
    """
    if len(set(ids)) < len(ids):
        twice = next(one for one in ids if ids.count(one) > 1)
        raise InputError(f"{kind} has the id {twice!r} twice: give each its own id")


def _check_homes(problem: Problem) -> None:
    for row, home in enumerate(problem.home_ids):
        for key, remedy in (
            ("load_kw", f"give kW of 0 to {MAX_SIZE:g}; production belongs in pv_kw"),
            ("pv_kw", f"give kW of 0 to {MAX_SIZE:g}; use belongs in load_kw"),
        ):
            values: FloatArray = getattr(problem, key)[row]
            ok = (values >= 0) & (values <= MAX_SIZE)
            _refuse_unless(ok, values, f"homes.{home}.{key}", remedy)


def _check_batteries(problem: Problem) -> None:
    for key in ("soc_min_kwh", "soc_max_kwh", "charge_max_kw", "discharge_max_kw", "soc_start_kwh"):
        _check_each(problem, key, low=0.0, remedy=f"give 0 to {MAX_SIZE:g}")
    _check_each(problem, "wear_eur_per_kwh", low=0.0, remedy=f"give a price of 0 to {MAX_SIZE:g}")
    _check_each(problem, "reserve_kwh", low=0.0, remedy=f"give 0 to {MAX_SIZE:g}")
    _check_each(
        problem,
        "end_value_eur_per_kwh",
        low=-MAX_SIZE,
        remedy=f"give a price of {-MAX_SIZE:g} to {MAX_SIZE:g}",
    )
    for key in ("charge_efficiency", "discharge_efficiency"):
        values: FloatArray = getattr(problem, key)
        for row, battery in enumerate(problem.battery_ids):
            ok = (values[row : row + 1] >= 1e-6) & (values[row : row + 1] <= 1)
            remedy = "give a fraction above 0 and at most 1, such as 0.96"
            name = f"{problem.store_kinds[row]}.{battery}.{key}"
            _refuse_unless(ok, values[row : row + 1], name, remedy)
    price = problem.reserve_price_eur
    ok = np.isnan(price) | ((price >= 0) & (price <= MAX_SIZE))
    if not ok.all():
        row = int(np.argmin(ok))
        raise InputError(
            f"batteries.{problem.battery_ids[row]}.reserve_price_eur_per_kwh is {price[row]:g}: "
            f"give a price of 0 to {MAX_SIZE:g}, or leave it out"
        )
    for row, battery in enumerate(problem.battery_ids):
        end = problem.soc_end_kwh[row]
        if not (np.isnan(end) or 0 <= end <= MAX_SIZE):
            raise InputError(
                f"batteries.{battery}.soc_end_kwh is {end:g}: give 0 to {MAX_SIZE:g}, "
                "or leave it out for a free end"
            )


def _check_each(problem: Problem, key: str, *, low: float, remedy: str) -> None:
    values: FloatArray = getattr(problem, key)
    ok = (values >= low) & (values <= MAX_SIZE)
    if ok.all():
        return
    row = int(np.argmin(ok.reshape(len(problem.battery_ids), -1).all(axis=1)))
    name = f"{problem.store_kinds[row]}.{problem.battery_ids[row]}.{key}"
    _refuse_unless(np.atleast_1d(ok[row]), np.atleast_1d(values[row]), name, remedy)


def _check_grid(problem: Problem) -> None:
    for key in ("import_limit_kw", "export_limit_kw"):
        limits: FloatArray = getattr(problem, key)
        ok = (limits >= 0) & ((limits <= MAX_SIZE) | np.isposinf(limits))
        remedy = f"give kW of 0 to {MAX_SIZE:g}, or leave it out for no limit"
        _refuse_unless(ok, limits, f"grid.{key}", remedy)
    if not 0 <= problem.peak_so_far_kw <= MAX_SIZE:
        raise InputError(
            f"grid.peak_so_far_kw is {problem.peak_so_far_kw:g}: give kW of 0 to {MAX_SIZE:g}"
        )
    if not 0 <= problem.peak_price_eur_per_kw <= MAX_SIZE:
        raise InputError(
            f"grid.peak_price_eur_per_kw is {problem.peak_price_eur_per_kw:g}: give a price "
            f"of 0 to {MAX_SIZE:g}"
        )


def _refuse_unless(ok: BoolArray, values: FloatArray, key: str, remedy: str) -> None:
    if not ok.all():
        step = int(np.argmin(ok))
        place = f"{key}[{step}]" if ok.size > 1 else key
        raise InputError(f"{place} is {values[step]:g}: {remedy}")
