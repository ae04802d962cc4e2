"""What a schedule really costs and which limits it breaks, reckoned from the schedule alone.

Written from what the keys of a problem say, one step and one part at a time in plain Python: it
shares no code with the planner, its programme or its own checker, and starts from the parts as they
are handed over, not from the planner's arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from optimizer.plan import Plan
from optimizer.problem import Battery, HeatPump, Limit, Session
from tests.optimizer.streets import Street

Rows = Sequence[Sequence[float]]
ROOM = 1e-6
"""What a limit may be off for rounding, absolute and relative."""
TOLD = 1e-5
"""What is broken by less than this is rounding [kW, kWh or K]."""
DUST_KW = 1e-6
WISH = ".reserve_kwh"
"""A reserve is a wish with a price: a plan that falls short of it is no worse for that."""


@dataclass
class Verdict:
    """What follows from a schedule.

    Attributes:
        cost_eur: Energy, wear and peak.
        end_value_eur: Worth of what is stored where the end is free.
        reserve_eur: What falling short of reserves costs where that has a price.
        excess: By how much each limit that may give way is broken at most, by its key.
        laws: The same of what no device can do.
    """

    cost_eur: float = 0.0
    end_value_eur: float = 0.0
    reserve_eur: float = 0.0
    excess: dict[str, float] = field(default_factory=dict)
    laws: dict[str, float] = field(default_factory=dict)

    @property
    def objective_eur(self) -> float:
        return self.cost_eur - self.end_value_eur + self.reserve_eur

    def limit(self, key: str, value: float, most: float) -> None:
        _note(self.excess, key, value, most)

    def law(self, key: str, value: float, most: float) -> None:
        _note(self.laws, key, value, most)


def judged(
    street: Street,
    charge_kw: Rows,
    discharge_kw: Rows,
    curtailed_kw: Rows,
    starts: Sequence[int] = (),
) -> Verdict:
    """Return the verdict on powers of batteries, cars and heat pumps, in this order.

    Args:
        street: What was planned.
        charge_kw: One row a part, one number a step.
        discharge_kw: The same.
        curtailed_kw: One row a home.
        starts: The step each machine starts in.
    """
    found = Verdict()
    behind: dict[str | None, list[float]] = {None: [0.0] * street.steps}
    for home, cut in zip(street.homes, curtailed_kw, strict=True):
        behind[home.id] = []
        for step in range(street.steps):
            pv = 0.0 if home.pv_kw is None else float(home.pv_kw[step])
            found.law(f"homes.{home.id}.curtailed_kw", cut[step], pv if home.pv_curtailable else 0)
            found.law(f"homes.{home.id}.curtailed_kw", -cut[step], 0.0)
            behind[home.id].append(float(home.load_kw[step]) - pv + cut[step])
    parts: list[Battery | Session | HeatPump] = [
        *street.batteries,
        *street.sessions,
        *street.heat_pumps,
    ]
    alone: dict[str, list[float]] = {}
    for part, taken, given in zip(parts, charge_kw, discharge_kw, strict=True):
        if isinstance(part, Battery):
            _battery(found, street, part, taken, given)
            alone[part.id] = [one - other for one, other in zip(taken, given, strict=True)]
        elif isinstance(part, Session):
            _session(found, street, part, taken, given)
        else:
            _heat_pump(found, street, part, taken, given)
        for step in range(street.steps):
            behind[part.home][step] += taken[step] - given[step]
    for run, start in zip(street.runs, starts, strict=True):
        found.law(f"runs.{run.id}.earliest", run.earliest, start)
        found.law(f"runs.{run.id}.latest_end", start + len(run.power_kw), run.latest_end)
        for later, power in enumerate(run.power_kw):
            behind[run.home][start + later] += float(power)
    _connections(found, street, behind, alone)
    return found


def judged_plan(street: Street, made: Plan) -> Verdict:
    """Return the verdict on a plan's own powers."""
    return judged(
        street,
        made.charge_kw.tolist(),
        made.discharge_kw.tolist(),
        made.curtailed_kw.tolist(),
        made.starts,
    )


