"""The planning problems that every planner is timed on, seeded: one home, a street, fleets.

``P1`` one home over a day; ``P2`` 40 homes and a shared battery of 400 kWh over two days, with
panels that can be cut and a limit of the connection both ways; ``P3-M`` M homes with a battery
each and a shared one over a day, where the highest import has a price. An ``n`` behind it, such as
``P3-100n``: prices go below zero around noon, and a battery may not charge while it discharges.
Every battery ends as it started. Units: kW, kWh, EUR and h; quarter-hours.

A family is plain numbers, so that other planners can be asked the same: :func:`document` is the
JSON of ``kwartier plan``, :func:`problem` our own arrays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from kwartier.wire import Json
from optimizer.problem import Battery, FloatArray, Grid, Home, Problem
from tests.optimizer.streets import Street

INTERVAL_H = 0.25
_NAME = re.compile(r"P(?:1|2|3-(?P<batteries>[1-9][0-9]{0,4}))(?P<negative>n?)")
_SPREAD = 0.11
"""What buying costs more than selling pays: energy tax and the supplier's part [EUR/kWh]."""


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """One planning problem as plain arrays: T steps, H homes, B batteries.

    Attributes:
        name: Its name, such as ``P3-100n``.
        buy: Price of import, shape ``(T,)`` [EUR/kWh].
        sell: Price of export, shape ``(T,)`` [EUR/kWh].
        load: Use of each home, shape ``(H, T)`` [kW].
        pv: Possible production of each home, shape ``(H, T)`` [kW].
        curtailable: Whether the panels can be told to make less.
        capacity: Upper edge of the band, shape ``(B,)`` [kWh].
        least: Lower edge of the band, shape ``(B,)`` [kWh].
        start: Stored before the first and after the last step, shape ``(B,)`` [kWh].
        power: Most power either way, shape ``(B,)`` [kW].
        into: Stored per charged kWh, shape ``(B,)``.
        out_of: Delivered per kWh taken out, shape ``(B,)``.
        import_limit: Of the connection [kW]; None where there is none.
        export_limit: Of the connection [kW]; None where there is none.
        peak_price: Price of the highest import [EUR/kW].
        exclusive: Whether a battery may not charge while it discharges.
    """

    name: str
    buy: FloatArray
    sell: FloatArray
    load: FloatArray
    pv: FloatArray
    curtailable: bool
    capacity: FloatArray
    least: FloatArray
    start: FloatArray
    power: FloatArray
    into: FloatArray
    out_of: FloatArray
    import_limit: float | None
    export_limit: float | None
    peak_price: float
    exclusive: bool


