"""What a plan would have cost otherwise: without batteries, without sharing, by another key.

All amounts are for the plan's horizon. What is stored counts at its worth: a plan that empties a
battery has used something up, and one that fills it has put something by.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from optimizer.dispatch import plan
from optimizer.model.meters import net_by_meter
from optimizer.model.part import batteries_behind, part_of
from optimizer.plan import Plan
from optimizer.problem import Grid, Problem
from optimizer.settling.filling import Exact
from optimizer.settling.rounding import whole_amounts
from optimizer.sharing import Pot, SharingKey
from optimizer.why.members import Maker, used_eur


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What the same horizon costs in other ways, what is stored at its worth [EUR].

    Attributes:
        planned_eur: As it was planned.
        without_battery_eur: The same, had nobody a battery.
        without_sharing_eur: Each home by itself, with what stands behind its own meter; batteries
            of the neighbourhood rest.
    """

    planned_eur: float
    without_battery_eur: float
    without_sharing_eur: float


@dataclass(frozen=True, slots=True)
class KeyOutcome:
    """What each home gets of the planned surplus by a sharing key.

    Attributes:
        shared_wh: What each one receives of the neighbourhood's own supply, by home [Wh].
        given_wh: What each one gives to it, by home [Wh].
        supply_wh: What there is to share; more than what is given where a battery adds to it [Wh].
        pays_eur: What each one pays for energy, received as well as given, by home [EUR].
    """

    shared_wh: dict[str, int]
    given_wh: dict[str, int]
    supply_wh: int
    pays_eur: dict[str, float]


def otherwise(problem: Problem, made: Plan, make: Maker = plan) -> Otherwise:
    """Return what a planned horizon would have cost in other ways.

    Args:
        problem: What was planned, home by home.
        made: Its plan.
        make: Makes the other plans; the cheapest ones where none is given.
    """
    bare = part_of(problem, problem.home_ids, ())
    alone = sum(_alone_eur(problem, row, make) for row in range(len(problem.home_ids)))
    # What cars and heat pumps of no home do, they do in every case.
    homeless = part_of(problem, (), (), None)
    rest = used_eur(homeless, make(homeless)) if homeless.battery_ids or homeless.runs else 0.0
    return Otherwise(used_eur(problem, made), used_eur(bare, make(bare)), alone + rest)


def by_key(problem: Problem, made: Plan, key: SharingKey, price_eur_per_kwh: float) -> KeyOutcome:
    """Return what each home gets and pays when a plan's surplus is divided by a key.

    Args:
        problem: What was planned, home by home.
        made: Its plan.
        key: The rule of division, over the homes' ids.
        price_eur_per_kwh: What who receives pays to who gives.

    The neighbourhood's batteries take from the supply first, and add to it what they give.
    """
    stores_kw = made.charge_kw - made.discharge_kw
    meters = net_by_meter(problem, stores_kw, made.curtailed_kw, made.starts)
    homes_kw, batteries_kw = meters[:-1], meters[-1]
    wh = np.rint(1000 * problem.step_h * homes_kw).astype(np.int64)
    battery_wh = np.rint(1000 * problem.step_h * batteries_kw).astype(np.int64)
    names = problem.home_ids
    shared: dict[str, Exact] = dict.fromkeys(names, Fraction(0))
    given: dict[str, Exact] = dict.fromkeys(names, Fraction(0))
    pays = np.zeros(len(names))
    supply_wh = 0
    for step in range(problem.steps):
        used, left = np.maximum(wh[:, step], 0), np.maximum(-wh[:, step], 0)
        supply = max(0, int(left.sum()) - int(battery_wh[step]))
        supply_wh += supply
        imports = {name: int(used[row]) for row, name in enumerate(names)}
        parts = key.share(Pot(supply, imports, imports)) if supply else dict.fromkeys(names, 0)
        total, gone = sum(parts.values()), int(left.sum())
        out = {
            name: min(Fraction(int(left[row])), Fraction(total) * int(left[row]) / gone)
            if gone
            else Fraction(0)
            for row, name in enumerate(names)
        }
        for row, name in enumerate(names):
            shared[name] += parts[name]
            given[name] += out[name]
            received, gave = float(parts[name]), float(out[name])
            pays[row] += (
                problem.buy_eur_per_kwh[step] * (used[row] - received)
                - problem.sell_eur_per_kwh[step] * (left[row] - gave)
                + price_eur_per_kwh * (received - gave)
            ) / 1000
    order = sorted(names)
    return KeyOutcome(
        whole_amounts(shared, order),
        whole_amounts(given, order),
        supply_wh,
        {name: float(pays[row]) for row, name in enumerate(names)},
    )


def _alone_eur(problem: Problem, row: int, make: Maker) -> float:
    """Return what a home costs by itself; without anything to steer it needs no planner."""
    name = problem.home_ids[row]
    part = part_of(problem, [name], batteries_behind(problem, [name]), Grid())
    if part.battery_ids or not part.is_one_connection:
        return used_eur(part, make(part))
    net = part.residual_kw
    cut = np.minimum(np.maximum(-net, 0.0), part.curtailable_kw)
    net = np.where(part.sell_eur_per_kwh < 0, net + cut, net)
    # Where taking power earns money, panels that can be cut are cut to take more.
    net = np.where(part.buy_eur_per_kwh < 0, part.residual_kw + part.curtailable_kw, net)
    price = np.where(net > 0, part.buy_eur_per_kwh, part.sell_eur_per_kwh)
    return float((part.step_h * price) @ net)
