"""Random streets as they are handed to the planner, of all shapes there are, from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.problem import (
    Battery,
    Call,
    Grid,
    Group,
    HeatPump,
    Home,
    Problem,
    Run,
    Session,
    Sharing,
    problem_of,
)


@dataclass(frozen=True)
class Street:
    """The parts of a problem, before the planner makes arrays of them."""

    interval_h: float | Sequence[float]
    buy: Sequence[float]
    sell: Sequence[float]
    homes: Sequence[Home]
    batteries: Sequence[Battery]
    grid: Grid
    exclusive: bool
    sessions: Sequence[Session] = ()
    heat_pumps: Sequence[HeatPump] = ()
    runs: Sequence[Run] = ()
    groups: Sequence[Group] = ()
    calls: Sequence[Call] = ()
    sharing: Sharing | None = None

    @property
    def steps(self) -> int:
        return len(self.buy)

    @property
    def hours(self) -> list[float]:
        """The length of each step [h]."""
        if isinstance(self.interval_h, (int, float)):
            return [float(self.interval_h)] * self.steps
        return [float(one) for one in self.interval_h]

    def problem(self) -> Problem:
        return problem_of(
            self.interval_h,
            self.buy,
            self.sell,
            self.homes,
            self.batteries,
            self.grid,
            exclusive=self.exclusive,
            sessions=self.sessions,
            heat_pumps=self.heat_pumps,
            runs=self.runs,
            groups=self.groups,
            calls=self.calls,
            sharing=self.sharing,
        )


def street(seed: int, *, plain: bool = False) -> Street:
    """Return the street of a seed; a plain one has homes, batteries and one connection only."""
    chance = np.random.default_rng([seed, int(plain)])
    steps = int(chance.integers(1, 13))
    buy, sell = _prices(chance, steps)
    names = [f"h{number}" for number in range(int(chance.integers(0, 4)))]
    homes = [_home(chance, name, steps, plain=plain) for name in names]
    uneven = not plain and chance.random() < 0.3
    hours = chance.choice([0.25, 0.5, 1.0], steps).tolist() if uneven else None
    batteries = [
        _battery(chance, f"b{number}", steps, [] if plain else names)
        for number in range(int(chance.integers(0, 4)))
    ]
    limits = [_limit(chance, steps, 8.0 + 4.0 * len(names)) for _ in range(2)]
    peak = float(chance.choice([0.0, 0.0, 0.35, 2.0]))
    so_far = 0.0 if plain else float(chance.choice([0.0, 2.0, 5.0]))
    found = Street(
        interval_h=float(chance.choice([0.25, 1.0])) if hours is None else hours,
        buy=buy,
        sell=sell,
        homes=homes,
        batteries=batteries,
        grid=Grid(limits[0], limits[1], peak, so_far),
        exclusive=bool(chance.random() < 0.5),
    )
    return found if plain else _with_more(chance, found, names)


def _with_more(chance: np.random.Generator, plain: Street, names: list[str]) -> Street:
    steps = plain.steps

    def some(most: int) -> range:
        return range(int(chance.integers(0, most + 1)) if chance.random() < 0.5 else 0)

    groups = [_group(chance, plain, names, steps) for _ in some(1)] if names else []
    return Street(
        interval_h=plain.interval_h,
        buy=plain.buy,
        sell=plain.sell,
        homes=plain.homes,
        batteries=plain.batteries,
        grid=plain.grid,
        exclusive=plain.exclusive,
        sessions=[_session(chance, f"c{number}", steps, names) for number in some(2)],
        heat_pumps=[_heat_pump(chance, f"w{number}", steps, names) for number in some(2)],
        runs=[_run(chance, f"r{number}", steps, names) for number in some(2)],
        groups=groups,
        calls=[_call(chance, f"k{number}", steps, groups) for number in some(1)],
        sharing=_sharing(chance) if names and chance.random() < 0.3 else None,
    )


def _prices(chance: np.random.Generator, steps: int) -> tuple[list[float], list[float]]:
    lowest = -0.2 if chance.random() < 0.4 else 0.02
    buy = chance.uniform(lowest, 0.5, steps)
    kind = chance.random()
    if kind < 0.2:  # selling may pay more than buying
        return buy.tolist(), chance.uniform(lowest, 0.5, steps).tolist()
    if kind < 0.3:
        return buy.tolist(), buy.tolist()
    return buy.tolist(), (buy - chance.uniform(0.0, 0.2)).tolist()


def _home(chance: np.random.Generator, name: str, steps: int, *, plain: bool) -> Home:
    pv = chance.uniform(0, 6, steps) * (chance.random(steps) < 0.6)
    fused = not plain and chance.random() < 0.4
    return Home(
        name,
        chance.uniform(0, 3, steps).tolist(),
        pv.tolist() if chance.random() < 0.7 else None,
        bool(chance.random() < 0.5),
        _limit(chance, steps, 7.0) if fused else np.inf,
        _limit(chance, steps, 7.0) if fused else np.inf,
    )


def _battery(chance: np.random.Generator, name: str, steps: int, names: Sequence[str]) -> Battery:
    low = float(chance.uniform(0, 2))
    high = low + float(chance.choice([0.0, 2.0, 8.0], p=[0.1, 0.4, 0.5]) * chance.random())
    start = float(chance.uniform(low, high) if chance.random() < 0.9 else chance.uniform(0, 12))
    end = [None, float(np.clip(start, low, high)), float(chance.uniform(low, high))]
    extra = bool(names)
    return Battery(
        id=name,
        soc_min_kwh=low,
        soc_max_kwh=_stepped(chance, high, steps) if chance.random() < 0.1 else high,
        soc_start_kwh=start,
        charge_max_kw=_limit(chance, steps, 4.0, there=1.0),
        discharge_max_kw=_limit(chance, steps, 4.0, there=1.0),
        charge_efficiency=float(chance.choice([1.0, 0.95, 0.8])),
        discharge_efficiency=float(chance.choice([1.0, 0.95, 0.8])),
        soc_end_kwh=end[int(chance.choice(3, p=[0.4, 0.4, 0.2]))],
        end_value_eur_per_kwh=float(chance.choice([0.0, 0.2])),
        wear_eur_per_kwh=float(chance.choice([0.0, 0.01])),
        home=_somewhere(chance, names) if extra else None,
        retention_per_hour=float(chance.choice([1.0, 0.98])) if extra else 1.0,
        reserve_kwh=float(chance.choice([0.0, low + 0.5 * (high - low)])) if extra else 0.0,
        reserve_price_eur_per_kwh=float(chance.uniform(0.01, 1.0)) if extra else None,
    )


def _session(chance: np.random.Generator, name: str, steps: int, names: list[str]) -> Session:
    arrival = int(chance.integers(0, steps))
    departure = int(chance.integers(arrival + 1, steps + 1))
    power = float(chance.uniform(1.0, 8.0))
    start = float(chance.uniform(0.0, 3.0))
    energy = start + float(chance.uniform(-1.0, 0.2 * power * (departure - arrival)))
    gives = chance.random() < 0.3
    return Session(
        id=name,
        arrival=arrival,
        departure=departure,
        energy_kwh=max(energy, 0.0),
        charge_max_kw=power,
        home=_somewhere(chance, names),
        minimum_kwh=float(chance.choice([0.0, 0.5])),
        charge_min_kw=float(chance.choice([0.0, 0.3 * power])),
        charge_efficiency=float(chance.choice([1.0, 0.9])),
        discharge_max_kw=power if gives else 0.0,
        discharge_efficiency=0.9 if gives else 1.0,
        capacity_kwh=None if chance.random() < 0.5 else max(energy, start, 0.5) + 4.0,
        start_kwh=start,
    )


def _heat_pump(chance: np.random.Generator, name: str, steps: int, names: list[str]) -> HeatPump:
    power = float(chance.uniform(1.0, 4.0))
    return HeatPump(
        id=name,
        power_max_kw=power,
        cop=chance.uniform(2.0, 5.0, steps).tolist() if chance.random() < 0.5 else 3.5,
        capacity_kwh_per_k=float(chance.uniform(0.5, 4.0)),
        loss_kw_per_k=float(chance.uniform(0.0, 0.3)),
        outside_c=chance.uniform(-5.0, 15.0, steps).tolist(),
        start_c=float(chance.uniform(19.5, 21.5)),
        min_c=19.0,
        max_c=_stepped(chance, 23.0, steps),
        home=_somewhere(chance, names),
        power_min_kw=float(chance.choice([0.0, 0.4 * power])),
        demand_kw=float(chance.choice([0.0, 0.5])),
    )


def _run(chance: np.random.Generator, name: str, steps: int, names: list[str]) -> Run:
    length = int(chance.integers(1, min(steps, 3) + 1))
    earliest = int(chance.integers(0, steps - length + 1))
    latest = int(chance.integers(earliest + length, steps + 1))
    power = chance.uniform(0.2, 2.5, length).tolist()
    return Run(name, power, earliest, latest, _somewhere(chance, names))


def _group(chance: np.random.Generator, plain: Street, names: list[str], steps: int) -> Group:
    members = [name for name in names if chance.random() < 0.7] or names[:1]
    beside = [one.id for one in plain.batteries if one.home is None and chance.random() < 0.5]
    limit = _limit(chance, steps, 8.0, there=1.0)
    return Group("g1", members, beside, limit, _limit(chance, steps, 8.0))


def _call(chance: np.random.Generator, name: str, steps: int, groups: Sequence[Group]) -> Call:
    first = int(chance.integers(0, steps))
    last = int(chance.integers(first, steps))
    group = groups[0].id if groups and chance.random() < 0.5 else None
    return Call(name, first, last, float(chance.uniform(4.0, 12.0)), np.inf, group, 0.1)


def _sharing(chance: np.random.Generator) -> Sharing:
    return Sharing(float(chance.choice([0.0, 0.05, 0.15])), float(chance.uniform(0.0, 0.2)))


def _somewhere(chance: np.random.Generator, names: Sequence[str]) -> str | None:
    return str(chance.choice(names)) if names and chance.random() < 0.7 else None


def _limit(
    chance: np.random.Generator, steps: int, most: float, there: float = 0.6
) -> float | list[float]:
    if chance.random() > there:
        return np.inf
    if chance.random() < 0.3:
        return [float(one) for one in chance.uniform(0.3 * most, most, steps)]
    return float(chance.uniform(0.3 * most, most)) if chance.random() < 0.95 else 0.0


def _stepped(chance: np.random.Generator, value: float, steps: int) -> list[float]:
    """Return a limit that is a little higher in some steps."""
    return [value + float(chance.choice([0.0, 0.5])) for _ in range(steps)]
