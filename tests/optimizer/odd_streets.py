"""Streets nobody would build: what a planner is handed when a sensor lies or a form is mistyped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optimizer.problem import Battery, Grid, HeatPump, Home, Limit, Session
from tests.optimizer.streets import Street, street


def odd_street(seed: int) -> Street:
    """Return the street of a seed with several things wrong; every number is still allowed."""
    chance = np.random.default_rng([seed, 7])
    found = street(int(chance.integers(0, 1_000_000)), plain=bool(chance.random() < 0.4))
    found = replace(
        found,
        batteries=[_odd_battery(chance, one) for one in found.batteries],
        sessions=[_odd_session(chance, one, found.steps) for one in found.sessions],
        heat_pumps=[_odd_heat_pump(chance, one) for one in found.heat_pumps],
        homes=[_odd_home(chance, one) for one in found.homes],
        grid=_odd_grid(chance, found.grid),
    )
    if chance.random() < 0.3:
        found = replace(
            found,
            buy=_odd_prices(chance, found.buy),
            sell=_odd_prices(chance, found.sell),
        )
    return found


def _often(chance: np.random.Generator, part: float = 0.3) -> bool:
    return bool(chance.random() < part)


def _size(chance: np.random.Generator) -> float:
    """Return a number of any size a key allows, zero often."""
    exponent = float(chance.choice([-9, -6, -3, 0, 1, 2, 3, 5, 6]))
    factor = float(chance.choice([0.0, 1.0])) * float(chance.uniform(1.0, 9.0))
    return factor * float(10.0**exponent)


def _odd_prices(chance: np.random.Generator, prices: Sequence[float]) -> list[float]:
    values = [float(price) for price in prices]
    kind = int(chance.integers(0, 4))
    if kind == 0:
        size = _size(chance)
        return [value * size for value in values]
    if kind == 1:
        return [0.0] * len(values)
    if kind == 2:
        return [-abs(value) - 1.0 for value in values]
    values[int(chance.integers(0, len(values)))] = float(chance.choice([-4.0, 4.0, 1000.0]))
    return values


def _odd_battery(chance: np.random.Generator, one: Battery) -> Battery:
    if _often(chance):
        one = replace(one, soc_start_kwh=_size(chance))
    if _often(chance):
        one = replace(one, soc_end_kwh=_size(chance))
    if _often(chance, 0.2):
        one = replace(one, charge_max_kw=_size(chance), discharge_max_kw=_size(chance))
    if _often(chance, 0.1):
        low = _size(chance)
        one = replace(one, soc_min_kwh=low, soc_max_kwh=low + _size(chance))
    if _often(chance, 0.1):
        one = replace(one, charge_efficiency=1e-3, discharge_efficiency=1e-3)
    if _often(chance, 0.1):
        one = replace(one, retention_per_hour=float(chance.choice([1e-6, 0.5, 1.0])))
    if _often(chance, 0.2):
        one = replace(one, reserve_kwh=_size(chance), reserve_price_eur_per_kwh=None)
    return one


def _odd_session(chance: np.random.Generator, one: Session, steps: int) -> Session:
    if _often(chance):
        one = replace(one, energy_kwh=_size(chance), capacity_kwh=None)
    if _often(chance):
        one = replace(one, arrival=0, departure=int(chance.choice([1, steps])))
    if _often(chance):
        one = replace(one, charge_max_kw=_size(chance))
    if _often(chance):
        one = replace(one, minimum_kwh=_size(chance), capacity_kwh=None)
    return replace(one, charge_min_kw=_size(chance)) if _often(chance) else one


def _odd_heat_pump(chance: np.random.Generator, one: HeatPump) -> HeatPump:
    if _often(chance):
        one = replace(one, start_c=float(chance.choice([-20.0, 5.0, 19.0, 60.0])))
    if _often(chance):
        one = replace(one, power_max_kw=_size(chance))
    if _often(chance):
        one = replace(one, capacity_kwh_per_k=10.0 ** float(chance.choice([-3, 0, 3])))
    if _often(chance):
        one = replace(one, loss_kw_per_k=10.0 ** float(chance.choice([-3, 0, 2])))
    return replace(one, demand_kw=_size(chance)) if _often(chance) else one


def _odd_home(chance: np.random.Generator, one: Home) -> Home:
    if _often(chance, 0.2):
        values = np.asarray(one.load_kw, dtype=np.float64) * _size(chance)
        one = replace(one, load_kw=values.tolist())
    if _often(chance, 0.2):
        one = replace(one, import_limit_kw=_size(chance), export_limit_kw=_size(chance))
    return one


def _odd_grid(chance: np.random.Generator, one: Grid) -> Grid:
    def limit(now: Limit) -> Limit:
        return _size(chance) if _often(chance) else now

    price = _size(chance) if _often(chance, 0.1) else one.peak_price_eur_per_kw
    return Grid(limit(one.import_limit_kw), limit(one.export_limit_kw), price, one.peak_so_far_kw)