def untold(made: Plan, verdict: Verdict) -> dict[str, float]:
    """Return what a plan breaks and does not name, but wishes and rounding.

    A limit that a call has lowered is named by the call.
    """
    named = {one.limit for one in made.violations}
    calls = {key.rpartition(".")[2] for key in named if key.startswith("calls.")}
    return {
        key: excess
        for key, excess in verdict.excess.items()
        if excess > TOLD
        and not key.endswith(WISH)
        and key not in named
        and not (key.startswith(("grid.", "groups.")) and key.rpartition(".")[2] in calls)
    }


def _battery(
    found: Verdict, street: Street, one: Battery, taken: Sequence[float], given: Sequence[float]
) -> None:
    place, stored = f"batteries.{one.id}.", one.soc_start_kwh
    for step, hours in enumerate(street.hours):
        _powers(found, place, street, step, one.charge_max_kw, taken, one.discharge_max_kw, given)
        gained = one.charge_efficiency * taken[step] - given[step] / one.discharge_efficiency
        stored = one.retention_per_hour**hours * stored + hours * gained
        found.limit(place + "soc_max_kwh", stored, _at(one.soc_max_kwh, step))
        found.limit(place + "soc_min_kwh", -stored, -_at(one.soc_min_kwh, step))
        short = max(_at(one.reserve_kwh, step), _at(one.soc_min_kwh, step)) - stored
        if _at(one.reserve_kwh, step) > _at(one.soc_min_kwh, step):
            found.limit(place + "reserve_kwh", short, 0.0)
            price = one.reserve_price_eur_per_kwh or 0.0
            found.reserve_eur += price * hours * max(short, 0.0)
        found.cost_eur += hours * one.wear_eur_per_kwh * given[step]
    if one.soc_end_kwh is None:
        found.end_value_eur += one.end_value_eur_per_kwh * stored
    else:
        found.limit(place + "soc_end_kwh", abs(stored - one.soc_end_kwh), 0.0)


def _session(
    found: Verdict, street: Street, car: Session, taken: Sequence[float], given: Sequence[float]
) -> None:
    place, stored, soonest = f"sessions.{car.id}.", car.start_kwh, car.start_kwh
    most = max(car.energy_kwh, car.minimum_kwh, car.start_kwh)
    most += car.charge_min_kw * car.charge_efficiency * max(street.hours)
    for step, hours in enumerate(street.hours):
        if not car.arrival <= step < car.departure:
            found.law(place + "arrival", max(taken[step], given[step]), 0.0)
            continue
        _powers(found, place, street, step, car.charge_max_kw, taken, car.discharge_max_kw, given)
        if taken[step] > DUST_KW:
            found.law(place + "charge_min_kw", car.charge_min_kw, taken[step])
        stored += hours * (
            car.charge_efficiency * taken[step] - given[step] / car.discharge_efficiency
        )
        able = _at(car.charge_max_kw, step)
        soonest += hours * car.charge_efficiency * (able if able >= car.charge_min_kw else 0.0)
        found.limit(place + "minimum_kwh", min(car.minimum_kwh, soonest), stored)
        capacity = most if car.capacity_kwh is None else car.capacity_kwh
        found.limit(place + "capacity_kwh", stored, capacity)
        found.law(place + "empty", -stored, 0.0)
    found.limit(place + "energy_kwh", car.energy_kwh, stored)


