"""Says in words why a car charges, a heat pump runs and a machine starts when it does."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

import numpy as np

from optimizer.plan import Action, Because, Plan, Reason
from optimizer.problem import BoolArray, FloatArray, Problem, StoreKind
from optimizer.why.peak import is_at_peak
from optimizer.why.sun import is_sun_left

_MOVES_KW = 1e-6
_AT_LIMIT = 1e-6

_CAR = {
    (Action.CHARGE, Because.SOLAR_SURPLUS): (
        "De auto laadt: er is meer zon dan we gebruiken.",
        "The car charges: there is more sun than we use.",
    ),
    (Action.CHARGE, Because.NEGATIVE_PRICE): (
        "De auto laadt: stroom van het net levert nu geld op.",
        "The car charges: taking power from the grid earns money now.",
    ),
    (Action.CHARGE, Because.PRICE_LOW): (
        "De auto laadt: stroom is nu goedkoper dan straks.",
        "The car charges: power is cheaper now than later.",
    ),
    (Action.CHARGE, Because.SCHEDULE): (
        "De auto laadt: zo is hij op tijd klaar.",
        "The car charges: this way it is ready in time.",
    ),
    (Action.DISCHARGE, Because.PRICE_HIGH): (
        "De auto geeft stroom terug: stroom is nu duurder dan wanneer hij weer laadt.",
        "The car gives power back: power costs more now than when it charges again.",
    ),
    (Action.DISCHARGE, Because.LIMIT): (
        "De auto geeft stroom terug: er kan niet meer stroom van het net komen.",
        "The car gives power back: no more power can come from the grid.",
    ),
    (Action.DISCHARGE, Because.PEAK): (
        "De auto geeft stroom terug: zo blijft de piek van het net laag.",
        "The car gives power back: this keeps the peak from the grid low.",
    ),
    (Action.DISCHARGE, Because.NO_GAIN): (
        "De auto geeft stroom terug: hij heeft meer dan hij nodig heeft.",
        "The car gives power back: it has more than it needs.",
    ),
    (Action.HOLD, Because.AWAY): ("De auto is er niet.", "The car is not here."),
    (Action.HOLD, Because.FULL): ("De auto wacht: hij is vol.", "The car waits: it is full."),
    (Action.HOLD, Because.PRICE_LOWER_LATER): (
        "De auto wacht: straks is stroom goedkoper.",
        "The car waits: power is cheaper later.",
    ),
    (Action.HOLD, Because.SCHEDULE): (
        "De auto wacht: er is nog tijd genoeg.",
        "The car waits: there is enough time left.",
    ),
    (Action.HOLD, Because.LIMIT): (
        "De auto wacht: wat hij nog mist, kan er nu niet bij.",
        "The car waits: what it still lacks cannot be added now.",
    ),
    (Action.HOLD, Because.NO_GAIN): (
        "De auto wacht: hij heeft wat hij nodig heeft.",
        "The car waits: it has what it needs.",
    ),
}
_HEAT_PUMP = {
    (Action.CHARGE, Because.SOLAR_SURPLUS): (
        "De warmtepomp verwarmt: er is meer zon dan we gebruiken.",
        "The heat pump heats: there is more sun than we use.",
    ),
    (Action.CHARGE, Because.NEGATIVE_PRICE): (
        "De warmtepomp verwarmt: stroom van het net levert nu geld op.",
        "The heat pump heats: taking power from the grid earns money now.",
    ),
    (Action.CHARGE, Because.PRICE_LOW): (
        "De warmtepomp verwarmt: stroom is nu goedkoper dan straks.",
        "The heat pump heats: power is cheaper now than later.",
    ),
    (Action.CHARGE, Because.SCHEDULE): (
        "De warmtepomp verwarmt: zo blijft het warm genoeg.",
        "The heat pump heats: this way it stays warm enough.",
    ),
    (Action.HOLD, Because.AWAY): (
        "De warmtepomp kan nu niet draaien.",
        "The heat pump cannot run now.",
    ),
    (Action.HOLD, Because.FULL): (
        "De warmtepomp wacht: het is warm genoeg.",
        "The heat pump waits: it is warm enough.",
    ),
    (Action.HOLD, Because.PRICE_LOWER_LATER): (
        "De warmtepomp wacht: straks is stroom goedkoper.",
        "The heat pump waits: power is cheaper later.",
    ),
    (Action.HOLD, Because.SCHEDULE): (
        "De warmtepomp wacht: zij kan straks ook nog.",
        "The heat pump waits: it can run later too.",
    ),
    (Action.HOLD, Because.LIMIT): (
        "De warmtepomp wacht: meer warmte kan er nu niet bij.",
        "The heat pump waits: no more heat can be added now.",
    ),
    (Action.HOLD, Because.NO_GAIN): (
        "De warmtepomp wacht: het blijft warm genoeg.",
        "The heat pump waits: it stays warm enough.",
    ),
}
_RUN = {
    (Action.CHARGE, Because.SOLAR_SURPLUS): (
        "De machine draait: er is dan zon over.",
        "The machine runs: there is sun to spare then.",
    ),
    (Action.CHARGE, Because.PRICE_LOW): (
        "De machine draait: stroom is dan het goedkoopst.",
        "The machine runs: power is cheapest then.",
    ),
    (Action.CHARGE, Because.SCHEDULE): (
        "De machine draait: zo is zij op tijd klaar.",
        "The machine runs: this way it is done in time.",
    ),
}
_WORDS = {StoreKind.SESSION: _CAR, StoreKind.HEAT_PUMP: _HEAT_PUMP}


def reasons_of_others(problem: Problem, plan: Plan) -> list[Reason]:
    """Return the blocks of cars and heat pumps, and one block for each machine."""
    price = _price_eur_per_kwh(problem, plan)
    sunny = (plan.import_kw <= _MOVES_KW) & is_sun_left(problem, plan)
    reasons: list[Reason] = []
    for row, kind in enumerate(problem.store_kinds):
        if kind is not StoreKind.BATTERY:
            reasons += _blocks(problem, plan, row, kind, price, sunny)
    return reasons + _runs(problem, plan, price, sunny)


def _blocks(
    problem: Problem,
    plan: Plan,
    row: int,
    kind: StoreKind,
    price: FloatArray,
    sunny: BoolArray,
) -> list[Reason]:
    lacks = _lacks(plan, problem.battery_ids[row], kind)
    told = [_why(problem, plan, row, step, price, sunny, lacks) for step in range(problem.steps)]
    reasons, first = [], 0
    for (action, because), block in groupby(told):
        last = first + sum(1 for _ in block) - 1
        words = _WORDS[kind][action, because]
        reasons.append(Reason(first, last, problem.battery_ids[row], action, because, *words))
        first = last + 1
    return reasons


def _why(
    problem: Problem,
    plan: Plan,
    row: int,
    step: int,
    price: FloatArray,
    sunny: BoolArray,
    lacks: frozenset[int],
) -> tuple[Action, Because]:
    """Return what a store does in a step, and the first reason that is true of it."""
    net = plan.charge_kw[row] - plan.discharge_kw[row]
    able = problem.charge_max_kw[row] > _MOVES_KW
    later = np.arange(problem.steps) > step
    charges = later & (net > _MOVES_KW)
    if net[step] < -_MOVES_KW:
        return Action.DISCHARGE, _why_given(problem, plan, step, again=bool(charges.any()))
    if net[step] > _MOVES_KW:
        if sunny[step]:
            return Action.CHARGE, Because.SOLAR_SURPLUS
        if plan.import_kw[step] > _MOVES_KW and problem.buy_eur_per_kwh[step] < 0:
            return Action.CHARGE, Because.NEGATIVE_PRICE
        # It could have charged there instead, and would have paid more.
        others = later & able & (net < problem.charge_max_kw[row] - _MOVES_KW)
        if (price[others] > price[step]).any():
            return Action.CHARGE, Because.PRICE_LOW
        return Action.CHARGE, Because.SCHEDULE
    if not able[step] and problem.discharge_max_kw[row, step] <= _MOVES_KW:
        return Action.HOLD, Because.AWAY
    is_cold = problem.store_kinds[row] is StoreKind.HEAT_PUMP and step in lacks
    if not is_cold and plan.soc_kwh[row, step] >= problem.soc_max_kwh[row, step] - _AT_LIMIT:
        return Action.HOLD, Because.FULL
    if step in lacks or (not charges.any() and any(one > step for one in lacks)):
        return Action.HOLD, Because.LIMIT
    if not charges.any():
        return Action.HOLD, Because.NO_GAIN
    if price[charges].min() < price[step]:
        return Action.HOLD, Because.PRICE_LOWER_LATER
    return Action.HOLD, Because.SCHEDULE


def _why_given(problem: Problem, plan: Plan, step: int, *, again: bool) -> Because:
    """Return why a car gives back in a step; again tells whether it charges after that."""
    import_kw = plan.import_kw[step]
    if import_kw > _MOVES_KW and import_kw >= problem.import_limit_kw[step] - _AT_LIMIT:
        return Because.LIMIT
    if import_kw > _MOVES_KW and is_at_peak(problem, plan)[step]:
        return Because.PEAK
    return Because.PRICE_HIGH if again else Because.NO_GAIN


def _lacks(plan: Plan, name: str, kind: StoreKind) -> frozenset[int]:
    """Return the steps in which a car has less than was asked, or a house is too cold."""
    places = {f"{kind}.{name}.{one}" for one in ("energy_kwh", "minimum_kwh", "min_c")}
    return frozenset(one.step for one in plan.violations if one.limit in places)


def _runs(problem: Problem, plan: Plan, price: FloatArray, sunny: BoolArray) -> list[Reason]:
    """Return why each machine starts where it does, and not elsewhere in its time."""
    reasons = []
    for run, start in zip(problem.runs, plan.starts, strict=False):
        power = np.asarray(run.power_kw, dtype=np.float64)
        costs = {
            first: float(price[first : first + power.size] @ power)
            for first in range(run.earliest, run.latest_end - power.size + 1)
        }
        steps = slice(start, start + power.size)
        if sunny[steps].all():
            because = Because.SOLAR_SURPLUS
        elif _is_cheapest(costs, start):
            because = Because.PRICE_LOW
        else:
            because = Because.SCHEDULE
        words = _RUN[Action.CHARGE, because]
        end = start + power.size - 1
        reasons.append(Reason(start, end, run.id, Action.CHARGE, because, *words))
    return reasons


def _is_cheapest(costs: Mapping[int, float], start: int) -> bool:
    """Return whether no start costs less than one, and another costs more [EUR]."""
    least, most = min(costs.values()), max(costs.values())
    return costs[start] < least + _AT_LIMIT and costs[start] < most - _AT_LIMIT


def _price_eur_per_kwh(problem: Problem, plan: Plan) -> FloatArray:
    """Return what power costs in each step: the selling price where some is left over, (T,)."""
    sold = plan.export_kw > _MOVES_KW
    return np.where(sold, problem.sell_eur_per_kwh, problem.buy_eur_per_kwh)
