"""Random neighbourhoods of every shape there is, as the JSON of ``kwartier plan``, by a seed.

One seed is one problem. Most can be met within their limits, some cannot; small enough that a plain
reference with every whole number finds the best plan in a moment.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import numpy as np

from kwartier.wire import Json
from optimizer.as_json.problem_json import problem_from_json
from optimizer.problem import Problem

Document: TypeAlias = dict[str, Json]


class Shape(StrEnum):
    """What a neighbourhood has beside homes and batteries."""

    BATTERIES = "batteries"
    CARS = "cars"
    HEAT = "heat"
    MACHINES = "machines"
    FUSES = "fuses"
    GROUPS = "groups"
    SHARING = "sharing"
    ALL = "all"


def problem(seed: int, shape: Shape | None = None) -> Problem:
    """Return a random problem as arrays."""
    return problem_from_json(document(seed, shape))


def document(seed: int, shape: Shape | None = None) -> Document:
    """Return a random problem as JSON.

    Args:
        seed: The same seed gives the same problem.
        shape: What is in it; None lets the seed choose.
    """
    chance = np.random.default_rng(seed)
    chosen = list(Shape)[seed % len(Shape)] if shape is None else shape
    steps = int(chance.integers(1, 9))
    homes = int(chance.integers(0 if chosen in {Shape.BATTERIES, Shape.HEAT} else 1, 4))
    lowest = -0.1 if chance.random() < 0.3 else 0.02
    buy = chance.uniform(lowest, 0.5, steps)
    spread = -0.05 if chance.random() < 0.1 else 0.0
    sell = buy - chance.uniform(spread, 0.2, steps)
    names = [f"h{number}" for number in range(homes)]
    asked: Document = {
        "interval_hours": _intervals(chance, steps),
        "buy_eur_per_kwh": _rounded(buy),
        "sell_eur_per_kwh": _rounded(sell),
        "homes": [_home(chance, name, steps, fuse=chosen in _FUSED) for name in names],
        "batteries": [
            _battery(chance, f"b{number}", steps, names)
            for number in range(int(chance.integers(0, 3)))
        ],
        "grid": _grid(chance),
        "exclusive": bool(chance.random() < 0.4),
    }
    if chosen in {Shape.CARS, Shape.ALL, Shape.SHARING}:
        asked["sessions"] = [
            _car(chance, f"c{number}", steps, names) for number in range(int(chance.integers(1, 3)))
        ]
    if chosen in {Shape.HEAT, Shape.ALL}:
        asked["heat_pumps"] = [_heat_pump(chance, "p0", steps, names)]
    if chosen in {Shape.MACHINES, Shape.ALL, Shape.GROUPS}:
        asked["runs"] = [
            _run(chance, f"m{number}", steps, names) for number in range(int(chance.integers(1, 3)))
        ]
    if chosen in {Shape.GROUPS, Shape.ALL}:
        asked["groups"] = [_group(chance, names, asked)]
    if chosen in {Shape.GROUPS, Shape.FUSES, Shape.ALL} and chance.random() < 0.6:
        asked["calls"] = [_call(chance, steps, grouped="groups" in asked)]
    if chosen in {Shape.SHARING, Shape.ALL}:
        asked["sharing"] = {
            "levy_eur_per_kwh": float(chance.choice([0.0, 0.03, 0.15])),
            "price_eur_per_kwh": float(chance.choice([0.0, 0.12])),
        }
    return asked


_FUSED = {Shape.FUSES, Shape.ALL}


def _intervals(chance: np.random.Generator, steps: int) -> Json:
    if chance.random() < 0.6:
        return float(chance.choice([0.25, 1.0]))
    return [float(one) for one in np.sort(chance.choice([0.25, 0.5, 1.0], steps))]


def _rounded(values: np.typing.NDArray[np.float64]) -> list[Json]:
    return [round(float(value), 3) for value in values]


def _number(chance: np.random.Generator, low: float, high: float) -> float:
    return round(float(chance.uniform(low, high)), 3)


def _where(chance: np.random.Generator, homes: list[str]) -> Document:
    if not homes or chance.random() < 0.3:
        return {}
    return {"home": str(chance.choice(homes))}


def _home(chance: np.random.Generator, name: str, steps: int, *, fuse: bool) -> Json:
    home: Document = {
        "id": name,
        "load_kw": _rounded(chance.uniform(0, 3, steps)),
        "pv_kw": _rounded(chance.uniform(0, 6, steps) * (chance.random(steps) < 0.6)),
        "pv_curtailable": bool(chance.random() < 0.5),
    }
    if fuse and chance.random() < 0.7:
        home["import_limit_kw"] = _number(chance, 2, 8)
    if fuse and chance.random() < 0.5:
        home["export_limit_kw"] = _rounded(chance.uniform(1, 6, steps))
    return home


def _battery(chance: np.random.Generator, name: str, steps: int, homes: list[str]) -> Json:
    low = _number(chance, 0, 2)
    high = round(low + float(chance.choice([0.5, 5.0, 10.0])), 3)
    start = _number(chance, low, high) if chance.random() < 0.9 else _number(chance, 0, 14)
    battery: Document = {
        "id": name,
        "soc_min_kwh": low,
        "soc_max_kwh": high,
        "soc_start_kwh": start,
        "charge_max_kw": float(chance.choice([2.0, 4.0])),
        "discharge_max_kw": _rounded(chance.choice([0.0, 2.0, 4.0], steps)),
        "charge_efficiency": float(chance.choice([1.0, 0.95, 0.8])),
        "discharge_efficiency": float(chance.choice([1.0, 0.95, 0.8])),
        "wear_eur_per_kwh": float(chance.choice([0.0, 0.01])),
        **_where(chance, homes),
    }
    if chance.random() < 0.5:
        battery["soc_end_kwh"] = min(max(start, low), high)
    else:
        battery["end_value_eur_per_kwh"] = float(chance.choice([0.0, 0.2]))
    if chance.random() < 0.3:
        battery["retention_per_hour"] = float(chance.choice([0.999, 0.98]))
    if chance.random() < 0.3:
        battery["reserve_kwh"] = _number(chance, low, high)
        if chance.random() < 0.5:
            battery["reserve_price_eur_per_kwh"] = float(chance.choice([0.05, 1.0]))
    return battery


def _grid(chance: np.random.Generator) -> Json:
    grid: Document = {}
    if chance.random() < 0.5:
        grid["import_limit_kw"] = _number(chance, 4, 20)
    if chance.random() < 0.5:
        grid["export_limit_kw"] = _number(chance, 4, 20)
    if chance.random() < 0.5:
        grid["peak_price_eur_per_kw"] = float(chance.choice([0.35, 2.0]))
        if chance.random() < 0.5:
            grid["peak_so_far_kw"] = _number(chance, 0, 6)
    return grid


def _car(chance: np.random.Generator, name: str, steps: int, homes: list[str]) -> Json:
    arrival = int(chance.integers(0, steps))
    capacity = _number(chance, 6, 20)
    start = _number(chance, 0, capacity / 2)
    car: Document = {
        "id": name,
        "arrival": arrival,
        "departure": int(chance.integers(arrival + 1, steps + 1)),
        "energy_kwh": _number(chance, 0, capacity),
        "charge_max_kw": float(chance.choice([3.7, 11.0])),
        "start_kwh": start,
        "charge_efficiency": float(chance.choice([1.0, 0.9])),
        **_where(chance, homes),
    }
    if chance.random() < 0.4:
        car["charge_min_kw"] = 1.4
    if chance.random() < 0.4:
        car["minimum_kwh"] = _number(chance, 0, capacity / 2)
    if chance.random() < 0.6:
        car["capacity_kwh"] = capacity
        if chance.random() < 0.4:
            car["discharge_max_kw"] = 3.0
            car["discharge_efficiency"] = 0.9
    return car


def _heat_pump(chance: np.random.Generator, name: str, steps: int, homes: list[str]) -> Json:
    pump: Document = {
        "id": name,
        "power_max_kw": float(chance.choice([1.0, 3.0])),
        "cop": _rounded(chance.uniform(2, 5, steps)),
        "capacity_kwh_per_k": _number(chance, 0.2, 6),
        "loss_kw_per_k": _number(chance, 0, 0.3),
        "outside_c": _rounded(chance.uniform(-5, 30, steps)),
        "start_c": _number(chance, 18, 22),
        "min_c": 19.0,
        "max_c": _rounded(chance.uniform(20, 23, steps)),
        **_where(chance, homes),
    }
    if chance.random() < 0.4:
        pump["power_min_kw"] = 0.6
    if chance.random() < 0.4:
        pump["demand_kw"] = _rounded(chance.uniform(0, 1, steps))
    return pump


def _run(chance: np.random.Generator, name: str, steps: int, homes: list[str]) -> Json:
    length = int(chance.integers(1, steps + 1))
    earliest = int(chance.integers(0, steps - length + 1))
    return {
        "id": name,
        "power_kw": _rounded(chance.uniform(0, 2.5, length)),
        "earliest": earliest,
        "latest_end": int(chance.integers(earliest + length, steps + 1)),
        **_where(chance, homes),
    }


def _group(chance: np.random.Generator, homes: list[str], asked: Document) -> Json:
    members = [str(name) for name in chance.permutation(homes)[: int(chance.integers(1, 4))]]
    batteries = asked["batteries"]
    assert isinstance(batteries, list)
    own: list[Json] = [
        one["id"]
        for one in batteries
        if isinstance(one, dict) and "home" not in one and chance.random() < 0.5
    ]
    return {
        "id": "g0",
        "homes": [*members],
        "batteries": own,
        "import_limit_kw": _number(chance, 2, 10),
        "export_limit_kw": _number(chance, 2, 10),
        "shares_kw": {name: _number(chance, 0, 4) for name in members},
    }


def _call(chance: np.random.Generator, steps: int, *, grouped: bool) -> Json:
    first = int(chance.integers(0, steps))
    call: Document = {
        "id": "k0",
        "from": first,
        "to": int(chance.integers(first, steps)),
        "import_limit_kw": _number(chance, 1, 8),
        "reward_eur_per_kwh": 0.1,
    }
    if grouped and chance.random() < 0.5:
        call["group"] = "g0"
    if chance.random() < 0.5:
        call["export_limit_kw"] = _number(chance, 1, 8)
    return call
