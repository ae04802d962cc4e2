"""Holds a plan against what homes and groups may exchange, home by home, and reckons its cost.

Like :mod:`optimizer.check` it knows the problem and the plan, not the programme that made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from optimizer.model.neighbourhood import Call, FloatArray
from optimizer.plan import Plan
from optimizer.problem import Problem


def machines_kw(problem: Problem, plan: Plan, home: int | None = None) -> FloatArray:
    """Return what machines use, of one home or of all, shape ``(T,)`` [kW]."""
    used = np.zeros(problem.steps)
    for run, at, start in zip(problem.runs, problem.run_home, plan.starts, strict=True):
        if home is None or at == home:
            used[start : start + len(run.power_kw)] += run.power_kw
    return used


def home_net_kw(problem: Problem, plan: Plan, home: int) -> FloatArray:
    """Return import minus export of one home, -1 for what stands beside them, ``(T,)`` [kW]."""
    own = problem.store_home == home
    net = (plan.charge_kw[own] - plan.discharge_kw[own]).sum(axis=0)
    net = net + machines_kw(problem, plan, home)
    if home >= 0:
        net = net + problem.load_kw[home] - problem.pv_kw[home] + plan.curtailed_kw[home]
    return np.asarray(net)


def over_boundaries(problem: Problem, plan: Plan) -> Iterator[tuple[str, FloatArray]]:
    """Yield for each limit of a home or a group its key and what goes over it, ``(T,)`` [kW]."""
    limits = problem.boundaries
    if limits is None:
        return
    nets = [home_net_kw(problem, plan, home) for home in range(len(problem.home_ids))]
    for row, key in enumerate(limits.keys):
        beside = limits.stores[row] & (problem.store_home < 0)
        net = (plan.charge_kw[beside] - plan.discharge_kw[beside]).sum(axis=0)
        net = net + sum((nets[home] for home in np.flatnonzero(limits.homes[row])), np.zeros(1))
        kind, _, name = key.partition(".")
        calls = [call for call in problem.calls if kind == "groups" and call.group == name]
        for limit, over, most in (
            ("import_limit_kw", net, limits.import_limit_kw[row]),
            ("export_limit_kw", -net, limits.export_limit_kw[row]),
        ):
            yield from named(f"{key}.{limit}", over - most, most, calls)


def named(
    key: str, excess_kw: FloatArray, limit_kw: FloatArray, calls: Sequence[Call]
) -> Iterator[tuple[str, FloatArray]]:
    """Yield the excess over a limit under its own key, or that of the call which set it [kW]."""
    own = np.ones(excess_kw.size, dtype=np.bool_)
    for call in calls:
        _, _, limit = key.rpartition(".")
        called = call.import_limit_kw if limit == "import_limit_kw" else call.export_limit_kw
        window = np.zeros(excess_kw.size, dtype=np.bool_)
        window[call.first : call.last + 1] = True
        holds = own & window & (limit_kw == called)
        own &= ~holds
        if holds.any():
            yield f"calls.{call.id}.{limit}", np.where(holds, excess_kw, 0.0)
    yield key, np.where(own, excess_kw, 0.0)


def shared_energy_eur(problem: Problem, plan: Plan) -> float:
    """Return what meters that share pay for energy, step by step [EUR]."""
    assert problem.sharing is not None
    nets = [home_net_kw(problem, plan, home) for home in range(-1, len(problem.home_ids))]
    total = 0.0
    for step in range(problem.steps):
        taken = sum(max(float(net[step]), 0.0) for net in nets)
        given = sum(max(-float(net[step]), 0.0) for net in nets)
        buy, sell = float(problem.buy_eur_per_kwh[step]), float(problem.sell_eur_per_kwh[step])
        saved = buy - sell - problem.sharing.levy_eur_per_kwh
        money = buy * taken - sell * given - max(saved, 0.0) * min(taken, given)
        total += float(problem.step_h[step]) * money
    return total
