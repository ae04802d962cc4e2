"""A5: nobody is allocated more than was used, nothing is shared twice."""

from __future__ import annotations

import numpy as np

from api.cooperative.checks.case import CheckCase
from api.cooperative.checks.finding import Code, Finding, Severity
from optimizer.settling.matrix import AllocationMatrix, WhArray


def allocated_too_much(case: CheckCase) -> list[Finding]:
    """Return where more was allocated than read.

    Effect: what is too much, at the buying price, or the selling price for what was sold.
    """
    if case.allocation is None:
        return []
    return [*_by_connection(case, case.allocation), *_together(case, case.allocation)]


def _by_connection(case: CheckCase, allocation: AllocationMatrix) -> list[Finding]:
    readings = case.readings
    bought = np.maximum(allocation.bought_wh - readings.taken.energy_wh, 0)
    sold = np.maximum(allocation.sold_wh + allocation.to_battery_wh - readings.given.energy_wh, 0)
    return [
        _finding(case, kind, excess[row], readings.connections[row])
        for kind, excess in (("bought", bought), ("sold", sold))
        for row in np.flatnonzero(excess.any(axis=1)).tolist()
    ]


def _together(case: CheckCase, allocation: AllocationMatrix) -> list[Finding]:
    battery = case.readings
    given = battery.given.energy_wh.sum(axis=0) + battery.discharge.energy_wh[0]
    out = np.maximum(allocation.from_battery_wh - battery.discharge.energy_wh[0], 0)
    into = np.maximum(allocation.to_battery_wh.sum(axis=0) - battery.charge.energy_wh[0], 0)
    supply = np.maximum(allocation.bought_wh.sum(axis=0) - given, 0)
    return [
        _finding(case, kind, excess, "")
        for kind, excess in (("supply", supply), ("battery", out + into))
        if excess.any()
    ]


def _finding(case: CheckCase, kind: str, excess_wh: WhArray, connection: str) -> Finding:
    columns = np.flatnonzero(excess_wh)
    total_wh = int(excess_wh.sum())
    worth = case.prices.sold_cents if kind == "sold" else case.prices.bought_cents
    return Finding(
        Code.ALLOCATION,
        kind,
        Severity.BLOCKER,
        connection,
        "",
        worth(total_wh),
        {"quarters": int(columns.size), "excess_wh": total_wh},
        case.quarter(int(columns[0])),
        case.quarter(int(columns[-1])),
    )
