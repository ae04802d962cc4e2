"""A judge of answers: holds the JSON of a plan against the JSON of its problem, from scratch.

It shares no code with the planner: it takes the schedule alone, plays it step by step, and tells
what it costs and which limits it breaks by how much.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.optimizer.document_reading import (
    each,
    names,
    number,
    number_of,
    numbers,
    or_infinite,
    table,
    tables,
)
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
    hours, steps = _hours(asked), len(numbers(asked["buy_eur_per_kwh"]))
    nets: dict[str | None, list[float]] = {None: [0.0] * steps}
    for home in tables(asked, "homes"):
        name = str(home["id"])
        cut = numbers(table(answer["curtailed_kw"])[name])
        use, sun = each(home["load_kw"], steps), each(home.get("pv_kw") or 0.0, steps)
        nets[name] = [use[t] - sun[t] + cut[t] for t in range(steps)]
        for t in range(steps):
            most = sun[t] if home.get("pv_curtailable") else 0.0
            found.law(f"{name} cuts at {t}", kept=-_SLACK <= cut[t] <= most + _SLACK)
    for kind, key in (("batteries", "charge_kw"), ("sessions", "charge_kw")):
        for part, told in zip(tables(asked, kind), tables(answer, kind), strict=True):
            charge, discharge = numbers(told[key]), numbers(told["discharge_kw"])
            _store(found, kind, part, told, hours, exclusive=bool(asked.get("exclusive")))
            inside = _group_of(asked, part) if kind == "batteries" else None
            _add(nets, part, [charge[t] - discharge[t] for t in range(steps)], inside)
    for pump, told in zip(tables(asked, "heat_pumps"), tables(answer, "heat_pumps"), strict=True):
        _heat(found, pump, told, hours)
        _add(nets, pump, numbers(told["power_kw"]))
    for run, told in zip(tables(asked, "runs"), tables(answer, "runs"), strict=True):
        _add(nets, run, _run(found, run, told, steps))
    _limits(found, asked, nets)
    _money(found, asked, nets, hours)
    grid = table(answer["grid"])
    street = [sum(net[t] for net in nets.values()) for t in range(steps)]
    for t, (taken, given) in enumerate(
        zip(numbers(grid["import_kw"]), numbers(grid["export_kw"]), strict=True)
    ):
        found.law(f"balance at {t}", kept=abs(taken - given - street[t]) <= 1e-5)
        found.law(f"one way at {t}", kept=min(taken, given) == 0.0)
    return found


def _store(
    found: Judged, kind: str, part: Document, told: Document, hours: list[float], *, exclusive: bool
) -> None:
    name, steps = f"{kind}.{part['id']}", len(hours)
    charge, discharge = numbers(told["charge_kw"]), numbers(told["discharge_kw"])
    into, out_of = (
        number_of(part, "charge_efficiency", 1.0),
        number_of(part, "discharge_efficiency", 1.0),
    )
    most_in = each(part["charge_max_kw"], steps)
    most_out = each(part.get("discharge_max_kw") or 0.0, steps)
    is_car = kind == "sessions"
    least = number_of(part, "charge_min_kw", 0.0)
    kept = number_of(part, "retention_per_hour", 1.0)
    stored = number_of(part, "start_kwh" if is_car else "soc_start_kwh", 0.0)
    levels = []
    for t in range(steps):
        here = not is_car or int(number_of(part, "arrival")) <= t < int(
            number_of(part, "departure")
        )
        found.law(f"{name} charges at {t}", kept=0 <= charge[t] <= here * most_in[t] + _SLACK)
        found.law(f"{name} gives at {t}", kept=0 <= discharge[t] <= here * most_out[t] + _SLACK)
        found.law(f"{name} least at {t}", kept=charge[t] <= 1e-6 or charge[t] >= least - _SLACK)
        if exclusive:
            found.law(f"{name} one way at {t}", kept=min(charge[t], discharge[t]) <= 1e-5)
        stored = stored * kept ** hours[t] + hours[t] * (into * charge[t] - discharge[t] / out_of)
        levels.append(stored)
    for t, level in enumerate(numbers(told["soc_kwh"])):
        found.law(f"{name} stores at {t}", kept=math.isclose(level, levels[t], abs_tol=1e-5))
    if is_car:
        _car(found, name, part, levels, hours)
        return
    _battery(found, name, part, levels, hours)
    found.cost_eur += sum(
        hours[t] * number_of(part, "wear_eur_per_kwh", 0.0) * discharge[t] for t in range(steps)
    )


def _battery(
    found: Judged, name: str, part: Document, levels: list[float], hours: list[float]
) -> None:
    steps = len(levels)
    low, high = each(part["soc_min_kwh"], steps), each(part["soc_max_kwh"], steps)
    reserve = each(part.get("reserve_kwh") or 0.0, steps)
    price = part.get("reserve_price_eur_per_kwh")
    for t, level in enumerate(levels):
        found.over(f"{name}.soc_min_kwh", t, low[t] - level)
        found.over(f"{name}.soc_max_kwh", t, level - high[t])
        short = min(reserve[t], high[t]) - level
        found.over(f"{name}.reserve_kwh", t, short)
        if price is not None and reserve[t] > low[t]:
            found.short_eur += max(short, 0.0) * hours[t] * number(price)
    if part.get("soc_end_kwh") is not None:
        missed = abs(levels[-1] - number_of(part, "soc_end_kwh"))
        found.over(f"{name}.soc_end_kwh", steps - 1, missed)
    else:
        found.worth_eur += number_of(part, "end_value_eur_per_kwh", 0.0) * levels[-1]


def _car(found: Judged, name: str, part: Document, levels: list[float], hours: list[float]) -> None:
    arrival, departure = int(number_of(part, "arrival")), int(number_of(part, "departure"))
    power = each(part["charge_max_kw"], len(levels))
    fastest = number_of(part, "start_kwh", 0.0)
    for t in range(arrival, departure):
        able = power[t] if power[t] >= number_of(part, "charge_min_kw", 0.0) else 0.0
        fastest += hours[t] * number_of(part, "charge_efficiency", 1.0) * able
        soonest = min(number_of(part, "minimum_kwh", 0.0), fastest)
        found.over(f"{name}.minimum_kwh", t, soonest - levels[t])
    last = levels[departure - 1]
    found.over(f"{name}.energy_kwh", departure - 1, number_of(part, "energy_kwh") - last)
    if part.get("capacity_kwh") is not None:
        for t, level in enumerate(levels):
            found.over(f"{name}.capacity_kwh", t, level - number_of(part, "capacity_kwh"))


def _heat(found: Judged, pump: Document, told: Document, hours: list[float]) -> None:
    name, steps = f"heat_pumps.{pump['id']}", len(hours)
    power, shown = numbers(told["power_kw"]), numbers(told["temperature_c"])
    cop, outside = each(pump["cop"], steps), each(pump["outside_c"], steps)
    demand = each(pump.get("demand_kw") or 0.0, steps)
    low, high = each(pump["min_c"], steps), each(pump["max_c"], steps)
    per_k, loss = number_of(pump, "capacity_kwh_per_k"), number_of(pump, "loss_kw_per_k")
    most, least = each(pump["power_max_kw"], steps), number_of(pump, "power_min_kw", 0.0)
    warm = number_of(pump, "start_c")
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
    powers, start = numbers(run["power_kw"]), int(number_of(told, "start"))
    ends = start + len(powers)
    in_time = int(number_of(run, "earliest")) <= start and ends <= int(number_of(run, "latest_end"))
    found.law(f"runs.{run['id']} in time", kept=in_time)
    used = [powers[t - start] if start <= t < ends else 0.0 for t in range(steps)]
    found.law(f"runs.{run['id']} uses", kept=used == numbers(told["power_kw"]))
    return used


def _limits(found: Judged, asked: Document, nets: dict[str | None, list[float]]) -> None:
    for key, net, limits, calls in boundaries(asked, nets):
        for word, sign in (("import_limit_kw", 1.0), ("export_limit_kw", -1.0)):
            contract = each(or_infinite(limits.get(word)), len(net))
            for t, power in enumerate(net):
                most, named = contract[t], f"{key}.{word}"
                for call in calls:
                    called = number(or_infinite(call.get(word)))
                    inside = number_of(call, "from") <= t <= number_of(call, "to")
                    if inside and called <= most:
                        most, named = called, f"calls.{call['id']}.{word}"
                found.over(named, t, sign * power - most)


def boundaries(
    asked: Document, nets: dict[str | None, list[float]]
) -> Iterator[tuple[str, list[float], Document, list[Document]]]:
    """Yield what each limited part exchanges, its limits and its calls; nets by home."""
    steps = len(nets[None])
    calls = tables(asked, "calls")
    street = [sum(net[t] for net in nets.values()) for t in range(steps)]
    on_all = [call for call in calls if call.get("group") is None]
    yield "grid", street, table(asked.get("grid") or {}), on_all
    for home in tables(asked, "homes"):
        yield f"homes.{home['id']}", nets[str(home["id"])], home, []
    for group in tables(asked, "groups"):
        members = names(group["homes"])
        net = [sum(nets[name][t] for name in members) for t in range(steps)]
        own = nets.get(f"in {group['id']}", [0.0] * steps)
        together = [net[t] + own[t] for t in range(steps)]
        on_it = [call for call in calls if call.get("group") == group["id"]]
        yield f"groups.{group['id']}", together, group, on_it


def _money(
    found: Judged, asked: Document, nets: dict[str | None, list[float]], hours: list[float]
) -> None:
    steps = len(hours)
    buy, sell = numbers(asked["buy_eur_per_kwh"]), numbers(asked["sell_eur_per_kwh"])
    street = [sum(net[t] for net in nets.values()) for t in range(steps)]
    grid = table(asked.get("grid") or {})
    price, so_far = (
        number_of(grid, "peak_price_eur_per_kw", 0.0),
        number_of(grid, "peak_so_far_kw", 0.0),
    )
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
        levy = number_of(table(sharing), "levy_eur_per_kwh")
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
    for group in tables(asked, "groups"):
        if battery["id"] in names(group.get("batteries") or []):
            return f"in {group['id']}"
    return None


def _hours(asked: Document) -> list[float]:
    return each(asked["interval_hours"], len(numbers(asked["buy_eur_per_kwh"])))
