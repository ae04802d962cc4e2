"""A judge of answers: holds the JSON of a plan against the JSON of its problem, from scratch.

It shares no code with the planner: it takes the schedule alone, plays it step by step, and tells
what it costs and which limits it breaks by how much.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from kwartier.wire import Json
from tests.optimizer.neighbourhood_problems import Document

_SLACK = 1e-6


@dataclass(slots=True)
class Judged:
    """What a schedule comes to.

    Attributes:
        cost_eur: Energy, peak and wear.
        worth_eur: What is stored at free ends.
        short_eur: What is short of reserves that have a price.
        broken: By how much each limit is broken, by key and step.
        wrong: Laws of nature and devices that the schedule does not keep.
    """

    cost_eur: float = 0.0
    worth_eur: float = 0.0
    short_eur: float = 0.0
    broken: dict[tuple[str, int], float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def over(self, limit: str, step: int, excess: float) -> None:
        if excess > _SLACK:
            self.broken[limit, step] = excess

    def law(self, name: str, *, kept: bool) -> None:
        if not kept:
            self.wrong.append(name)


def judged(asked: Document, answer: Document) -> Judged:
    """Return what the schedule of an answer comes to."""
    found = Judged()
    hours, steps = _hours(asked), len(_many(asked["buy_eur_per_kwh"]))
    nets: dict[str | None, list[float]] = {None: [0.0] * steps}
    for home in _parts(asked, "homes"):
        name = str(home["id"])
        cut = _many(_part(answer["curtailed_kw"])[name])
        use, sun = _each(home["load_kw"], steps), _each(home.get("pv_kw") or 0.0, steps)
        nets[name] = [use[t] - sun[t] + cut[t] for t in range(steps)]
        for t in range(steps):
            most = sun[t] if home.get("pv_curtailable") else 0.0
            found.law(f"{name} cuts at {t}", kept=-_SLACK <= cut[t] <= most + _SLACK)
    for kind, key in (("batteries", "charge_kw"), ("sessions", "charge_kw")):
        for part, told in zip(_parts(asked, kind), _parts(answer, kind), strict=True):
            charge, discharge = _many(told[key]), _many(told["discharge_kw"])
            _store(found, kind, part, told, hours, exclusive=bool(asked.get("exclusive")))
            inside = _group_of(asked, part) if kind == "batteries" else None
            _add(nets, part, [charge[t] - discharge[t] for t in range(steps)], inside)
    for pump, told in zip(_parts(asked, "heat_pumps"), _parts(answer, "heat_pumps"), strict=True):
        _heat(found, pump, told, hours)
        _add(nets, pump, _many(told["power_kw"]))
    for run, told in zip(_parts(asked, "runs"), _parts(answer, "runs"), strict=True):
        _add(nets, run, _run(found, run, told, steps))
    _limits(found, asked, nets)
    _money(found, asked, nets, hours)
    grid = _part(answer["grid"])
    street = [sum(net[t] for net in nets.values()) for t in range(steps)]
    for t, (taken, given) in enumerate(
        zip(_many(grid["import_kw"]), _many(grid["export_kw"]), strict=True)
    ):
        found.law(f"balance at {t}", kept=abs(taken - given - street[t]) <= 1e-5)
        found.law(f"one way at {t}", kept=min(taken, given) == 0.0)
    return found


def _store(
    found: Judged, kind: str, part: Document, told: Document, hours: list[float], *, exclusive: bool
) -> None:
    name, steps = f"{kind}.{part['id']}", len(hours)
    charge, discharge = _many(told["charge_kw"]), _many(told["discharge_kw"])
    into, out_of = _one(part, "charge_efficiency", 1.0), _one(part, "discharge_efficiency", 1.0)
    most_in = _each(part["charge_max_kw"], steps)
    most_out = _each(part.get("discharge_max_kw") or 0.0, steps)
    is_car = kind == "sessions"
    least = _one(part, "charge_min_kw", 0.0)
    kept = _one(part, "retention_per_hour", 1.0)
    stored = _one(part, "start_kwh" if is_car else "soc_start_kwh", 0.0)
    levels = []
    for t in range(steps):
        here = not is_car or int(_one(part, "arrival")) <= t < int(_one(part, "departure"))
        found.law(f"{name} charges at {t}", kept=0 <= charge[t] <= here * most_in[t] + _SLACK)
        found.law(f"{name} gives at {t}", kept=0 <= discharge[t] <= here * most_out[t] + _SLACK)
        found.law(f"{name} least at {t}", kept=charge[t] <= 1e-6 or charge[t] >= least - _SLACK)
        if exclusive:
            found.law(f"{name} one way at {t}", kept=min(charge[t], discharge[t]) <= 1e-5)
        stored = stored * kept ** hours[t] + hours[t] * (into * charge[t] - discharge[t] / out_of)
        levels.append(stored)
    for t, level in enumerate(_many(told["soc_kwh"])):
        found.law(f"{name} stores at {t}", kept=math.isclose(level, levels[t], abs_tol=1e-5))
    if is_car:
        _car(found, name, part, levels, hours)
        return
    _battery(found, name, part, levels, hours)
    found.cost_eur += sum(
        hours[t] * _one(part, "wear_eur_per_kwh", 0.0) * discharge[t] for t in range(steps)
    )


def _battery(
    found: Judged, name: str, part: Document, levels: list[float], hours: list[float]
) -> None:
    steps = len(levels)
    low, high = _each(part["soc_min_kwh"], steps), _each(part["soc_max_kwh"], steps)
    reserve = _each(part.get("reserve_kwh") or 0.0, steps)
    price = part.get("reserve_price_eur_per_kwh")
    for t, level in enumerate(levels):
        found.over(f"{name}.soc_min_kwh", t, low[t] - level)
        found.over(f"{name}.soc_max_kwh", t, level - high[t])
        short = min(reserve[t], high[t]) - level
        found.over(f"{name}.reserve_kwh", t, short)
        if price is not None and reserve[t] > low[t]:
            found.short_eur += max(short, 0.0) * hours[t] * _float(price)
    if part.get("soc_end_kwh") is not None:
        missed = abs(levels[-1] - _one(part, "soc_end_kwh"))
        found.over(f"{name}.soc_end_kwh", steps - 1, missed)
    else:
        found.worth_eur += _one(part, "end_value_eur_per_kwh", 0.0) * levels[-1]


def _car(found: Judged, name: str, part: Document, levels: list[float], hours: list[float]) -> None:
    arrival, departure = int(_one(part, "arrival")), int(_one(part, "departure"))
    power = _each(part["charge_max_kw"], len(levels))
    fastest = _one(part, "start_kwh", 0.0)
    for t in range(arrival, departure):
        able = power[t] if power[t] >= _one(part, "charge_min_kw", 0.0) else 0.0
        fastest += hours[t] * _one(part, "charge_efficiency", 1.0) * able
        soonest = min(_one(part, "minimum_kwh", 0.0), fastest)
        found.over(f"{name}.minimum_kwh", t, soonest - levels[t])
    last = levels[departure - 1]
    found.over(f"{name}.energy_kwh", departure - 1, _one(part, "energy_kwh") - last)
    if part.get("capacity_kwh") is not None:
        for t, level in enumerate(levels):
            found.over(f"{name}.capacity_kwh", t, level - _one(part, "capacity_kwh"))


def _heat(found: Judged, pump: Document, told: Document, hours: list[float]) -> None:
    name, steps = f"heat_pumps.{pump['id']}", len(hours)
    power, shown = _many(told["power_kw"]), _many(told["temperature_c"])
    cop, outside = _each(pump["cop"], steps), _each(pump["outside_c"], steps)
    demand = _each(pump.get("demand_kw") or 0.0, steps)
    low, high = _each(pump["min_c"], steps), _each(pump["max_c"], steps)
    per_k, loss = _one(pump, "capacity_kwh_per_k"), _one(pump, "loss_kw_per_k")
    most, least = _each(pump["power_max_kw"], steps), _one(pump, "power_min_kw", 0.0)
    warm = _one(pump, "start_c")
    for t in range(steps):
        warm = outside[t] + (warm - outside[t]) * math.exp(-loss * hours[t] / per_k)
        warm += hours[t] * (cop[t] * power[t] - demand[t]) / per_k
        found.law(f"{name} warmth at {t}", kept=math.isclose(warm, shown[t], abs_tol=1e-4))
        found.law(f"{name} power at {t}", kept=0 <= power[t] <= most[t] + _SLACK)
        found.law(f"{name} least at {t}", kept=power[t] <= 1e-6 or power[t] >= least - _SLACK)
        for limit, excess in (("min_c", low[t] - warm), ("max_c", warm - high[t])):
            if excess * per_k > _SLACK:
                found.over(f"{name}.{limit}", t, excess)


def _run(found: Judged, run: Document, told: Document, steps: int) -> list[float]:
    powers, start = _many(run["power_kw"]), int(_one(told, "start"))
    ends = start + len(powers)
    in_time = int(_one(run, "earliest")) <= start and ends <= int(_one(run, "latest_end"))
    found.law(f"runs.{run['id']} in time", kept=in_time)
    used = [powers[t - start] if start <= t < ends else 0.0 for t in range(steps)]
    found.law(f"runs.{run['id']} uses", kept=used == _many(told["power_kw"]))
    return used


def _limits(found: Judged, asked: Document, nets: dict[str | None, list[float]]) -> None:
    for key, net, limits, calls in boundaries(asked, nets):
        for word, sign in (("import_limit_kw", 1.0), ("export_limit_kw", -1.0)):
            contract = _each(_or_infinite(limits.get(word)), len(net))
            for t, power in enumerate(net):
                most, named = contract[t], f"{key}.{word}"
                for call in calls:
                    called = _float(_or_infinite(call.get(word)))
                    inside = _one(call, "from") <= t <= _one(call, "to")
                    if inside and called <= most:
                        most, named = called, f"calls.{call['id']}.{word}"
                found.over(named, t, sign * power - most)


def boundaries(
    asked: Document, nets: dict[str | None, list[float]]
) -> Iterator[tuple[str, list[float], Document, list[Document]]]:
    """Yield what each limited part exchanges, its limits and its calls; nets by home."""
    steps = len(nets[None])
    calls = _parts(asked, "calls")
    street = [sum(net[t] for net in nets.values()) for t in range(steps)]
    on_all = [call for call in calls if call.get("group") is None]
    yield "grid", street, _part(asked.get("grid") or {}), on_all
    for home in _parts(asked, "homes"):
        yield f"homes.{home['id']}", nets[str(home["id"])], home, []
    for group in _parts(asked, "groups"):
        members = _names(group["homes"])
        net = [sum(nets[name][t] for name in members) for t in range(steps)]
        own = nets.get(f"in {group['id']}", [0.0] * steps)
        together = [net[t] + own[t] for t in range(steps)]
        on_it = [call for call in calls if call.get("group") == group["id"]]
        yield f"groups.{group['id']}", together, group, on_it


def _money(
    found: Judged, asked: Document, nets: dict[str | None, list[float]], hours: list[float]
) -> None:
    steps = len(hours)
    buy, sell = _many(asked["buy_eur_per_kwh"]), _many(asked["sell_eur_per_kwh"])
    street = [sum(net[t] for net in nets.values()) for t in range(steps)]
    grid = _part(asked.get("grid") or {})
    price, so_far = _one(grid, "peak_price_eur_per_kw", 0.0), _one(grid, "peak_so_far_kw", 0.0)
    found.cost_eur += price * max(max(street) - so_far, 0.0)
    sharing = asked.get("sharing")
    for t in range(steps):
        if sharing is None:
            found.cost_eur += hours[t] * (buy[t] if street[t] > 0 else sell[t]) * street[t]
            continue
        beside = [name for name in nets if name is None or name.startswith("in ")]
        meters = [net[t] for name, net in nets.items() if name not in beside]
        meters.append(sum(nets[name][t] for name in beside))
        taken = sum(net for net in meters if net > 0)
        given = sum(-net for net in meters if net < 0)
        levy = _one(_part(sharing), "levy_eur_per_kwh")
        apart = buy[t] * taken - sell[t] * given
        both = min(taken, given)
        found.cost_eur += hours[t] * min(apart, apart - both * (buy[t] - sell[t] - levy))


def _add(
    nets: dict[str | None, list[float]],
    part: Document,
    powers: list[float],
    inside: str | None = None,
) -> None:
    """Add what a part takes to its home, or to what stands beside all homes."""
    home = part.get("home")
    key = inside if home is None else str(home)
    before = nets.get(key, [0.0] * len(powers))
    nets[key] = [one + more for one, more in zip(before, powers, strict=True)]


def _group_of(asked: Document, battery: Document) -> str | None:
    for group in _parts(asked, "groups"):
        if battery["id"] in _names(group.get("batteries") or []):
            return f"in {group['id']}"
    return None


def _hours(asked: Document) -> list[float]:
    return _each(asked["interval_hours"], len(_many(asked["buy_eur_per_kwh"])))


def _or_infinite(value: Json) -> Json:
    return math.inf if value is None else value


def _float(value: Json) -> float:
    assert isinstance(value, int | float)
    return float(value)


def _one(part: Document, key: str, default: float | None = None) -> float:
    value = part.get(key)
    if value is None:
        assert default is not None, key
        return default
    return _float(value)


def _many(value: Json) -> list[float]:
    assert isinstance(value, list)
    return [_float(one) for one in value]


def _each(value: Json, steps: int) -> list[float]:
    return _many(value) if isinstance(value, list) else [_float(value)] * steps


def _part(value: Json) -> Document:
    assert isinstance(value, dict)
    return value


def _parts(whole: Document, key: str) -> list[Document]:
    values = whole.get(key) or []
    assert isinstance(values, list)
    return [_part(one) for one in values]


def _names(value: Json) -> list[str]:
    assert isinstance(value, list)
    return [str(one) for one in value]
