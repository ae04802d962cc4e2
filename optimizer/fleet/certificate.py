"""The cheapest plan of a fleet with the proof that it is, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError

from optimizer.fleet.interior import bound, settled, walk
from optimizer.fleet.ladder import CHARGE, DISCHARGE
from optimizer.fleet.shape import Fleet, fleet_of
from optimizer.linear.flows import (
    Flows,
    cost_eur,
    end_value_eur,
    exchange_kw,
    stored_kwh,
    within_ranges,
)
from optimizer.linear.local_prices import LocalPrices
from optimizer.linear.repair import without_free_overlap
from optimizer.problem import Problem

GAP = 5e-7
"""A plan is proven once it is this close to the bound, relative to its cost above one euro."""
SMALLEST = 30
"""With fewer batteries than this the general solver is as quick [measured]."""
_OVER = 1e-7
"""What a limit may be broken by for rounding, kW or kWh, and relative where numbers are large."""


@dataclass(frozen=True, slots=True, eq=False)
class Proven:
    """The cheapest flows, and the prices that prove it."""

    flows: Flows
    prices: LocalPrices


def cheapest_proven(problem: Problem) -> Proven | None:
    """Return flows within all limits that are proven to be the cheapest, or None.

    The proof does not ask how they were found: they are held against the limits, their cost is
    reckoned afresh, and the bound follows from prices alone, whatever prices those are. Where it
    does not close (limits that cannot all be met, numbers too far apart, selling above the buying
    price) another solver has to look.
    """
    fleet = fleet_of(problem)
    if fleet is None:
        return None
    with np.errstate(all="ignore"):  # what is lost to rounding fails the proof
        walk(fleet)
        try:
            powers, cut = settled(fleet)
        except (LinAlgError, ValueError):
            return None
        charge, discharge = (np.empty_like(problem.charge_max_kw) for _ in range(2))
        for kinds, found in zip(fleet.members, powers, strict=True):
            each = fleet.power / fleet.kinds.count[kinds]
            fleet.kinds.shared(found[CHARGE] * each, kinds, charge)
            fleet.kinds.shared(found[DISCHARGE] * each, kinds, discharge)
        flows = within_ranges(problem, Flows(charge, discharge, cut * fleet.power))
        flows = without_free_overlap(problem, flows)
        least = bound(fleet)
    if not (_keeps_limits(problem, flows) and _is_proven(problem, flows, least)):
        return None
    return Proven(flows, _prices(problem, fleet))


def _prices(problem: Problem, fleet: Fleet) -> LocalPrices:
    """Return the prices of the equations; one unit of energy is as many kWh as of power kW."""
    unit = fleet.money / fleet.power
    stored = np.empty_like(problem.charge_max_kw)
    for kinds, block in zip(fleet.members, fleet.blocks, strict=True):
        fleet.kinds.shared(-unit * block.price, kinds, stored)
    return LocalPrices(fleet.connection.price * (unit / problem.step_h), stored)


def _is_proven(problem: Problem, flows: Flows, least: float) -> bool:
    stored = stored_kwh(problem, flows.charge_kw, flows.discharge_kw)
    cost = cost_eur(problem, flows) - end_value_eur(problem, stored)
    return cost - least <= GAP * max(1.0, abs(cost))


def _keeps_limits(problem: Problem, flows: Flows) -> bool:
    stored = stored_kwh(problem, flows.charge_kw, flows.discharge_kw)
    net_kw = exchange_kw(problem, flows)
    fixed = problem.end_is_fixed
    missed = np.abs(stored[fixed, -1] - problem.soc_end_kwh[fixed])
    over_band = np.maximum(stored - problem.soc_max_kwh, problem.floor_kwh - stored)
    over_grid = np.maximum(net_kw - problem.import_limit_kw, -net_kw - problem.export_limit_kw)
    return all(bool((over <= _OVER).all()) for over in (missed, over_band, over_grid))
