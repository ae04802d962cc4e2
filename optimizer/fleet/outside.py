"""Prices outside of windows of negative prices: between those of the best bound and of a plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.fleet.connection import IMPORT
from optimizer.fleet.shape import Fleet
from optimizer.linear.local_prices import LocalPrices
from optimizer.problem import BoolArray, FloatArray, Problem


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Prices of a fleet's programme.

    Attributes:
        connection: Of the balance, shape ``(T,)``.
        stored: Of stored energy, shape ``(T, b)`` a block.
    """

    connection: FloatArray
    stored: tuple[FloatArray, ...]


def prices_now(fleet: Fleet) -> Prices:
    """Return a copy of a fleet's prices."""
    return Prices(fleet.connection.price.copy(), tuple(one.price.copy() for one in fleet.blocks))


def prices_of_a_plan(problem: Problem, fleet: Fleet, plan: LocalPrices) -> Prices:
    """Return a plan's prices in the units of the fleet's programme."""
    unit = fleet.money / fleet.power
    stored = (-plan.stored[fleet.kinds.first[kinds]].T / unit for kinds in fleet.members)
    return Prices(plan.used * problem.step_h / unit, tuple(stored))


def put_between(fleet: Fleet, best: Prices, plan: Prices, part: float, inside: BoolArray) -> None:
    """Put prices between two others; in windows the first, and none for shared powers.

    Args:
        fleet: The programme; its prices are changed.
        best: Those of the best bound.
        plan: Those of a plan.
        part: How much of the way from one to the other.
        inside: Which steps are in a window, shape ``(T,)``.
    """
    ways = np.where(inside, 0.0, part)
    connection = fleet.connection
    connection.price[:] = best.connection + ways * (plan.connection - best.connection)
    over = np.maximum(connection.price - connection.flows.cost[IMPORT], 0.0)
    connection.peak_price[:] = over if connection.has_peak else 0.0
    for block, one, other in zip(fleet.blocks, best.stored, plan.stored, strict=True):
        block.price[:] = one + ways[:, None] * (other - one)
        if block.turns is not None:
            block.turns.price[:] = 0.0


def tell_by_charging(fleet: Fleet, inside: BoolArray) -> None:
    """Price stored energy in windows by charging it: a bound over cells loses least by that.

    What is exact loses nothing: in a window such prices cancel.
    """
    price = fleet.connection.price[inside][:, None]
    for block in fleet.blocks:
        into = np.broadcast_to(block.into, block.price.shape)[inside]
        block.price[inside] = np.divide(-price, into, out=block.price[inside], where=into > 0)
