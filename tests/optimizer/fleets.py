"""Random fleets: few to many batteries behind one connection, of every kind there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.problem import Battery, Grid, HeatPump, Home, Problem, Session, problem_of


def fleet(seed: int, *, most_steps: int = 12, most_batteries: int = 9) -> Problem:
    """Return a problem that can be met: every battery may stay as it is."""
    chance = np.random.default_rng(seed)
    steps = int(chance.integers(1, most_steps + 1))
    lowest = -0.1 if chance.random() < 0.3 else 0.02
    buy = chance.uniform(lowest, 0.5, steps)
    sell = buy - (chance.random() < 0.8) * chance.uniform(0, 0.2, steps)
    homes = [
        Home(
            f"h{number}",
            chance.uniform(0, 3, steps),
            chance.uniform(0, 6, steps) * (chance.random(steps) < 0.6),
            pv_curtailable=bool(chance.random() < 0.5),
        )
        for number in range(int(chance.integers(0, 4)))
    ]
    count = int(chance.integers(1, most_batteries + 1))
    batteries = [_battery(chance, f"b{number}") for number in range(count)]
    most_import, most_export = chance.choice([np.inf, 20.0], 2)
    grid = Grid(float(most_import), float(most_export), float(chance.choice([0.0, 0.35, 2.0])))
    return problem_of(0.25, buy, sell, homes, batteries, grid)


def _battery(chance: np.random.Generator, name: str) -> Battery:
    low = chance.uniform(0, 2)
    high = low + chance.choice([0.0, 1.0, 5.0, 10.0], p=[0.05, 0.15, 0.4, 0.4]) * chance.random()
    start = float(chance.uniform(low, high))
    charge, discharge = chance.choice([0.0, 2.0, 4.0], 2) * chance.random(2)
    return Battery(
        id=name,
        soc_min_kwh=float(low),
        soc_max_kwh=float(high),
        soc_start_kwh=start,
        charge_max_kw=float(charge),
        discharge_max_kw=float(discharge),
        charge_efficiency=float(chance.choice([1.0, 0.95, 0.8])),
        discharge_efficiency=float(chance.choice([1.0, 0.95, 0.8])),
        soc_end_kwh=None if chance.random() < 0.4 else start,
        end_value_eur_per_kwh=float(chance.choice([0.0, 0.2])),
        wear_eur_per_kwh=float(chance.choice([0.0, 0.01])),
    )


def mixed(seed: int, *, most_steps: int = 12, most_stores: int = 6) -> Problem:
    """Return batteries, cars and warm houses over steps of unequal length, with a peak so far."""
    chance = np.random.default_rng(seed)
    steps = int(chance.integers(2, most_steps + 1))
    step_h = chance.choice([0.25, 1.0], steps) if chance.random() < 0.5 else np.full(steps, 0.25)
    buy = chance.uniform(0.02, 0.5, steps)
    homes = [Home("h", chance.uniform(0, 9, steps), chance.uniform(0, 12, steps), True)]
    batteries = [
        replace(
            _battery(chance, f"b{number}"),
            retention_per_hour=float(chance.choice([1.0, 0.99, 0.9])),
            soc_min_kwh=0.0,
            soc_end_kwh=None,
            end_value_eur_per_kwh=0.1,
        )
        for number in range(int(chance.integers(1, most_stores + 1)))
    ]
    cars = [_car(chance, f"c{number}", steps) for number in range(int(chance.integers(0, 4)))]
    houses = [_house(chance, f"w{number}") for number in range(int(chance.integers(0, 4)))]
    peak_price, so_far = chance.choice([0.0, 0.35]), chance.choice([0.0, 3.0, 20.0])
    grid = Grid(60.0, 60.0, float(peak_price), peak_so_far_kw=float(so_far))
    sell = buy - 0.1
    return problem_of(step_h, buy, sell, homes, batteries, grid, sessions=cars, heat_pumps=houses)


def _car(chance: np.random.Generator, name: str, steps: int) -> Session:
    arrival = int(chance.integers(0, steps))
    departure = int(chance.integers(arrival + 1, steps + 1))
    gives_back = bool(chance.random() < 0.5)
    return Session(
        id=name,
        arrival=arrival,
        departure=departure,
        energy_kwh=float(5.0 + chance.uniform(0, 0.2) * (departure - arrival)),
        charge_max_kw=float(chance.uniform(2, 11)),
        charge_efficiency=0.9,
        discharge_max_kw=5.0 if gives_back else 0.0,
        discharge_efficiency=0.9,
        capacity_kwh=40.0,
        start_kwh=5.0,
    )


def _house(chance: np.random.Generator, name: str) -> HeatPump:
    return HeatPump(
        id=name,
        power_max_kw=float(chance.uniform(2, 4)),
        cop=float(chance.uniform(2.5, 4)),
        capacity_kwh_per_k=float(chance.uniform(3, 8)),
        loss_kw_per_k=float(chance.uniform(0.05, 0.2)),
        outside_c=float(chance.uniform(-5, 10)),
        start_c=20.0,
        min_c=18.0,
        max_c=22.0,
        demand_kw=float(chance.choice([0.0, 0.3])),
    )
