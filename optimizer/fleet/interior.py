"""The interior point itself: looks ahead, corrects, steps, until the proof of optimality is near.

Source:
    S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2
    (1992): predictor, corrector and their step lengths.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError

from optimizer.fleet.boxes import Part
from optimizer.fleet.connection import CUT, EXPORT, IMPORT, UNDER
from optimizer.fleet.ladder import CHARGE, DISCHARGE
from optimizer.fleet.shape import Fleet
from optimizer.problem import FloatArray

_MOST_STEPS = 100
_NEAR = 1e-9
"""Steps end when the products, and what equations miss, are this small beside the cost."""
_SHORT = 1e-7
"""A step shorter than this leads nowhere."""
_BACK_OFF = 0.9
_APART = 1e-5
"""Nearer than this, beside the cost, all batteries take the same step."""


def walk(fleet: Fleet) -> int:
    """Walk to the cheapest flows of a fleet, and return how many steps that took.

    Where there is none, or numbers are too far apart, it ends somewhere else: the proof is another
    one's to give.
    """
    _begin(fleet)
    for count in range(_MOST_STEPS):
        missed = [block.off_chain(block.powers.values) for block in fleet.blocks]
        balance = _off_balance(fleet)
        if _is_near(fleet, missed, balance):
            return count
        try:
            went = _step(fleet, missed, balance)
        except (LinAlgError, ValueError):
            return count
        if went < _SHORT:
            return count
    return _MOST_STEPS


def settled(fleet: Fleet) -> tuple[list[FloatArray], FloatArray]:
    """Return what every quantity is, those at an edge exactly on it.

    The others move by the least, measured by their room, that makes the equations hold.

    Returns:
        The batteries' powers, shape ``(3, T, b)`` a block, and curtailment, shape ``(T,)``.

    Raises:
        LinAlgError: Nothing is left that could move.
    """
    connection = fleet.connection
    found, moves = zip(*(block.powers.settled() for block in fleet.blocks), strict=True)
    flows, flow_give = connection.flows.settled()
    peak, peak_give = connection.peak.settled()
    coupling = np.zeros((connection.price.size,) * 2)
    for block, give in zip(fleet.blocks, moves, strict=True):
        block.factor(give, coupling)
    np.einsum("tt->t", coupling)[:] += connection.diagonal(flow_give)
    factor = connection.factor(coupling)
    missed = [block.off_chain(one) for block, one in zip(fleet.blocks, found, strict=True)]
    off = connection.residual - flows[IMPORT] + flows[EXPORT] + flows[CUT]
    still = [np.zeros_like(one) for one in found]
    for block, one, wish, miss in zip(fleet.blocks, found, still, missed, strict=True):
        off += (one[CHARGE] - one[DISCHARGE]).sum(axis=1) + block.answer(wish, miss)
    connection.solve(
        factor,
        off,
        wish=np.zeros_like(flows),
        peak_wish=0.0,
        peak_give=float(peak_give[0]),
        off_peak=flows[IMPORT] + flows[UNDER] - peak,
    )
    for block, wish, miss, one in zip(fleet.blocks, still, missed, found, strict=True):
        block.follow(wish, miss, connection.price_step)
        np.add(one, block.powers.step, out=one)
    return list(found), flows[CUT] + connection.flows.step[CUT]


def bound(fleet: Fleet) -> float:
    """Return what no flows of the fleet cost less than, from the prices alone [EUR].

    Whatever the prices are, the least that each quantity can cost at them adds up to a bound.
    """
    connection = fleet.connection
    total = float(connection.price @ connection.residual)
    total += float(connection.flows.least(connection.reduced()).sum())
    if connection.has_peak:
        total += float(connection.peak.least(connection.reduced_peak()).sum())
    total += sum(block.least_cost(connection.price) for block in fleet.blocks)
    return total * fleet.money


def _begin(fleet: Fleet) -> None:
    connection = fleet.connection
    connection.price[:] = (connection.flows.cost[0] - connection.flows.cost[1]) / 2
    if connection.has_peak:
        connection.peak_price[:] = connection.peak.cost / connection.price.size / 2
    _begin_connection(fleet)
    middle = float(connection.price.mean())
    for block in fleet.blocks:
        block.price[:] = -middle / block.into
    for boxes in fleet.boxes:
        boxes.begin(1.0)


def _begin_connection(fleet: Fleet) -> None:
    """Begin with a balance that holds, and some room everywhere."""
    connection = fleet.connection
    flows = connection.flows
    net = _off_balance(fleet) + flows.values[IMPORT] - flows.values[EXPORT]
    spare = 1.0 + float(np.abs(net).mean())
    values = flows.values
    values[IMPORT] = np.maximum(net, 0.0) + spare
    values[EXPORT] = np.maximum(-net, 0.0) + spare
    peak = float(values[IMPORT].max()) + spare
    values[UNDER] = peak - values[IMPORT]
    flows.begin_at(values)
    if connection.has_peak:
        connection.peak.begin_at(np.full(1, peak))


def _off_balance(fleet: Fleet) -> FloatArray:
    steered = np.zeros_like(fleet.connection.price)
    for block in fleet.blocks:
        steered += block.steered
    return fleet.connection.off_balance(steered)


def _is_near(fleet: Fleet, missed: list[FloatArray], balance: FloatArray) -> bool:
    connection = fleet.connection
    worst = max(float(np.abs(one).max()) for one in missed)
    worst = max(worst, float(np.abs(balance).max()), float(np.abs(connection.off_peak()).max()))
    size = abs(float((connection.flows.cost * connection.flows.values).sum()))
    near = _NEAR * max(1.0, size)
    if worst > 1e-8 or sum(boxes.product() for boxes in fleet.boxes) > near:
        return False
    cost = sum(float((boxes.cost * boxes.values).sum()) for boxes in fleet.boxes)
    return cost - bound(fleet) / fleet.money <= near


def _step(fleet: Fleet, missed: list[FloatArray], balance: FloatArray) -> float:
    """Take one step and return how long it was, at most 1."""
    factor = _factor(fleet)
    groups = list(fleet.boxes)
    count = sum(boxes.free_count for boxes in groups)
    product = sum(boxes.product() for boxes in groups) / count
    for boxes in groups:
        boxes.push_nowhere()
    _direct(fleet, factor, missed, balance)
    size = abs(float((fleet.connection.flows.cost * fleet.connection.flows.values).sum()))
    stragglers = _stragglers(product * count / max(1.0, size))
    parts = _parts(fleet, 1.0, stragglers)
    after = sum(one.product_after(*part) for one, part in zip(groups, parts, strict=True)) / count
    aim = product * min(max(after / product, 0.0), 1.0) ** 3
    for boxes in groups:
        boxes.push_to(aim, product)
    _direct(fleet, factor, missed, balance)
    parts = _parts(fleet, _BACK_OFF, stragglers)
    for boxes, part in zip(groups, parts, strict=True):
        boxes.take(*part)
    for block, (_, prices) in zip(fleet.blocks, parts, strict=False):
        block.price += prices * block.price_step
    ahead, prices = parts[-1]
    fleet.connection.price += prices * fleet.connection.price_step
    fleet.connection.peak_price += prices * fleet.connection.peak_price_step
    return float(max(np.max(ahead), np.max(prices)))


def _stragglers(distance: float) -> float:
    """Return the part of the batteries that may take a shorter step than the connection.

    Args:
        distance: The products beside the cost: the nearer, the fewer [tuned on 100 to 10,000].
    """
    return min(0.25, distance) if distance > _APART else 0.0


def _parts(fleet: Fleet, edge: float, stragglers: float) -> list[tuple[Part, Part]]:
    """Return how much of the step each group takes: quantities, and multipliers.

    Each battery takes what it can itself, so that one that is stuck does not hold up the others;
    none takes more than the connection, which takes what most batteries can. What the balance
    misses by that is small, and made up for in the next step.
    """
    single = list(fleet.boxes)[len(fleet.blocks) :]
    own = [block.powers.reach(edge) for block in fleet.blocks]
    joint = [boxes.reach(edge) for boxes in single]
    most = []
    for kind in (0, 1):
        usual = np.quantile(np.concatenate([one[kind] for one in own]), stragglers)
        most.append(float(min(usual, *(one[kind].min() for one in joint))))
    found: list[tuple[Part, Part]] = [
        (np.minimum(ahead, most[0]), np.minimum(prices, most[1])) for ahead, prices in own
    ]
    found.extend((most[0], most[1]) for _ in single)
    return found


def _factor(fleet: Fleet) -> tuple[FloatArray, bool]:
    connection = fleet.connection
    coupling = np.zeros((connection.price.size,) * 2)
    for block in fleet.blocks:
        block.factor(block.powers.give(), coupling)
    np.einsum("tt->t", coupling)[:] += connection.diagonal(connection.flows.give())
    return connection.factor(coupling)


def _direct(
    fleet: Fleet, factor: tuple[FloatArray, bool], missed: list[FloatArray], balance: FloatArray
) -> None:
    connection = fleet.connection
    off = balance.copy()
    for block, miss in zip(fleet.blocks, missed, strict=True):
        off += block.answer(block.powers.wish(block.reduced(connection.price)), miss)
    connection.solve(
        factor,
        off,
        wish=connection.flows.wish(connection.reduced()),
        peak_wish=float(connection.peak.wish(connection.reduced_peak())[0]),
        peak_give=float(connection.peak.give()[0]),
        off_peak=connection.off_peak(),
    )
    for block, miss in zip(fleet.blocks, missed, strict=True):
        wish = block.powers.wish(block.reduced(connection.price))
        block.follow(wish, miss, connection.price_step)
