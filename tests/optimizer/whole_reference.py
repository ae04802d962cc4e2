"""An independent planner of whole neighbourhoods: row by row, from the JSON of a problem.

It shares no code with the planner under test, keeps a node for each home at every step, and has a
whole number for every direction, start and least power there could be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tests.optimizer.document_reading import each, number, number_of, or_infinite, table, tables
from tests.optimizer.neighbourhood_problems import Document
from tests.optimizer.row_by_row import RowByRow, Terms

_BIG = 200.0
"""More than any home or street of the generator exchanges [kW]."""


@dataclass(kw_only=True)
class _Programme(RowByRow):
    """A programme under construction; a soft one costs nothing but excesses of limits."""

    soft: bool

    def column(self, low: float, high: float, cost: float = 0.0, *, whole: bool = False) -> int:
        return super().column(low, high, 0.0 if self.soft else cost, whole=whole)

    def limit(self, coefficients: Mapping[int, float], high: float) -> None:
        """Bound what a connection takes; where limits give way, by an excess that counts."""
        if high < math.inf:
            extra = {super().column(0.0, math.inf, 1.0): -1.0} if self.soft else {}
            self.row({**coefficients, **extra}, -math.inf, high)

    def either(self, one: int, other: int) -> None:
        self.one_way(one, _BIG, other, _BIG)


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


def _built(asked: Document, *, soft: bool) -> _Programme:
    programme = _Programme(soft=soft)
    steps = len(each(asked["buy_eur_per_kwh"], 0))
    hours = each(asked["interval_hours"], steps)
    nodes: dict[str, list[Terms]] = {"": [{} for _ in range(steps)]}
    fixed: dict[str, list[float]] = {"": [0.0] * steps}
    for home in tables(asked, "homes"):
        name, sun = str(home["id"]), each(home.get("pv_kw") or 0.0, steps)
        use = each(home["load_kw"], steps)
        can = bool(home.get("pv_curtailable"))
        nodes[name] = [{programme.column(0, sun[t] if can else 0): 1.0} for t in range(steps)]
        fixed[name] = [use[t] - sun[t] for t in range(steps)]
    for group in tables(asked, "groups"):
        nodes[f"in {group['id']}"] = [{} for _ in range(steps)]
        fixed[f"in {group['id']}"] = [0.0] * steps
    for battery in tables(asked, "batteries"):
        _battery(programme, asked, battery, hours, nodes[_place(asked, battery)])
    for car in tables(asked, "sessions"):
        _car(
            programme,
            car,
            hours,
            nodes[str(car.get("home") or "")],
            both=not asked.get("exclusive"),
        )
    for pump in tables(asked, "heat_pumps"):
        _pump(programme, pump, hours, nodes[str(pump.get("home") or "")])
    for run in tables(asked, "runs"):
        _run(programme, run, nodes[str(run.get("home") or "")])
    _boundaries(programme, asked, nodes, fixed)
    _money(programme, asked, hours, nodes, fixed)
    return programme


def _battery(
    programme: _Programme, asked: Document, battery: Document, hours: list[float], node: list[Terms]
) -> None:
    steps, start = len(hours), number_of(battery, "soc_start_kwh")
    kept = [number_of(battery, "retention_per_hour", 1.0) ** hour for hour in hours]
    low, high = each(battery["soc_min_kwh"], steps), each(battery["soc_max_kwh"], steps)
    reserve = each(battery.get("reserve_kwh") or 0.0, steps)
    price, end = battery.get("reserve_price_eur_per_kwh"), battery.get("soc_end_kwh")
    resting = [start * math.prod(kept[: t + 1]) for t in range(steps)]
    wear = number_of(battery, "wear_eur_per_kwh", 0.0)
    before: int | None = None
    for t in range(steps):
        least = max(low[t], min(reserve[t], high[t])) if price is None else low[t]
        most, worth = high[t], 0.0
        if t == steps - 1 and end is None:
            worth = -number_of(battery, "end_value_eur_per_kwh", 0.0)
        elif t == steps - 1:
            least, most = max(least, number(end)), min(most, number(end))
        if programme.soft:
            least, most = min([*low, *resting, start]), max([*high, *resting, start])
        elif least > most:
            programme.row({}, 1, 1)
        charge = programme.column(0, each(battery["charge_max_kw"], steps)[t])
        give = programme.column(0, each(battery["discharge_max_kw"], steps)[t], hours[t] * wear)
        stored = programme.column(min(least, most), most, worth)
        gains = {
            stored: 1.0,
            charge: -hours[t] * number_of(battery, "charge_efficiency"),
            give: hours[t] / number_of(battery, "discharge_efficiency"),
        }
        _follow(programme, gains, before, kept[t], start)
        if asked.get("exclusive"):
            programme.either(charge, give)
        if price is not None and reserve[t] > low[t]:
            short = programme.column(0, math.inf, hours[t] * number(price))
            programme.row({stored: 1, short: 1}, min(reserve[t], high[t]), math.inf)
        node[t] |= {charge: 1.0, give: -1.0}
        before = stored


def _car(
    programme: _Programme, car: Document, hours: list[float], node: list[Terms], *, both: bool
) -> None:
    steps, start = len(hours), number_of(car, "start_kwh", 0.0)
    arrival, departure = int(number_of(car, "arrival")), int(number_of(car, "departure"))
    into, least = number_of(car, "charge_efficiency", 1.0), number_of(car, "charge_min_kw", 0.0)
    minimum, energy = number_of(car, "minimum_kwh", 0.0), number_of(car, "energy_kwh")
    room = car.get("capacity_kwh")
    most = number(room) if room is not None else max(minimum, energy, start)
    if room is None:
        most += least * into * max(hours)
    power = each(car["charge_max_kw"], steps)
    back = each(car.get("discharge_max_kw") or 0.0, steps)
    before, soonest = None, start
    for t in range(steps):
        here = arrival <= t < departure
        soonest += hours[t] * into * power[t] * here
        low = min(minimum, soonest) if here else 0.0
        low = max(low, energy) if t == departure - 1 else low
        charge = programme.column(0, power[t] * here)
        give = programme.column(0, back[t] * here)
        stored = programme.column(
            min(0.0, start) if programme.soft else min(low, most), max(most, start)
        )
        if not programme.soft:
            programme.row({stored: 1}, low, most)
        loss = hours[t] / number_of(car, "discharge_efficiency", 1.0)
        _follow(programme, {stored: 1.0, charge: -hours[t] * into, give: loss}, before, 1.0, start)
        if least and here:
            switch = programme.column(0, 1, whole=True)
            programme.row({charge: 1, switch: -power[t]}, -math.inf, 0)
            programme.row({charge: 1, switch: -least}, 0, math.inf)
        if not both:
            programme.either(charge, give)
        node[t] |= {charge: 1.0, give: -1.0}
        before = stored


def _pump(programme: _Programme, pump: Document, hours: list[float], node: list[Terms]) -> None:
    """Add a column for the temperature itself after each step."""
    steps, per_k = len(hours), number_of(pump, "capacity_kwh_per_k")
    cop, outside = each(pump["cop"], steps), each(pump["outside_c"], steps)
    demand = each(pump.get("demand_kw") or 0.0, steps)
    low, high = each(pump["min_c"], steps), each(pump["max_c"], steps)
    least, most = number_of(pump, "power_min_kw", 0.0), each(pump["power_max_kw"], steps)
    start = number_of(pump, "start_c")
    parts = [math.exp(-number_of(pump, "loss_kw_per_k") * hour / per_k) for hour in hours]
    adds = [outside[t] * (1 - parts[t]) - hours[t] * demand[t] / per_k for t in range(steps)]
    rest, resting = start, [start]
    for part, add in zip(parts, adds, strict=True):
        rest = part * rest + add
        resting.append(rest)
    before: int | None = None
    for t in range(steps):
        power = programme.column(0, most[t])
        bounds = (
            (min([*low, *resting]), max([*high, *resting])) if programme.soft else (low[t], high[t])
        )
        warm = programme.column(*bounds)
        gains = {warm: 1.0, power: -hours[t] * cop[t] / per_k}
        _follow(programme, gains, before, parts[t], start, adds[t])
        if least:
            switch = programme.column(0, 1, whole=True)
            programme.row({power: 1, switch: -most[t]}, -math.inf, 0)
            programme.row({power: 1, switch: -least}, 0, math.inf)
        node[t] |= {power: 1.0}
        before = warm


def _follow(
    programme: _Programme,
    gains: Terms,
    before: int | None,
    kept: float,
    start: float,
    more: float = 0.0,
) -> None:
    if before is None:
        programme.row(gains, kept * start + more, kept * start + more)
    else:
        programme.row({**gains, before: -kept}, more, more)


def _run(programme: _Programme, run: Document, node: list[Terms]) -> None:
    powers = each(run["power_kw"], 0)
    first, last = int(number_of(run, "earliest")), int(number_of(run, "latest_end")) - len(powers)
    places = {start: programme.column(0, 1, whole=True) for start in range(first, last + 1)}
    programme.row(dict.fromkeys(places.values(), 1.0), 1, 1)
    for start, column in places.items():
        for t, power in enumerate(powers):
            node[start + t][column] = power


def _boundaries(
    programme: _Programme,
    asked: Document,
    nodes: dict[str, list[Terms]],
    fixed: dict[str, list[float]],
) -> None:
    calls = tables(asked, "calls")
    limited: list[tuple[list[str], Document, str | None]] = [
        (list(nodes), table(asked.get("grid") or {}), None)
    ]
    limited += [([str(home["id"])], home, "") for home in tables(asked, "homes")]
    for group in tables(asked, "groups"):
        members = group["homes"]
        assert isinstance(members, list)
        names = [*(str(name) for name in members), f"in {group['id']}"]
        limited.append((names, group, str(group["id"])))
    for names, limits, label in limited:
        on_it = [call for call in calls if call.get("group") == label]
        for t in range(len(nodes[""])):
            net: Terms = {}
            for name in names:
                net |= nodes[name][t]
            there = sum(fixed[name][t] for name in names)
            for word, sign in (("import_limit_kw", 1.0), ("export_limit_kw", -1.0)):
                most = [each(or_infinite(limits.get(word)), len(nodes[""]))[t]]
                most += [
                    number(or_infinite(call.get(word)))
                    for call in on_it
                    if number_of(call, "from") <= t <= number_of(call, "to")
                ]
                signed = {column: sign * value for column, value in net.items()}
                programme.limit(signed, min(most) - sign * there)


def _money(
    programme: _Programme,
    asked: Document,
    hours: list[float],
    nodes: dict[str, list[Terms]],
    fixed: dict[str, list[float]],
) -> None:
    steps = len(hours)
    buy, sell = each(asked["buy_eur_per_kwh"], steps), each(asked["sell_eur_per_kwh"], steps)
    grid, sharing = table(asked.get("grid") or {}), asked.get("sharing")
    so_far = number_of(grid, "peak_so_far_kw", 0.0)
    over = programme.column(0, math.inf, number_of(grid, "peak_price_eur_per_kw", 0.0))
    beside = [name for name in nodes if name == "" or name.startswith("in ")]
    meters = [[name] for name in nodes if name not in beside] + [beside]
    if sharing is None:
        meters = [list(nodes)]
    for t in range(steps):
        taken, given = [], []
        for meter in meters:
            taken.append(programme.column(0, _BIG, hours[t] * buy[t]))
            given.append(programme.column(0, _BIG, -hours[t] * sell[t]))
            net: Terms = {taken[-1]: 1.0, given[-1]: -1.0}
            for name in meter:
                net |= {column: -value for column, value in nodes[name][t].items()}
            there = sum(fixed[name][t] for name in meter)
            programme.row(net, there, there)
            programme.either(taken[-1], given[-1])
        street = dict.fromkeys(taken, 1.0) | dict.fromkeys(given, -1.0)
        programme.row({**street, over: -1.0}, -math.inf, so_far)
        if sharing is not None:
            saved = buy[t] - sell[t] - number_of(table(sharing), "levy_eur_per_kwh")
            shared = programme.column(0, _BIG if saved > 0 else 0.0, -hours[t] * saved)
            programme.row({shared: 1, **dict.fromkeys(taken, -1.0)}, -math.inf, 0)
            programme.row({shared: 1, **dict.fromkeys(given, -1.0)}, -math.inf, 0)


def _place(asked: Document, battery: Document) -> str:
    for group in tables(asked, "groups"):
        own = group.get("batteries") or []
        assert isinstance(own, list)
        if battery["id"] in own:
            return f"in {group['id']}"
    return str(battery.get("home") or "")
