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
NO_GIVE = 1e-14
"""What stands for no give at all in a step (in scaled units)."""


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """The factored chains of b batteries over T steps; arrays have shape ``(T, b)``.

    Attributes:
        stored: Give of stored energy.
        rung: Give of a step from the one before to the next.
        joint: Between the price of stored energy and the price at the connection.
        own: What a step gives at the connection while the price of stored energy stands still,
            beyond what follows from ``joint``, times ``rung``.
        kept: Part of what is stored that the next step gets, ``(1 or T, b)``.
        left: Resistance to the ground on the left of each step.
        pivot: ``rung`` plus ``left`` plus the give of stored energy.
        carry: What a step hands on to the next of what it gets.
    """

    stored: FloatArray
    rung: FloatArray
    joint: FloatArray
    own: FloatArray
    kept: FloatArray
    left: FloatArray
    pivot: FloatArray
    carry: FloatArray

    def solve(self, right: FloatArray) -> None:
        """Put the prices of stored energy that solve the chains in the place of ``(T, b)``."""
        work = np.empty_like(right[0])
        rows, carry = list(right), list(self.carry)
        for row, before, part in zip(rows[1:], rows, carry, strict=False):
            np.multiply(part, before, out=work)
            np.add(row, work, out=row)
        right /= self.pivot
        rows.reverse()
        for row, after, part in zip(rows[1:], rows, carry[-2::-1], strict=False):
            np.multiply(part, after, out=work)
            np.add(row, work, out=row)

    def add_to(self, coupling: FloatArray) -> None:
        """Add what the batteries give at the connection, to the upper half of ``(T, T)``.

        What a step gives at a later one is a product of a part for each step between them. Halves
        of the horizon are joined by one product of matrices each, and then are one.
        """
        around = self._right()
        around += self.left
        through = self.rung + around
        own = self.joint * around
        own *= self.joint
        own /= through
        own += self.own
        own /= self.rung
        np.einsum("tt->t", coupling)[:] += own.sum(axis=1)
        out = self.joint * self.carry
        into = np.divide(self.joint, through, out=around)
        _join(coupling, out, into, self.carry, 0, self.rung.shape[0])

    def _right(self) -> FloatArray:
        """Return the resistance to the ground on the right of each step, its own included."""
        right: FloatArray = np.empty_like(self.stored)
        right[-1] = self.stored[-1]
        kept = self.kept**2
        beyond, whole = np.empty_like(right[0]), np.empty_like(right[0])
        for step in range(right.shape[0] - 2, -1, -1):
            stored = self.stored[step]
            np.add(self.rung[step + 1], right[step + 1], out=beyond)
            np.multiply(stored, kept[(step + 1) % kept.shape[0]], out=whole)
            whole += beyond
            np.multiply(stored, beyond, out=beyond)
            np.divide(beyond, whole, out=right[step])
        return right


def ladder_of(
    stored: FloatArray, rung: FloatArray, joint: FloatArray, own: FloatArray, kept: FloatArray
) -> Ladder:
    """Return the factored chains; see :class:`Ladder` for what they are made of."""
    rung += NO_GIVE
    left, pivot, carry = (np.empty_like(rung) for _ in range(3))
    left[0] = 0.0
    through, last = np.empty_like(rung[0]), rung.shape[0] - 1
    for step in range(last + 1):
        np.add(rung[step], left[step], out=through)
        np.add(stored[step], through, out=pivot[step])
        if step == last:
            break
        part = kept[(step + 1) % kept.shape[0]]
        np.multiply(stored[step], part, out=carry[step])
        carry[step] /= pivot[step]
        np.multiply(carry[step], part, out=left[step + 1])
        left[step + 1] *= through
    carry[last] = 0.0
    return Ladder(stored, rung, joint, own, kept, left, pivot, carry)


def _join(
    coupling: FloatArray,
    out: FloatArray,
    into: FloatArray,
    carry: FloatArray,
    first: int,
    end: int,
) -> FloatArray:
    """Join the steps of a part of the horizon; return what that part hands on in all.

    Args:
        coupling: Gets what its steps give at each other.
        out: In: what each step hands on to the next; out: to the end of the part.
        into: In: what each step takes; out: from the beginning of the part.
        carry: What each step hands on of what it gets.
        first: The part's first step.
        end: The step after its last.
    """
    if end - first == 1:
        alone: FloatArray = carry[first]
        return alone
    middle = (first + end) // 2
    before = _join(coupling, out, into, carry, first, middle)
    after = _join(coupling, out, into, carry, middle, end)
    coupling[first:middle, middle:end] -= out[first:middle] @ into[middle:end].T
    if end - first < carry.shape[0]:
        out[first:middle] *= after
        into[middle:end] *= before
    whole: FloatArray = before * after
    return whole