def family(name: str, seed: int = 1) -> Family:
    """Return the family of a name, such as ``P1``, ``P2n`` or ``P3-100``; the same for one seed.

    Raises:
        ValueError: There is no such family.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no family: use P1, P2 or P3-M, and n for negative prices")
    chance = np.random.default_rng([seed, int(found["batteries"] or 0), int(name[1])])
    negative = bool(found["negative"])
    if name.startswith("P1"):
        return _built(chance, name, 96, 1, ([10.0], [5.0]), (17.0, 17.0, 0.0), negative)
    if name.startswith("P2"):
        limits = (45.0, 25.0, 0.0)
        return _built(chance, name, 192, 40, ([400.0], [150.0]), limits, negative, cut=True)
    count = int(found["batteries"])
    capacity = [*chance.uniform(5.0, 12.0, count), 2.0 * count]
    power = [*chance.uniform(2.0, 5.0, count), 0.7 * count]
    return _built(chance, name, 96, count, (capacity, power), (None, None, 0.35), negative)


def problem(one: Family) -> Problem:
    """Return a family as the arrays of our own planner."""
    return parts(one).problem()


def parts(one: Family) -> Street:
    """Return a family as the parts that our own planner is handed."""
    homes = [
        Home(f"h{row}", load, pv, one.curtailable)
        for row, (load, pv) in enumerate(zip(one.load, one.pv, strict=True))
    ]
    batteries = [
        Battery(
            id=f"b{row}",
            soc_min_kwh=float(one.least[row]),
            soc_max_kwh=float(one.capacity[row]),
            soc_start_kwh=float(one.start[row]),
            charge_max_kw=float(one.power[row]),
            discharge_max_kw=float(one.power[row]),
            charge_efficiency=float(one.into[row]),
            discharge_efficiency=float(one.out_of[row]),
            soc_end_kwh=float(one.start[row]),
        )
        for row in range(one.capacity.size)
    ]
    grid = Grid(
        np.inf if one.import_limit is None else one.import_limit,
        np.inf if one.export_limit is None else one.export_limit,
        one.peak_price,
    )
    buy, sell = one.buy.tolist(), one.sell.tolist()
    return Street(INTERVAL_H, buy, sell, homes, batteries, grid, one.exclusive)


def document(one: Family) -> dict[str, Json]:
    """Return a family as ``kwartier plan`` reads it."""
    grid: dict[str, Json] = {"peak_price_eur_per_kw": one.peak_price}
    if one.import_limit is not None:
        grid["import_limit_kw"] = one.import_limit
    if one.export_limit is not None:
        grid["export_limit_kw"] = one.export_limit
    return {
        "interval_hours": INTERVAL_H,
        "buy_eur_per_kwh": [*one.buy.tolist()],
        "sell_eur_per_kwh": [*one.sell.tolist()],
        "homes": [
            {
                "id": f"h{row}",
                "load_kw": [*load.tolist()],
                "pv_kw": [*pv.tolist()],
                "pv_curtailable": one.curtailable,
            }
            for row, (load, pv) in enumerate(zip(one.load, one.pv, strict=True))
        ],
        "batteries": [
            {
                "id": f"b{row}",
                "soc_min_kwh": float(one.least[row]),
                "soc_max_kwh": float(one.capacity[row]),
                "soc_start_kwh": float(one.start[row]),
                "soc_end_kwh": float(one.start[row]),
                "charge_max_kw": float(one.power[row]),
                "discharge_max_kw": float(one.power[row]),
                "charge_efficiency": float(one.into[row]),
                "discharge_efficiency": float(one.out_of[row]),
            }
            for row in range(one.capacity.size)
        ],
        "grid": grid,
        "exclusive": one.exclusive,
    }


def _built(
    chance: np.random.Generator,
    name: str,
    steps: int,
    homes: int,
    batteries: tuple[list[float], list[float]],
    grid: tuple[float | None, float | None, float],
    negative: bool,  # told by the last letter of the name
    *,
    cut: bool = False,
) -> Family:
    capacity, power = (np.array(values, dtype=np.float64) for values in batteries)
    hour = np.arange(steps, dtype=np.float64) * INTERVAL_H
    load, pv = _homes(chance, hour, homes)
    market = _market(chance, hour) - (0.22 * _around(hour, 13.0, 2.5) if negative else 0.0)
    buy = market + (0.02 if negative else _SPREAD)
    count = capacity.size
    return Family(
        name=name,
        buy=buy,
        sell=market - (0.01 if negative else 0.0),
        load=load,
        pv=pv,
        curtailable=cut,
        capacity=capacity,
        least=0.05 * capacity,
        start=capacity * chance.uniform(0.25, 0.45, count),
        power=power,
        into=chance.uniform(0.94, 0.98, count),
        out_of=chance.uniform(0.93, 0.97, count),
        import_limit=grid[0],
        export_limit=grid[1],
        peak_price=grid[2],
        exclusive=negative,
    )


def _market(chance: np.random.Generator, hour: FloatArray) -> FloatArray:
    """Return prices of a spring day: dear at breakfast and dinner, cheap at noon [EUR/kWh]."""
    shape = 0.09 + 0.05 * _around(hour, 8.0, 1.5) + 0.10 * _around(hour, 19.5, 2.0)
    noise = 0.006 * chance.standard_normal(hour.size)
    prices: FloatArray = np.maximum(shape - 0.06 * _around(hour, 13.0, 3.0) + noise, 0.003)
    return prices


def _homes(
    chance: np.random.Generator, hour: FloatArray, homes: int
) -> tuple[FloatArray, FloatArray]:
    """Return use and possible production of homes, shape ``(H, T)`` each [kW]."""
    sun = np.maximum(np.sin((hour % 24 - 6.5) * np.pi / 13), 0.0)
    load, pv = [], []
    for _ in range(homes):
        dinner, width = chance.uniform(17.5, 20.5), chance.uniform(1.0, 2.0)
        habit = 0.25 + 0.4 * _around(hour, 7.5, 1.0) + 1.2 * _around(hour, dinner, width)
        load.append(habit * chance.gamma(6.0, 1 / 6, hour.size) * chance.uniform(0.8, 2.4))
        cloud = chance.beta(6.0, 2.0, hour.size)
        pv.append(chance.uniform(2.0, 5.0) * (chance.random() < 0.5 or homes == 1) * sun * cloud)
    return np.array(load), np.array(pv)


def _around(hour: FloatArray, middle: float, width: float) -> FloatArray:
    """Return a bump of height one around an hour of every day."""
    away = (hour - middle + 12) % 24 - 12
    bump: FloatArray = np.exp(-((away / width) ** 2))
    return bump
