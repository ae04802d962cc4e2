"""Batteries that are alike in every number, planned as one that is as large as all of them.

Nothing is lost by that: what one plan asks of many that are alike can be shared out evenly among
them, at the same cost, as every limit and every cost of a battery is convex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.linear.programme import IntArray
from optimizer.problem import BoolArray, FloatArray, Problem


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """Which batteries are alike.

    Attributes:
        first: One battery of each kind, shape ``(K,)``, in an order of their own numbers.
        kind: The kind of each battery, shape ``(B,)``.
        count: How many there are of each kind, shape ``(K,)``.
    """

    first: IntArray
    kind: IntArray
    count: FloatArray

    def shared(self, values: FloatArray, kinds: IntArray, out: FloatArray) -> None:
        """Write to each battery its part of what its kind does.

        Args:
            values: Of some kinds, shape ``(T, k)``.
            kinds: Which kinds those are: a run of them, shape ``(k,)``.
            out: Of all batteries, shape ``(B, T)``.
        """
        if kinds.size == 0:
            return
        rows = np.flatnonzero((self.kind >= kinds[0]) & (self.kind <= kinds[-1]))
        out[rows] = values.T[self.kind[rows] - kinds[0]]


def kinds_of(problem: Problem, shared: BoolArray | None = None) -> Kinds:
    """Return which batteries are alike, so that naming them in another order changes nothing.

    Args:
        problem: What is to be planned.
        shared: Where charge and discharge share one power, shape ``(B, T)``; None for nowhere.
    """
    order = _order(problem)
    new = np.ones(order.size, dtype=np.bool_)
    new[1:] = False
    for values in _numbers(problem, shared):
        rows = np.flatnonzero(~new)
        if not rows.size:
            break
        one, before = values[order[rows]], values[order[rows - 1]]
        differ = (one != before) & ~(np.isnan(one) & np.isnan(before))
        new[rows] = differ if differ.ndim == 1 else differ.any(axis=1)
    kind = np.empty(order.size, dtype=np.intp)
    kind[order] = np.cumsum(new) - 1
    first = order[new]
    return Kinds(first, kind, np.bincount(kind, minlength=first.size).astype(np.float64))


def _numbers(problem: Problem, shared: BoolArray | None) -> list[FloatArray]:
    """Return all that a battery is told by: what differs most often first."""
    powers = [problem.charge_max_kw, problem.discharge_max_kw]
    bands = [problem.floor_kwh, problem.soc_max_kwh]
    losses = [problem.cop, problem.retention, problem.drain_kw]
    numbers = [
        problem.soc_start_kwh,
        problem.charge_efficiency,
        problem.discharge_efficiency,
        problem.soc_end_kwh,
        problem.end_value_eur_per_kwh,
        problem.wear_eur_per_kwh,
        *powers,
        *bands,
        *losses,
    ]
    return numbers if shared is None else [*numbers, shared.astype(np.float64)]


def _order(problem: Problem) -> IntArray:
    order: IntArray = np.lexsort(
        (
            problem.discharge_max_kw.sum(axis=1),
            problem.charge_max_kw.sum(axis=1),
            problem.soc_min_kwh.sum(axis=1),
            problem.soc_max_kwh.sum(axis=1),
            problem.drain_kw.sum(axis=1),
            problem.retention.sum(axis=1),
            problem.cop.sum(axis=1),
            problem.soc_end_kwh,
            problem.end_value_eur_per_kwh,
            problem.wear_eur_per_kwh,
            problem.charge_efficiency,
            problem.discharge_efficiency,
            problem.soc_start_kwh,
        )
    )
    return order