def _heat_pump(
    found: Verdict, street: Street, one: HeatPump, taken: Sequence[float], given: Sequence[float]
) -> None:
    place, warm = f"heat_pumps.{one.id}.", one.start_c
    for step, hours in enumerate(street.hours):
        _powers(found, place, street, step, one.power_max_kw, taken, 0.0, given)
        if taken[step] > DUST_KW:
            found.law(place + "power_min_kw", one.power_min_kw, taken[step])
        fade = math.exp(-one.loss_kw_per_k * hours / one.capacity_kwh_per_k)
        outside = _at(one.outside_c, step)
        heat = _at(one.cop, step) * taken[step] - _at(one.demand_kw, step)
        warm = outside + fade * (warm - outside) + hours * heat / one.capacity_kwh_per_k
        found.limit(place + "min_c", _at(one.min_c, step), warm)
        found.limit(place + "max_c", warm, _at(one.max_c, step))


def _powers(
    found: Verdict,
    place: str,
    street: Street,
    step: int,
    most_in: Limit,
    taken: Sequence[float],
    most_out: Limit,
    given: Sequence[float],
) -> None:
    found.law(place + "charge_max_kw", taken[step], _at(most_in, step))
    found.law(place + "discharge_max_kw", given[step], _at(most_out, step))
    found.law(place + "negative", -min(taken[step], given[step]), 0.0)
    if street.exclusive:
        found.law(place + "exclusive_kw", min(taken[step], given[step]), 0.0)


def _connections(
    found: Verdict,
    street: Street,
    behind: dict[str | None, list[float]],
    alone: dict[str, list[float]],
) -> None:
    for home in street.homes:
        for step, net in enumerate(behind[home.id]):
            _both(found, f"homes.{home.id}.", net, home.import_limit_kw, home.export_limit_kw, step)
    for group in street.groups:
        for step in range(street.steps):
            net = sum(behind[name][step] for name in group.homes)
            net += sum(alone[name][step] for name in group.batteries)
            most = _called(street, group.id, group.import_limit_kw, group.export_limit_kw, step)
            _both(found, f"groups.{group.id}.", net, *most, step)
    peak = 0.0
    for step in range(street.steps):
        meters = [powers[step] for powers in behind.values()]
        grid = street.grid
        most = _called(street, None, grid.import_limit_kw, grid.export_limit_kw, step)
        _both(found, "grid.", sum(meters), *most, step)
        peak = max(peak, sum(meters))
        found.cost_eur += street.hours[step] * _energy_eur_per_h(street, step, meters)
    over = max(peak - street.grid.peak_so_far_kw, 0.0)
    found.cost_eur += street.grid.peak_price_eur_per_kw * over


def _energy_eur_per_h(street: Street, step: int, meters: Sequence[float]) -> float:
    buy, sell = street.buy[step], street.sell[step]
    taken, given = sum(max(net, 0.0) for net in meters), sum(max(-net, 0.0) for net in meters)
    if street.sharing is None:
        net = sum(meters)
        return buy * max(net, 0.0) - sell * max(-net, 0.0)
    levy = street.sharing.levy_eur_per_kwh
    shared = min(taken, given) if levy <= buy - sell else 0.0
    return buy * (taken - shared) - sell * (given - shared) + levy * shared


def _both(
    found: Verdict, place: str, net: float, most_in: Limit, most_out: Limit, step: int
) -> None:
    found.limit(place + "import_limit_kw", net, _at(most_in, step))
    found.limit(place + "export_limit_kw", -net, _at(most_out, step))


def _called(
    street: Street, group: str | None, most_in: Limit, most_out: Limit, step: int
) -> tuple[float, float]:
    """Return the limits of a step with the calls that hold in it."""
    taken, given = _at(most_in, step), _at(most_out, step)
    for call in street.calls:
        if call.group == group and call.first <= step <= call.last:
            taken, given = min(taken, call.import_limit_kw), min(given, call.export_limit_kw)
    return taken, given


def _note(noted: dict[str, float], key: str, value: float, most: float) -> None:
    if not value <= most + ROOM * max(1.0, abs(most) if math.isfinite(most) else 1.0):
        noted[key] = max(noted.get(key, 0.0), value - most)


def _at(limit: Limit, step: int) -> float:
    return float(np.asarray(limit)) if np.ndim(limit) == 0 else float(np.asarray(limit)[step])
