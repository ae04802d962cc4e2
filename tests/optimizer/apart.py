"""The least a street can cost, by SciPy's HiGHS on a programme written apart from the planner's.

It starts from the parts as they are handed over, not from the planner's arrays: each sentence of
what a part is became a row here. Whole numbers stand wherever two ways, a least power or a start
are to be told apart, never by argument; curtailment is each home's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from optimizer.problem import Battery, HeatPump, Limit, Session
from tests.optimizer.row_by_row import RowByRow, Terms
from tests.optimizer.streets import Street


def least_objective(street: Street) -> float | None:
    """Return the least of cost, less the worth of free ends, with what reserves cost.

    None where the limits cannot all be met.
    """
    return _programme(street).least()


def searched_objective(street: Street, limit_s: float) -> tuple[float, float] | None:
    """Return between what that least lies after a search of so long [s]."""
    return _programme(street).searched(limit_s)


def _programme(street: Street) -> RowByRow:
    made = RowByRow()
    drawn: dict[str | None, list[Terms]] = defaultdict(
        lambda: [defaultdict(float) for _ in range(street.steps)]
    )
    beside: dict[str, list[Terms]] = {}
    for battery in street.batteries:
        terms = _battery(made, street, battery)
        _add(drawn[battery.home], terms)
        beside[battery.id] = terms
    for session in street.sessions:
        _add(drawn[session.home], _session(made, street, session))
    for pump in street.heat_pumps:
        _add(drawn[pump.home], _heat_pump(made, street, pump))
    for run in street.runs:
        begins = range(run.earliest, run.latest_end - len(run.power_kw) + 1)
        switches = {begin: made.column(0, 1, whole=True) for begin in begins}
        made.row(dict.fromkeys(switches.values(), 1.0), 1, 1)
        for begin, switch in switches.items():
            for later, power in enumerate(run.power_kw):
                drawn[run.home][begin + later][switch] += float(power)
    meters = _meters(made, street, drawn)
    _groups(made, street, meters, beside)
    _connection(made, street, meters)
    return made


def _battery(made: RowByRow, street: Street, battery: Battery) -> list[Terms]:
    steps, hours = street.steps, street.hours
    low, high = _each(battery.soc_min_kwh, steps), _each(battery.soc_max_kwh, steps)
    reserve = _each(battery.reserve_kwh, steps)
    most_in, most_out = _each(battery.charge_max_kw, steps), _each(battery.discharge_max_kw, steps)
    drawn, before = [], None
    for step in range(steps):
        charge = made.column(0, most_in[step])
        discharge = made.column(0, most_out[step], hours[step] * battery.wear_eur_per_kwh)
        stored = made.column(low[step], high[step])
        last = step == steps - 1
        if last and battery.soc_end_kwh is None:
            made.cost[stored] = -battery.end_value_eur_per_kwh
        elif last:
            end = float(battery.soc_end_kwh or 0.0)
            made.row({stored: 1}, end, end)
        if reserve[step] > low[step]:
            price = battery.reserve_price_eur_per_kwh
            most = 0.0 if price is None else np.inf
            short = made.column(0, most, hours[step] * (price or 0.0))
            made.row({stored: 1, short: 1}, reserve[step], np.inf)
        kept = battery.retention_per_hour ** hours[step]
        terms = {
            stored: 1.0,
            charge: -hours[step] * battery.charge_efficiency,
            discharge: hours[step] / battery.discharge_efficiency,
        }
        _follow(made, terms, before, kept, battery.soc_start_kwh, 0.0)
        if street.exclusive:
            made.one_way(charge, most_in[step], discharge, most_out[step])
        drawn.append({charge: 1.0, discharge: -1.0})
        before = stored
    return drawn


def _session(made: RowByRow, street: Street, car: Session) -> list[Terms]:
    steps, hours = street.steps, street.hours
    most_in, most_out = _each(car.charge_max_kw, steps), _each(car.discharge_max_kw, steps)
    most = max(car.energy_kwh, car.minimum_kwh, car.start_kwh)
    most += car.charge_min_kw * car.charge_efficiency * max(hours)
    if car.capacity_kwh is not None:
        most = car.capacity_kwh
    drawn: list[Terms] = [{} for _ in range(steps)]
    before, soonest = None, car.start_kwh
    for step in range(car.arrival, car.departure):
        able = most_in[step] if most_in[step] >= car.charge_min_kw else 0.0
        soonest += hours[step] * car.charge_efficiency * able
        least = min(car.minimum_kwh, soonest)
        if step == car.departure - 1:
            least = max(least, car.energy_kwh)
        charge, discharge = made.column(0, able), made.column(0, most_out[step])
        stored = made.column(least, most)
        if car.charge_min_kw > 0:
            runs = made.column(0, 1, whole=True)
            made.row({charge: 1, runs: -able}, -np.inf, 0)
            made.row({charge: 1, runs: -car.charge_min_kw}, 0, np.inf)
            if able == 0:
                made.high[runs] = 0
        if street.exclusive:
            made.one_way(charge, able, discharge, most_out[step])
        terms = {
            stored: 1.0,
            charge: -hours[step] * car.charge_efficiency,
            discharge: hours[step] / car.discharge_efficiency,
        }
        _follow(made, terms, before, 1.0, car.start_kwh, 0.0)
        drawn[step] = {charge: 1.0, discharge: -1.0}
        before = stored
    return drawn


def _heat_pump(made: RowByRow, street: Street, pump: HeatPump) -> list[Terms]:
    """Return its power; columns are degrees: what is warmer than outside fades with time."""
    steps, hours = street.steps, street.hours
    power, cop, outside, demand, low, high = (
        _each(limit, steps)
        for limit in (
            pump.power_max_kw, pump.cop, pump.outside_c, pump.demand_kw, pump.min_c, pump.max_c
        )
    )  # fmt: skip
    drawn, before = [], None
    for step in range(steps):
        able = power[step] if power[step] >= pump.power_min_kw else 0.0
        used, warm = made.column(0, able), made.column(low[step], high[step])
        if pump.power_min_kw > 0:
            runs = made.column(0, 1 if able > 0 else 0, whole=True)
            made.row({used: 1, runs: -able}, -np.inf, 0)
            made.row({used: 1, runs: -pump.power_min_kw}, 0, np.inf)
        fade = float(np.exp(-pump.loss_kw_per_k * hours[step] / pump.capacity_kwh_per_k))
        per_kw = hours[step] / pump.capacity_kwh_per_k
        brought = outside[step] * (1 - fade) - per_kw * demand[step]
        _follow(made, {warm: 1.0, used: -per_kw * cop[step]}, before, fade, pump.start_c, brought)
        drawn.append({used: 1.0})
        before = warm
    return drawn


def _follow(
    made: RowByRow, terms: Terms, before: int | None, kept: float, start: float, brought: float
) -> None:
    """Say that a column is what was kept of the one before it, plus what was brought."""
    if before is None:
        made.row(terms, kept * start + brought, kept * start + brought)
    else:
        made.row({**terms, before: -kept}, brought, brought)


def _meters(
    made: RowByRow, street: Street, drawn: dict[str | None, list[Terms]]
) -> dict[str | None, list[int]]:
    """Return the exchange of each home, and of what stands beside them, one column a step."""
    meters: dict[str | None, list[int]] = {}
    for home in street.homes:
        most = _each(home.import_limit_kw, street.steps), _each(home.export_limit_kw, street.steps)
        pv = [0.0] * street.steps if home.pv_kw is None else [float(one) for one in home.pv_kw]
        meters[home.id] = []
        for step in range(street.steps):
            cut = made.column(0, pv[step] if home.pv_curtailable else 0.0)
            net = made.column(-most[1][step], most[0][step])
            use = float(home.load_kw[step]) - pv[step]
            behind = {column: -part for column, part in drawn[home.id][step].items()}
            made.row({net: 1.0, cut: -1.0, **behind}, use, use)
            meters[home.id].append(net)
    meters[None] = []
    for step in range(street.steps):
        net = made.column(-np.inf, np.inf)
        beside = {column: -part for column, part in drawn[None][step].items()}
        made.row({net: 1.0, **beside}, 0, 0)
        meters[None].append(net)
    return meters


def _groups(
    made: RowByRow,
    street: Street,
    meters: dict[str | None, list[int]],
    beside: dict[str, list[Terms]],
) -> None:
    for group in street.groups:
        most_in = _each(group.import_limit_kw, street.steps)
        most_out = _each(group.export_limit_kw, street.steps)
        _lower(street, group.id, most_in, most_out)
        for step in range(street.steps):
            terms = {meters[name][step]: 1.0 for name in group.homes}
            for name in group.batteries:
                terms.update(beside[name][step])
            made.row(terms, -most_out[step], most_in[step])


def _connection(made: RowByRow, street: Street, meters: dict[str | None, list[int]]) -> None:
    most_in = _each(street.grid.import_limit_kw, street.steps)
    most_out = _each(street.grid.export_limit_kw, street.steps)
    _lower(street, None, most_in, most_out)
    peak = made.column(street.grid.peak_so_far_kw, np.inf, street.grid.peak_price_eur_per_kw)
    # The peak that was there already is paid: its cost is no part of the plan's.
    paid = street.grid.peak_price_eur_per_kw * street.grid.peak_so_far_kw
    made.column(1, 1, -paid)
    big = _big(street)
    for step in range(street.steps):
        exchange = {columns[step]: 1.0 for columns in meters.values()}
        made.row(exchange, -most_out[step], most_in[step])
        made.row({peak: 1.0, **dict.fromkeys(exchange, -1.0)}, 0, np.inf)
        counted = [exchange] if street.sharing is None else [{one: 1.0} for one in exchange]
        _energy(made, street, step, counted, big)


def _energy(made: RowByRow, street: Street, step: int, meters: Sequence[Terms], big: float) -> None:
    """Say what meters cost in a step: each its own import and export, less what they share."""
    buy, sell = street.buy[step] * street.hours[step], street.sell[step] * street.hours[step]
    all_in: Terms = {}
    all_out: Terms = {}
    for meter in meters:
        taken, given = made.column(0, np.inf, buy), made.column(0, np.inf, -sell)
        less = {column: -part for column, part in meter.items()}
        made.row({taken: 1.0, given: -1.0, **less}, 0, 0)
        made.one_way(taken, big, given, big)
        all_in[taken], all_out[given] = -1.0, -1.0
    if street.sharing is None:
        return
    gain = buy - sell - street.sharing.levy_eur_per_kwh * street.hours[step]
    if gain >= 0:
        shared = made.column(0, np.inf, -gain)
        made.row({shared: 1.0, **all_in}, -np.inf, 0)
        made.row({shared: 1.0, **all_out}, -np.inf, 0)


def _lower(street: Street, group: str | None, most_in: list[float], most_out: list[float]) -> None:
    for call in street.calls:
        if call.group == group:
            for step in range(call.first, call.last + 1):
                most_in[step] = min(most_in[step], float(call.import_limit_kw))
                most_out[step] = min(most_out[step], float(call.export_limit_kw))


def _big(street: Street) -> float:
    """Return more than any meter can exchange [kW]."""
    powers = [float(one) for home in street.homes for one in home.load_kw]
    for home in street.homes:
        powers += [] if home.pv_kw is None else [float(one) for one in home.pv_kw]
    stores: list[Battery | Session] = [*street.batteries, *street.sessions]
    for part in stores:
        powers += _each(part.charge_max_kw, street.steps)
        powers += _each(part.discharge_max_kw, street.steps)
    for pump in street.heat_pumps:
        powers += _each(pump.power_max_kw, street.steps)
    powers += [one for run in street.runs for one in run.power_kw]
    return float(sum(powers)) + 1.0


def _add(drawn: list[Terms], more: Sequence[Terms]) -> None:
    for terms, extra in zip(drawn, more, strict=True):
        for column, part in extra.items():
            terms[column] = terms.get(column, 0.0) + part


def _each(limit: Limit, steps: int) -> list[float]:
    return [float(one) for one in np.broadcast_to(np.asarray(limit, dtype=np.float64), (steps,))]
