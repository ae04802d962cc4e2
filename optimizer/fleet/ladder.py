"""The batteries' part of a Newton step: each battery a chain of steps, all of them at once.

A battery's equations join each step only to the one before, so they are a chain. Written with the
*give* of each quantity (the inverse of its curvature) the chain is a ladder of resistances: stored
energy leads to the ground, charging and discharging lead to the next step. Every number below is a
sum, product or quotient of numbers that are not negative: nothing cancels, however small a give.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.problem import FloatArray

CHARGE, DISCHARGE, STORED = 0, 1, 2
"""Places of the three kinds in an array of shape ``(3, T, b)``."""
_NO_GIVE = 1e-14
"""What stands for no give at all in a step (in scaled units)."""


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """The factored chains of b batteries over T steps; arrays have shape ``(T, b)``.

    Attributes:
        give: Of charge, discharge and stored energy, shape ``(3, T, b)``.
        joint: Between the price of stored energy and the price at the connection.
        rung: Give of a step from the one before to the next.
        left: Resistance to the ground on the left of each step.
        through: ``rung`` plus ``left``.
        pivot: ``through`` plus the give of stored energy.
    """

    give: FloatArray
    joint: FloatArray
    rung: FloatArray
    left: FloatArray
    through: FloatArray
    pivot: FloatArray

    def solved(self, right: FloatArray) -> FloatArray:
        """Return the prices of stored energy that solve the chains, shape ``(T, b)``."""
        stored = self.give[STORED]
        carry = stored / self.pivot
        found = right.copy()
        work = np.empty(found.shape[1])
        for step in range(1, found.shape[0]):
            np.multiply(carry[step - 1], found[step - 1], out=work)
            found[step] += work
        found /= self.pivot
        for step in range(found.shape[0] - 2, -1, -1):
            np.multiply(carry[step], found[step + 1], out=work)
            found[step] += work
        return found

    def add_to(self, coupling: FloatArray, into: FloatArray, out_of: FloatArray) -> None:
        """Add what the batteries give at the connection, to the upper half of ``(T, T)``."""
        charge, discharge, _ = self.give
        right = self._right()
        around = self.left + right
        lossy = charge * discharge * (into - out_of) ** 2
        own = (lossy + self.joint**2 * (around / (self.rung + around))) / self.rung
        np.einsum("tt->t", coupling)[:] += own.sum(axis=1)
        passing = self.left[1:] / self.through[1:]
        first = self.joint / self.through
        last = self.joint * self.left / (self.rung + around)
        reached = np.empty_like(self.rung)
        for step in range(self.rung.shape[0] - 2, -1, -1):
            reached[step + 2 :] *= passing[step]
            reached[step + 1] = last[step + 1]
            coupling[step, step + 1 :] -= reached[step + 1 :] @ first[step]

    def _right(self) -> FloatArray:
        """Return the resistance to the ground on the right of each step, its own included."""
        stored = self.give[STORED]
        right: FloatArray = np.empty_like(stored)
        right[-1] = stored[-1]
        for step in range(right.shape[0] - 2, -1, -1):
            beyond = self.rung[step + 1] + right[step + 1]
            np.multiply(stored[step], beyond, out=right[step])
            beyond += stored[step]
            right[step] /= beyond
        return right


def ladder_of(give: FloatArray, into: FloatArray, out_of: FloatArray) -> Ladder:
    """Return the factored chains.

    Args:
        give: Of charge, discharge and stored energy, shape ``(3, T, b)``.
        into: Stored per charged kW and step, shape ``(b,)``.
        out_of: Taken out per discharged kW and step, shape ``(b,)``.
    """
    charge, discharge, stored = give
    rung = into**2 * charge + out_of**2 * discharge + _NO_GIVE
    left, through, pivot = np.zeros_like(rung), np.empty_like(rung), np.empty_like(rung)
    for step in range(rung.shape[0]):
        np.add(rung[step], left[step], out=through[step])
        np.add(stored[step], through[step], out=pivot[step])
        if step + 1 < rung.shape[0]:
            np.multiply(stored[step], through[step], out=left[step + 1])
            left[step + 1] /= pivot[step]
    return Ladder(give, into * charge + out_of * discharge, rung, left, through, pivot)
