"""Random fleets: few to many batteries behind one connection, of every kind there is."""

from __future__ import annotations

import numpy as np

from optimizer.problem import Battery, Grid, Home, Problem, problem_of


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
