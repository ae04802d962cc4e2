"""A3: quarters in which more flowed than the connection can carry."""

from __future__ import annotations

import numpy as np

from api.cooperative.checks.case import CheckCase
from api.cooperative.checks.finding import Code, Finding, Severity
from optimizer.settling.matrix import RegisterMatrix


def above_limit(case: CheckCase) -> list[Finding]:
    """Return one finding for each connection and direction with quarters above its limit.

    Effect: what is above the limit, at the price of its direction.
    """
    found = []
    for row, name in enumerate(case.readings.connections):
        limit_w = case.limits_w.get(name)
        if limit_w is None:
            continue
        for way, registers in (("import", case.readings.taken), ("export", case.readings.given)):
            finding = _finding(case, name, way, registers, row, limit_w)
            if finding is not None:
                found.append(finding)
    return found


def _finding(
    case: CheckCase, name: str, way: str, registers: RegisterMatrix, row: int, limit_w: int
) -> Finding | None:
    # 4 quarters an hour and thousandths on both sides, so that everything stays whole.
    allowed = limit_w * case.limits.connection_permille
    above = np.flatnonzero(registers.energy_wh[row] * 4000 > allowed)
    if not above.size:
        return None
    energy_wh = registers.energy_wh[row, above]
    excess_wh = int((energy_wh - allowed // 4000).sum())
    worth = case.prices.bought_cents if way == "import" else case.prices.sold_cents
    return Finding(
        Code.LIMIT,
        "above_limit",
        Severity.WARNING,
        name,
        "",
        worth(excess_wh),
        {
            "direction": way,
            "quarters": int(above.size),
            "highest_w": int(energy_wh.max()) * 4,
            "limit_w": limit_w,
        },
        case.quarter(int(above[0])),
        case.quarter(int(above[-1])),
    )
