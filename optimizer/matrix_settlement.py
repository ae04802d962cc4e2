"""A run of quarters settled at once, watt-hour for watt-hour as the exact engine settles them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kwartier.errors import ContractError
from optimizer.filling import fill
from optimizer.matrix import AllocationMatrix, ReadingMatrix
from optimizer.period import Agreement, Rounding
from optimizer.rounding import tie_order, whole_amounts
from optimizer.settlement import settle_quarter


def settle_matrix(matrix: ReadingMatrix, agreement: Agreement) -> AllocationMatrix:
    """Settle every quarter of a matrix, rounded per quarter.

    A connection takes part in a quarter in which it is listed and has an owner. What is missing
    counts 0. Under ``source = sequential`` export is drawn on in the order of the rows.

    Args:
        matrix: What was read.
        agreement: Keys and owners as they were in force.

    Raises:
        ContractError: No key is in force in a quarter, or amounts are to be rounded per period.

    Source:
        Conventions C3 to C11 of docs/settlement.md.
    """
    if agreement.rounding is not Rounding.QUARTER:
        raise ContractError(
            "rounding: 'period' leaves no whole watt-hours in a quarter: settle the period instead"
        )
    shape = matrix.listed.shape
    takes_part = np.zeros(shape, np.bool_)
    bought, sold, charged = (np.zeros(shape, np.int64) for _ in range(3))
    from_battery = np.zeros(matrix.quarters, np.int64)
    supply = np.zeros(matrix.quarters, np.int64)
    rows = {name: row for row, name in enumerate(matrix.connections)}
    for column in range(matrix.quarters):
        readings = matrix.column(column)
        owners = agreement.owners_at(readings.quarter, readings.connections)
        part = {name: read for name, read in readings.connections.items() if name in owners}
        rules = agreement.rules_at(readings.quarter)
        settled = settle_quarter(replace(readings, connections=part), rules)
        left_over = settled.supplier_export_wh
        to_battery = whole_amounts(
            fill(settled.balance.charge_wh, left_over, left_over),
            tie_order(part, rules.tie, readings.quarter.number),
        )
        for name in part:
            takes_part[rows[name], column] = True
            bought[rows[name], column] = settled.allocated_wh[name]
            sold[rows[name], column] = settled.shared_out_wh[name]
            charged[rows[name], column] = to_battery[name]
        from_battery[column] = settled.battery_to_members_wh
        supply[column] = settled.balance.supply_wh
    return AllocationMatrix(takes_part, bought, sold, charged, from_battery, supply)
