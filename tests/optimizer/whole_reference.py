"""An independent planner of whole neighbourhoods: dense, row by row, from the JSON of a problem.

It shares no code with the planner under test, keeps a node for each home at every step, and has a
whole number for every direction, start and least power there could be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from kwartier.wire import Json
from tests.optimizer.neighbourhood_problems import Document

_BIG = 200.0
"""More than any home or street of the generator exchanges [kW]."""
Node = dict[int, float]


@dataclass
class _Dense:
    """A programme under construction."""

    soft: bool
    cost: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    rows: list[tuple[Mapping[int, float], float, float]] = field(default_factory=list)

    def column(self, low: float, high: float, cost: float = 0.0, *, whole: bool = False) -> int:
        self.cost.append(0.0 if self.soft else cost)
        self.low.append(low)
        self.high.append(high)
        self.whole.append(int(whole))
        return len(self.cost) - 1

    def excess(self) -> int:
        self.cost.append(1.0)
        self.low.append(0.0)
        self.high.append(math.inf)
        self.whole.append(0)
        return len(self.cost) - 1

    def row(self, coefficients: Mapping[int, float], low: float, high: float) -> None:
        self.rows.append((coefficients, low, high))

    def limit(self, coefficients: Mapping[int, float], high: float) -> None:
        """Bound what a connection takes; where limits give way, by an excess that counts."""
        if high < math.inf:
            extra = {self.excess(): -1.0} if self.soft else {}
            self.row({**coefficients, **extra}, -math.inf, high)

    def either(self, one: int, other: int) -> None:
        switch = self.column(0, 1, whole=True)
        self.row({one: 1, switch: -_BIG}, -math.inf, 0)
        self.row({other: 1, switch: _BIG}, -math.inf, _BIG)

    def least(self) -> float | None:
        matrix = np.zeros((len(self.rows), len(self.cost)))
        for number, (coefficients, _, _) in enumerate(self.rows):
            for column, coefficient in coefficients.items():
                matrix[number, column] += coefficient
        found = milp(
            np.array(self.cost),
            integrality=np.array(self.whole),
            bounds=Bounds(np.array(self.low), np.array(self.high)),
            constraints=LinearConstraint(
                matrix,
                np.array([low for _, low, _ in self.rows]),
                np.array([high for _, _, high in self.rows]),
            ),
            options={"mip_rel_gap": 1e-9},
        )
        if found.status == 2:
            return None
        assert found.status == 0, found.message
        return float(found.fun)


def least_objective(asked: Document) -> float | None:
    """Return the least cost, with reserves that are short and less the worth of what is stored.

    None where limits, wishes included, cannot all be met.
    """
    return _built(asked, soft=False).least()


def least_excess(asked: Document) -> float:
    """Return the least kW over all limits of connections, added over the steps."""
    found = _built(asked, soft=True).least()
    assert found is not None
    return found


def _built(asked: Document, *, soft: bool) -> _Dense:
    dense = _Dense(soft)
    steps = len(_many(asked["buy_eur_per_kwh"], 0))
    hours = _many(asked["interval_hours"], steps)
    nodes: dict[str, list[Node]] = {"": [{} for _ in range(steps)]}
    fixed: dict[str, list[float]] = {"": [0.0] * steps}
    for home in _parts(asked, "homes"):
        name, sun = str(home["id"]), _many(home.get("pv_kw") or 0.0, steps)
        use = _many(home["load_kw"], steps)
        can = bool(home.get("pv_curtailable"))
        nodes[name] = [{dense.column(0, sun[t] if can else 0): 1.0} for t in range(steps)]
        fixed[name] = [use[t] - sun[t] for t in range(steps)]
    for group in _parts(asked, "groups"):
        nodes[f"in {group['id']}"] = [{} for _ in range(steps)]
        fixed[f"in {group['id']}"] = [0.0] * steps
    for battery in _parts(asked, "batteries"):
        _battery(dense, asked, battery, hours, nodes[_place(asked, battery)])
    for car in _parts(asked, "sessions"):
        _car(dense, car, hours, nodes[str(car.get("home") or "")], both=not asked.get("exclusive"))
    for pump in _parts(asked, "heat_pumps"):
        _pump(dense, pump, hours, nodes[str(pump.get("home") or "")])
    for run in _parts(asked, "runs"):
        _run(dense, run, nodes[str(run.get("home") or "")])
    _boundaries(dense, asked, nodes, fixed)
    _money(dense, asked, hours, nodes, fixed)
    return dense


def _battery(
    dense: _Dense, asked: Document, battery: Document, hours: list[float], node: list[Node]
) -> None:
    steps, start = len(hours), _number(battery, "soc_start_kwh")
    kept = [_number(battery, "retention_per_hour", 1.0) ** hour for hour in hours]
    low, high = _many(battery["soc_min_kwh"], steps), _many(battery["soc_max_kwh"], steps)
    reserve = _many(battery.get("reserve_kwh") or 0.0, steps)
    price, end = battery.get("reserve_price_eur_per_kwh"), battery.get("soc_end_kwh")
    resting = [start * math.prod(kept[: t + 1]) for t in range(steps)]
    wear = _number(battery, "wear_eur_per_kwh", 0.0)
    before: int | None = None
    for t in range(steps):
        least = max(low[t], min(reserve[t], high[t])) if price is None else low[t]
        most, worth = high[t], 0.0
        if t == steps - 1 and end is None:
            worth = -_number(battery, "end_value_eur_per_kwh", 0.0)
        elif t == steps - 1:
            least, most = max(least, _value(end)), min(most, _value(end))
        if dense.soft:
            least, most = min([*low, *resting, start]), max([*high, *resting, start])
        elif least > most:
            dense.row({}, 1, 1)
        charge = dense.column(0, _many(battery["charge_max_kw"], steps)[t])
        give = dense.column(0, _many(battery["discharge_max_kw"], steps)[t], hours[t] * wear)
        stored = dense.column(min(least, most), most, worth)
        gains = {
            stored: 1.0,
            charge: -hours[t] * _number(battery, "charge_efficiency"),
            give: hours[t] / _number(battery, "discharge_efficiency"),
        }
        _follow(dense, gains, before, kept[t], start)
        if asked.get("exclusive"):
            dense.either(charge, give)
        if price is not None and reserve[t] > low[t]:
            short = dense.column(0, math.inf, hours[t] * _value(price))
            dense.row({stored: 1, short: 1}, min(reserve[t], high[t]), math.inf)
        node[t] |= {charge: 1.0, give: -1.0}
        before = stored


def _car(dense: _Dense, car: Document, hours: list[float], node: list[Node], *, both: bool) -> None:
    steps, start = len(hours), _number(car, "start_kwh", 0.0)
    arrival, departure = int(_number(car, "arrival")), int(_number(car, "departure"))
    into, least = _number(car, "charge_efficiency", 1.0), _number(car, "charge_min_kw", 0.0)
    minimum, energy = _number(car, "minimum_kwh", 0.0), _number(car, "energy_kwh")
    room = car.get("capacity_kwh")
    most = _value(room) if room is not None else max(minimum, energy, start)
    if room is None:
        most += least * into * max(hours)
    power = _many(car["charge_max_kw"], steps)
    back = _many(car.get("discharge_max_kw") or 0.0, steps)
    before, soonest = None, start
    for t in range(steps):
        here = arrival <= t < departure
        soonest += hours[t] * into * power[t] * here
        low = min(minimum, soonest) if here else 0.0
        low = max(low, energy) if t == departure - 1 else low
        charge = dense.column(0, power[t] * here)
        give = dense.column(0, back[t] * here)
        stored = dense.column(min(0.0, start) if dense.soft else min(low, most), max(most, start))
        if not dense.soft:
            dense.row({stored: 1}, low, most)
        loss = hours[t] / _number(car, "discharge_efficiency", 1.0)
        _follow(dense, {stored: 1.0, charge: -hours[t] * into, give: loss}, before, 1.0, start)
        if least and here:
            switch = dense.column(0, 1, whole=True)
            dense.row({charge: 1, switch: -power[t]}, -math.inf, 0)
            dense.row({charge: 1, switch: -least}, 0, math.inf)
        if not both:
            dense.either(charge, give)
        node[t] |= {charge: 1.0, give: -1.0}
        before = stored


def _pump(dense: _Dense, pump: Document, hours: list[float], node: list[Node]) -> None:
    """Add a column for the temperature itself after each step."""
    steps, per_k = len(hours), _number(pump, "capacity_kwh_per_k")
    cop, outside = _many(pump["cop"], steps), _many(pump["outside_c"], steps)
    demand = _many(pump.get("demand_kw") or 0.0, steps)
    low, high = _many(pump["min_c"], steps), _many(pump["max_c"], steps)
    least, most = _number(pump, "power_min_kw", 0.0), _many(pump["power_max_kw"], steps)
    start = _number(pump, "start_c")
    parts = [math.exp(-_number(pump, "loss_kw_per_k") * hour / per_k) for hour in hours]
    adds = [outside[t] * (1 - parts[t]) - hours[t] * demand[t] / per_k for t in range(steps)]
    rest, resting = start, [start]
    for part, add in zip(parts, adds, strict=True):
        rest = part * rest + add
        resting.append(rest)
    before: int | None = None
    for t in range(steps):
        power = dense.column(0, most[t])
        bounds = (
            (min([*low, *resting]), max([*high, *resting])) if dense.soft else (low[t], high[t])
        )
        warm = dense.column(*bounds)
        gains = {warm: 1.0, power: -hours[t] * cop[t] / per_k}
        _follow(dense, gains, before, parts[t], start, adds[t])
        if least:
            switch = dense.column(0, 1, whole=True)
            dense.row({power: 1, switch: -most[t]}, -math.inf, 0)
            dense.row({power: 1, switch: -least}, 0, math.inf)
        node[t] |= {power: 1.0}
        before = warm


def _follow(
    dense: _Dense, gains: Node, before: int | None, kept: float, start: float, more: float = 0.0
) -> None:
    if before is None:
        dense.row(gains, kept * start + more, kept * start + more)
    else:
        dense.row({**gains, before: -kept}, more, more)


def _run(dense: _Dense, run: Document, node: list[Node]) -> None:
    powers = _many(run["power_kw"], 0)
    first, last = int(_number(run, "earliest")), int(_number(run, "latest_end")) - len(powers)
    places = {start: dense.column(0, 1, whole=True) for start in range(first, last + 1)}
    dense.row(dict.fromkeys(places.values(), 1.0), 1, 1)
    for start, column in places.items():
        for t, power in enumerate(powers):
            node[start + t][column] = power


def _boundaries(
    dense: _Dense,
    asked: Document,
    nodes: dict[str, list[Node]],
    fixed: dict[str, list[float]],
) -> None:
    calls = _parts(asked, "calls")
    limited: list[tuple[list[str], Document, str | None]] = [
        (list(nodes), _part(asked.get("grid") or {}), None)
    ]
    limited += [([str(home["id"])], home, "") for home in _parts(asked, "homes")]
    for group in _parts(asked, "groups"):
        members = group["homes"]
        assert isinstance(members, list)
        names = [*(str(name) for name in members), f"in {group['id']}"]
        limited.append((names, group, str(group["id"])))
    for names, limits, label in limited:
        on_it = [call for call in calls if call.get("group") == label]
        for t in range(len(nodes[""])):
            net: Node = {}
            for name in names:
                net |= nodes[name][t]
            there = sum(fixed[name][t] for name in names)
            for word, sign in (("import_limit_kw", 1.0), ("export_limit_kw", -1.0)):
                most = [_many(_or_infinite(limits.get(word)), len(nodes[""]))[t]]
                most += [
                    _value(_or_infinite(call.get(word)))
                    for call in on_it
                    if _number(call, "from") <= t <= _number(call, "to")
                ]
                signed = {column: sign * value for column, value in net.items()}
                dense.limit(signed, min(most) - sign * there)


def _money(
    dense: _Dense,
    asked: Document,
    hours: list[float],
    nodes: dict[str, list[Node]],
    fixed: dict[str, list[float]],
) -> None:
    steps = len(hours)
    buy, sell = _many(asked["buy_eur_per_kwh"], steps), _many(asked["sell_eur_per_kwh"], steps)
    grid, sharing = _part(asked.get("grid") or {}), asked.get("sharing")
    so_far = _number(grid, "peak_so_far_kw", 0.0)
    over = dense.column(0, math.inf, _number(grid, "peak_price_eur_per_kw", 0.0))
    beside = [name for name in nodes if name == "" or name.startswith("in ")]
    meters = [[name] for name in nodes if name not in beside] + [beside]
    if sharing is None:
        meters = [list(nodes)]
    for t in range(steps):
        taken, given = [], []
        for meter in meters:
            taken.append(dense.column(0, _BIG, hours[t] * buy[t]))
            given.append(dense.column(0, _BIG, -hours[t] * sell[t]))
            net: Node = {taken[-1]: 1.0, given[-1]: -1.0}
            for name in meter:
                net |= {column: -value for column, value in nodes[name][t].items()}
            there = sum(fixed[name][t] for name in meter)
            dense.row(net, there, there)
            dense.either(taken[-1], given[-1])
        street = dict.fromkeys(taken, 1.0) | dict.fromkeys(given, -1.0)
        dense.row({**street, over: -1.0}, -math.inf, so_far)
        if sharing is not None:
            saved = buy[t] - sell[t] - _number(_part(sharing), "levy_eur_per_kwh")
            shared = dense.column(0, _BIG if saved > 0 else 0.0, -hours[t] * saved)
            dense.row({shared: 1, **dict.fromkeys(taken, -1.0)}, -math.inf, 0)
            dense.row({shared: 1, **dict.fromkeys(given, -1.0)}, -math.inf, 0)


def _place(asked: Document, battery: Document) -> str:
    for group in _parts(asked, "groups"):
        own = group.get("batteries") or []
        assert isinstance(own, list)
        if battery["id"] in own:
            return f"in {group['id']}"
    return str(battery.get("home") or "")


def _or_infinite(value: Json) -> Json:
    return math.inf if value is None else value


def _value(value: Json) -> float:
    assert isinstance(value, int | float)
    return float(value)


def _number(part: Document, key: str, default: float | None = None) -> float:
    value = part.get(key)
    return default if value is None and default is not None else _value(value)


def _many(value: Json, steps: int) -> list[float]:
    return [_value(one) for one in value] if isinstance(value, list) else [_value(value)] * steps


def _part(value: Json) -> Document:
    assert isinstance(value, dict)
    return value


def _parts(whole: Document, key: str) -> list[Document]:
    values = whole.get(key) or []
    assert isinstance(values, list)
    return [_part(one) for one in values]
