"""Quarters settled in arrays, beside the exact engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings

from optimizer.balance import QuarterReadings
from optimizer.filling import fill
from optimizer.matrix import AllocationMatrix, ReadingMatrix
from optimizer.matrix_settlement import settle_matrix
from optimizer.period import Agreement, KeyVersion
from optimizer.rounding import tie_order, whole_amounts
from optimizer.settlement import settle_quarter
from optimizer.sharing import Proportional
from tests.optimizer.communities import agreements, array_keys, huge_wh, periods

ALWAYS = (KeyVersion(0, Proportional()),)


def settled_exactly(matrix: ReadingMatrix, agreement: Agreement) -> AllocationMatrix:
    """Return what the exact engine gives, quarter by quarter."""
    shape = matrix.listed.shape
    bought, sold, charged = (np.zeros(shape, np.int64) for _ in range(3))
    takes_part = np.zeros(shape, np.bool_)
    from_battery, supply = (np.zeros(matrix.quarters, np.int64) for _ in range(2))
    for column in range(matrix.quarters):
        readings = matrix.column(column)
        owners = agreement.owners_at(readings.quarter, readings.connections)
        part = {name: read for name, read in readings.connections.items() if name in owners}
        rules = agreement.rules_at(readings.quarter)
        settled = settle_quarter(replace(readings, connections=part), rules)
        left = settled.supplier_export_wh
        to_battery = whole_amounts(
            fill(settled.balance.charge_wh, left, left),
            tie_order(part, rules.tie, readings.quarter.number),
        )
        for row, name in enumerate(matrix.connections):
            if name in part:
                takes_part[row, column] = True
                bought[row, column] = settled.allocated_wh[name]
                sold[row, column] = settled.shared_out_wh[name]
                charged[row, column] = to_battery[name]
        from_battery[column] = settled.battery_to_members_wh
        supply[column] = settled.balance.supply_wh
    return AllocationMatrix(takes_part, bought, sold, charged, from_battery, supply)


def same(one: AllocationMatrix, other: AllocationMatrix) -> None:
    for name in AllocationMatrix.__slots__:
        ours, theirs = getattr(one, name), getattr(other, name)
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs), (name, ours, theirs)


@settings(max_examples=300)
@given(quarters=periods(), agreement=agreements())
def test_arrays_and_exact_engine_agree_to_the_watt_hour(
    quarters: list[QuarterReadings], agreement: Agreement
) -> None:
    matrix = ReadingMatrix.of(quarters)

    same(settle_matrix(matrix, agreement), settled_exactly(matrix, agreement))


@settings(max_examples=300)
@given(quarters=periods(huge_wh), agreement=agreements(array_keys))
def test_they_agree_where_products_leave_64_bits(
    quarters: list[QuarterReadings], agreement: Agreement
) -> None:
    matrix = ReadingMatrix.of(quarters)

    same(settle_matrix(matrix, agreement), settled_exactly(matrix, agreement))
