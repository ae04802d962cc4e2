"""Homes on meters of their own: what each takes and gives, what they share, and who pays what.

Whatever stands at the neighbourhood's own connection is one meter more, the last. In each step some
meters give and others take. What both have in common is shared: the group pays the levy for it
instead of buying and selling it. It is shared only in steps where that costs no more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.model.neighbourhood import FloatArray
from optimizer.model.runs import runs_kw
from optimizer.problem import Problem

_DUST_KW = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What meters do together.

    Attributes:
        net_kw: Import minus export of each meter, shape ``(H + 1, T)`` [kW]; the last is what
            stands at the neighbourhood's own connection.
        shared_kw: What some give and others take, shape ``(T,)`` [kW].
        pays_eur: What each pays for energy, shape ``(H + 1,)``; adds up to what the group pays.
    """

    net_kw: FloatArray
    shared_kw: FloatArray
    pays_eur: FloatArray


def net_by_meter(
    problem: Problem,
    steered_kw: FloatArray,
    curtailed_kw: FloatArray,
    starts: tuple[int, ...],
) -> FloatArray:
    """Return import minus export of each meter, shape ``(H + 1, T)`` [kW].

    Args:
        problem: What was planned.
        steered_kw: Charge minus discharge of the stores, shape ``(B, T)``.
        curtailed_kw: Production that is cut, by home, shape ``(H, T)``.
        starts: The step in which each machine starts.
    """
    homes = len(problem.home_ids)
    net = np.zeros((homes + 1, problem.steps))
    net[:homes] = problem.load_kw - problem.pv_kw + curtailed_kw
    np.add.at(net, np.where(problem.store_home < 0, homes, problem.store_home), steered_kw)
    if problem.runs:
        at = np.where(problem.run_home < 0, homes, problem.run_home)
        np.add.at(net, at, runs_kw(problem.runs, starts, problem.steps))
    return np.where(np.abs(net) < _DUST_KW, 0.0, net)


def shared_of(problem: Problem, net_kw: FloatArray) -> Shared:
    """Return what is shared and who pays what.

    What is shared is divided in proportion: over those who take by what they take, over those who
    give by what they give. Who takes pays the levy and the price, who gives gets the price.
    """
    sharing = problem.sharing
    assert sharing is not None
    taken, given = np.maximum(net_kw, 0.0), np.maximum(-net_kw, 0.0)
    all_taken, all_given = taken.sum(axis=0), given.sum(axis=0)
    buy, sell = problem.buy_eur_per_kwh, problem.sell_eur_per_kwh
    pays = sharing.levy_eur_per_kwh <= buy - sell
    shared = np.where(pays, np.minimum(all_taken, all_given), 0.0)
    received = taken * _part(shared, all_taken)
    gave = given * _part(shared, all_given)
    between = sharing.price_eur_per_kwh * (received - gave) + sharing.levy_eur_per_kwh * received
    money = buy * (taken - received) - sell * (given - gave) + between
    return Shared(net_kw, shared, money @ problem.step_h)


def _part(shared: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(shared, whole, out=np.zeros_like(whole), where=whole > 0)
