"""Quarters settled in arrays, beside the exact engine."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace
from fractions import Fraction
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, Quarter
from optimizer.balance import QuarterReadings, Registers, SelfRule
from optimizer.settlement import Rules, settle_quarter
from optimizer.settling import (
    block_shares,
    listed_block,
    listing,
    long_sums,
    matrix_filling,
    matrix_keys,
    matrix_rounding,
    matrix_settlement,
    owner_windows,
    period_volumes,
    quarter_block,
    quarter_rows,
    rounding_once,
)
from optimizer.settling import matrix as reading_matrix
from optimizer.settling.block_shares import share_block
from optimizer.settling.filling import fill
from optimizer.settling.listed_block import listed_blocks
from optimizer.settling.listing import Listing
from optimizer.settling.matrix import AllocationMatrix, ReadingMatrix
from optimizer.settling.matrix_filling import Shares
from optimizer.settling.matrix_settlement import settle_matrix
from optimizer.settling.owner_windows import OwnerWindows
from optimizer.settling.period import Agreement, KeyVersion, Ownership, Rounding
from optimizer.settling.rounding import Tie, tie_order, whole_amounts
from optimizer.sharing import Hybrid, Proportional, Rounds, Static
from tests.optimizer.communities import FIRST, agreements, array_keys, huge_wh, periods

FLOATS = {"float", "float16", "float32", "float64", "longdouble", "true_divide", "divide", "mean"}
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


@settings(max_examples=200)
@given(quarters=periods(), agreement=agreements())
def test_arrays_and_exact_engine_agree_to_the_watt_hour(
    quarters: list[QuarterReadings], agreement: Agreement
) -> None:
    matrix = ReadingMatrix.of(quarters)

    same(settle_matrix(matrix, agreement), settled_exactly(matrix, agreement))


@settings(max_examples=200)
@given(quarters=periods(huge_wh), agreement=agreements(array_keys))
def test_they_agree_where_products_leave_64_bits(
    quarters: list[QuarterReadings], agreement: Agreement
) -> None:
    matrix = ReadingMatrix.of(quarters)

    same(settle_matrix(matrix, agreement), settled_exactly(matrix, agreement))


def matrix_of(*homes: dict[str, tuple[int, int]], first: int = FIRST) -> ReadingMatrix:
    """Return consecutive quarters of homes with import and export [Wh]; ``battery`` is one."""
    quarters = []
    for place, quarter in enumerate(homes):
        registers = {name: Registers(*both) for name, both in quarter.items()}
        battery = registers.pop("battery", Registers())
        quarters.append(QuarterReadings(Quarter((first + place) * QUARTER_S), registers, battery))
    return ReadingMatrix.of(quarters)


def test_a_producer_that_uses_is_capped_by_the_others() -> None:
    # S = 720. P may receive min(40, 720 - 650) = 40; 940 Wh of import get 720/940 each:
    # 229 37/47 and P 30 30/47; three watt-hours remain, for A, B and C. P's export serves
    # min(650, 720 - 30) = 650 and the battery 70.
    homes = {"A": (300, 0), "B": (300, 0), "C": (300, 0), "P": (40, 650), "battery": (0, 70)}

    settled = settle_matrix(matrix_of(homes), Agreement(ALWAYS, Rules()))

    assert settled.bought_wh.tolist() == [[230], [230], [230], [30]]
    assert settled.sold_wh.tolist() == [[0], [0], [0], [650]]
    assert settled.from_battery_wh.tolist() == [70]
    assert settled.supply_wh.tolist() == [720]


def test_the_rotating_tie_begins_one_place_later_with_every_quarter() -> None:
    # 100 Wh for three alike: 33 each and one over. FIRST is a multiple of the four homes' count.
    homes = {"A": (500, 0), "B": (500, 0), "C": (500, 0), "P": (0, 100)}
    assert FIRST % 4 == 0

    settled = settle_matrix(matrix_of(*[homes] * 4), Agreement(ALWAYS, Rules(tie=Tie.ROTATE)))

    # In the fourth quarter P comes first, who has no remainder, and then A.
    assert settled.bought_wh.tolist() == [
        [34, 33, 33, 34],
        [33, 34, 33, 33],
        [33, 33, 34, 33],
        [0, 0, 0, 0],
    ]


def test_left_over_export_charges_the_battery_pro_rata() -> None:
    # A uses 100 of 400, pro rata P 75 and Q 25; of the 300 left, 100 Wh charge: P 75, Q 25.
    homes = {"A": (100, 0), "P": (0, 300), "Q": (0, 100), "battery": (100, 0)}

    settled = settle_matrix(matrix_of(homes), Agreement(ALWAYS, Rules()))

    assert settled.sold_wh.tolist() == [[0], [75], [25]]
    assert settled.to_battery_wh.tolist() == [[0], [75], [25]]


def test_who_is_nobodys_takes_no_part() -> None:
    # A is nobody's in the second quarter, which ends when the window of b begins.
    change = (FIRST + 1) * QUARTER_S
    windows = (
        Ownership("A", "a", 0, change),
        Ownership("A", "b", change + QUARTER_S),
        Ownership("P", "p", 0),
    )
    homes = {"A": (100, 0), "P": (0, 300)}

    settled = settle_matrix(matrix_of(*[homes] * 3), Agreement(ALWAYS, Rules(), windows))

    assert settled.takes_part.tolist() == [[True, False, True], [True, True, True]]
    assert settled.bought_wh.tolist() == [[100, 0, 100], [0, 0, 0]]


def test_a_period_without_a_key_or_rounded_once_is_refused() -> None:
    matrix = matrix_of({"A": (1, 1)}, {"A": (1, 1)})
    late = (KeyVersion((FIRST + 1) * QUARTER_S, Proportional()),)

    with pytest.raises(ContractError, match="none is in force at 2026-07-01T09:00:00Z"):
        settle_matrix(matrix, Agreement(late, Rules()))
    with pytest.raises(ContractError, match="rounding: 'period' leaves no whole watt-hours"):
        settle_matrix(matrix, Agreement(ALWAYS, Rules(), rounding=Rounding.PERIOD))


def test_a_supply_that_64_bits_do_not_hold_is_refused() -> None:
    matrix = matrix_of({"P": (0, 2**63 - 1), "Q": (1, 1)})

    with pytest.raises(ContractError, match="9223372036854775808 Wh is more than 64 bits hold"):
        settle_matrix(matrix, Agreement(ALWAYS, Rules()))


def test_the_largest_registers_of_64_bits_are_settled_exactly() -> None:
    homes = {"A": (2**62, 0), "B": (2**62 - 1, 0), "P": (0, 2**62 + 1), "battery": (2**61, 0)}
    matrix = matrix_of(homes)

    same(
        settle_matrix(matrix, Agreement(ALWAYS, Rules())),
        settled_exactly(matrix, Agreement(ALWAYS, Rules())),
    )


@given(edge=st.integers(-3, 3), self_rule=st.sampled_from(SelfRule))
def test_nothing_changes_at_the_edge_of_what_arrays_hold(edge: int, self_rule: SelfRule) -> None:
    # One register times the sum of all: 2**30 * 2**32 is the limit, and 2**62 is not below it.
    big = 2**30
    homes = {"A": (big, 0), "B": (big - 7, 7), "C": (big - 3, 3), "P": (5, big - 5 + edge)}
    matrix = matrix_of(homes)
    agreement = Agreement(ALWAYS, Rules(self_rule=self_rule))

    same(settle_matrix(matrix, agreement), settled_exactly(matrix, agreement))


@pytest.mark.parametrize("whole", [999_983, 2**31 - 1])
@pytest.mark.parametrize("rounds", [*Rounds])
def test_fine_shares_of_large_registers_are_settled_exactly(whole: int, rounds: Rounds) -> None:
    # Register times sum stays below 2**62; with the shares' denominator it does not.
    shares = {"A": Fraction(whole // 3, whole), "P": Fraction(whole // 2, whole)}
    homes = {"A": (2**28, 0), "B": (2**27, 5), "P": (2**28, 2**29), "battery": (7, 2**20)}
    matrix = matrix_of(homes)

    for key in (Static(shares, rounds), Hybrid(shares)):
        agreement = Agreement((KeyVersion(0, key),), Rules())
        same(settle_matrix(matrix, agreement), settled_exactly(matrix, agreement))


MODULES = (
    block_shares,
    listed_block,
    listing,
    long_sums,
    matrix_filling,
    matrix_keys,
    matrix_rounding,
    matrix_settlement,
    owner_windows,
    period_volumes,
    quarter_block,
    quarter_rows,
    reading_matrix,
    rounding_once,
)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_no_float_can_arise_in_the_arrays(module: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(module))

    for node in ast.walk(tree):
        assert not isinstance(node, ast.Div), "a division of whole numbers that makes a float"
        assert not (isinstance(node, ast.Constant) and type(node.value) is float)
        assert getattr(node, "attr", getattr(node, "id", "")) not in FLOATS


@settings(max_examples=40)
@given(quarters=periods(), agreement=agreements())
def test_every_array_on_the_way_holds_whole_numbers(
    quarters: list[QuarterReadings], agreement: Agreement
) -> None:
    settled = settle_matrix(ReadingMatrix.of(quarters), agreement)
    windows = OwnerWindows(agreement, Listing.of(quarters).names)
    shared = [
        share_block(each.block, each.rules)
        for each in listed_blocks(Listing.of(quarters), agreement, windows)
    ]

    arrays = [getattr(settled, name) for name in AllocationMatrix.__slots__]
    for each in shared:
        for shares in (each.bought, each.sold):
            arrays += [getattr(shares, name) for name in Shares.__slots__]
    assert {array.dtype for array in arrays} <= {np.dtype(np.int64), np.dtype(np.bool_)}
