"""The interior point itself: looks ahead, corrects, steps, until the proof of optimality is near.

Source:
    S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2
    (1992): predictor, corrector and their step lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError

from optimizer.fleet.connection import CUT, EXPORT, IMPORT, UNDER
from optimizer.fleet.ladder import CHARGE, DISCHARGE
from optimizer.fleet.shape import Fleet
from optimizer.problem import BoolArray, FloatArray

_MOST_STEPS = 100
NEAR = 1e-9
"""Steps end when products are this small beside the cost."""
MISSED = 1e-8
"""Steps go on while an equation misses more than this (in scaled units)."""
_SHORT = 1e-7
"""A step shorter than this leads nowhere."""
_ROUGH = 1e-4
"""Until products are this small beside the cost, seven digits of the batteries' numbers do."""
_BACK_OFF = 0.9
"""How near to an edge a step may come at least."""
_EDGE = 0.999
"""How near to an edge a step may come at most, where the first look ahead reached it."""
_FEW = 1e-3
"""The part of the batteries that may always lag behind until then [tuned on 100 to 10,000]."""
_LEFT = 1e-9
"""What a chain may miss once a plan is settled (in scaled units)."""
_AGAIN = 4
"""How often quantities move where some of them can move next to nothing."""
_APART = 1e-5
"""Nearer than this, beside the cost, all batteries take the same step."""


def walk(fleet: Fleet, near: float = NEAR, missed: float = MISSED) -> int:
    """Walk to the cheapest flows of a fleet, and return how many steps that took.

    Where there is none, or numbers are too far apart, it ends somewhere else: the proof is another
    one's to give.

    Args:
        fleet: The programme; it is changed.
        near: How small products become beside the cost.
        missed: How little equations miss in the end, those of the connection by battery (in
            scaled units).
    """
    _begin(fleet)
    for count in range(_MOST_STEPS):
        try:
            now = _now(fleet)
            if fleet.is_rough and now.product <= _ROUGH * now.size:
                _go_exactly(fleet)
                now = _now(fleet)
            if _is_near(fleet, now, near, missed):
                return count
            if _step(fleet, now) >= _SHORT:
                continue
        except (LinAlgError, ValueError):
            pass
        if not fleet.is_rough:
            return count
        _go_exactly(fleet)
    _go_exactly(fleet)
    return _MOST_STEPS


def settled(fleet: Fleet) -> tuple[list[FloatArray], FloatArray]:
    """Return what every quantity is, those at an edge exactly on it.

    The others move by the least, measured by their room, that makes the equations hold. Where a
    battery has none that could, as all seemed to be at an edge, it is settled again with none of
    them put there.

    Returns:
        The batteries' powers, shape ``(3, T, b)`` a block, and curtailment, shape ``(T,)``.

    Raises:
        LinAlgError: Nothing is left that could move.
    """
    found, cut = _settled(fleet, [np.zeros(one.price.shape[1], np.bool_) for one in fleet.blocks])
    left = [
        np.abs(block.off_chain(one)).max(axis=0) > _LEFT
        for block, one in zip(fleet.blocks, found, strict=True)
    ]
    return _settled(fleet, left, _AGAIN) if any(one.any() for one in left) else (found, cut)


def _settled(
    fleet: Fleet, free: list[BoolArray], times: int = 1
) -> tuple[list[FloatArray], FloatArray]:
    """Return what every quantity is; see :func:`settled`.

    Args:
        fleet: The programme.
        free: Of which batteries nothing is put on an edge, shape ``(b,)`` a block.
        times: How often all move; what next to nothing can move is not made up for at once.
    """
    connection = fleet.connection
    pairs = zip(fleet.blocks, free, strict=True)
    found, moves = zip(*(block.powers.settled(one) for block, one in pairs), strict=True)
    flows, flow_give = connection.flows.settled()
    peak, peak_give = connection.peak.settled()
    coupling = np.zeros((connection.price.size,) * 2)
    for block, give in zip(fleet.blocks, moves, strict=True):
        block.factor(give, coupling)
    np.einsum("tt->t", coupling)[:] += connection.diagonal(flow_give)
    factor = connection.factor(coupling)
    for _ in range(times):
        off = connection.residual - flows[IMPORT] + flows[EXPORT] + flows[CUT]
        for block, one, give in zip(fleet.blocks, found, moves, strict=True):
            off += (one[CHARGE] - one[DISCHARGE]).sum(axis=1)
            off += block.answer_to(give, np.zeros_like(one), block.off_chain(one))
        connection.solve(
            factor,
            off,
            wish=np.zeros_like(flows),
            peak_wish=0.0,
            peak_give=float(peak_give[0]),
            off_peak=flows[IMPORT] + flows[UNDER] - peak,
        )
        for block, give, one in zip(fleet.blocks, moves, found, strict=True):
            np.add(one, block.follow(give, connection.price_step), out=one)
        flows += connection.flows.step
        peak += connection.peak.step
    return list(found), flows[CUT]


def bound(fleet: Fleet) -> float:
    """Return what no flows of the fleet cost less than, from the prices alone [EUR].

    Whatever the prices are, the least that each quantity can cost at them adds up to a bound.
    """
    connection = fleet.connection
    total = float(connection.price @ connection.residual)
    total += float(connection.flows.least(connection.reduced()).sum())
    if connection.has_peak:
        total += float(connection.peak.least(connection.reduced_peak()).sum())
        total -= float((connection.peak.cost * connection.peak.low).sum())
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


def _go_exactly(fleet: Fleet) -> None:
    if fleet.is_rough and not fleet.go_exactly():
        _begin(fleet)


def _begin_connection(fleet: Fleet) -> None:
    connection = fleet.connection
    values = connection.flows.values
    net = connection.off_balance(_steered(fleet)) + values[IMPORT] - values[EXPORT]
    connection.begin_at(net, values[CUT])


def _steered(fleet: Fleet) -> FloatArray:
    steered = np.zeros_like(fleet.connection.price)
    for block in fleet.blocks:
        steered += block.steered
    return steered


@dataclass(frozen=True, slots=True, eq=False)
class _Now:
    """Where a step begins.

    Attributes:
        factor: Of what all give at the connection.
        balance: What the balance misses, shape ``(T,)``.
        missed: The most that an equation misses, those of the connection by battery.
        product: The sum of all distances times multipliers.
        size: What the flows of the connection cost, without a sign.
    """

    factor: tuple[FloatArray, bool]
    balance: FloatArray
    missed: float
    product: float
    size: float


def _now(fleet: Fleet) -> _Now:
    connection = fleet.connection
    coupling = np.zeros((connection.price.size,) * 2)
    steered, missed = np.zeros_like(connection.price), 0.0
    for block in fleet.blocks:
        moved, most = block.begin_step(coupling)
        steered += moved
        missed = max(missed, most)
    for boxes in connection.boxes:
        boxes.look()
    np.einsum("tt->t", coupling)[:] += connection.diagonal(connection.flows.give)
    balance = connection.off_balance(steered)
    joint = max(float(np.abs(balance).max()), float(np.abs(connection.off_peak()).max()))
    missed = max(missed, joint / connection.size)
    flows = connection.flows
    return _Now(
        connection.factor(coupling),
        balance,
        missed,
        sum(boxes.product() for boxes in fleet.boxes),
        max(1.0, abs(float((flows.cost * flows.values).sum()))),
    )


def _is_near(fleet: Fleet, now: _Now, near: float, missed: float) -> bool:
    if now.missed > missed or now.product > near * now.size:
        return False
    cost = sum(float((boxes.cost * boxes.values).sum()) for boxes in fleet.boxes)
    return cost - bound(fleet) / fleet.money <= near * now.size


def _step(fleet: Fleet, now: _Now) -> float:
    """Take one step and return how long it was, at most 1."""
    connection = fleet.connection
    count = sum(boxes.count for boxes in fleet.boxes)
    product = now.product / count
    stragglers = _stragglers(now.product / now.size)
    for block in fleet.blocks:
        block.powers.push_nowhere(block.reduced(connection.price))
        if block.turns is not None:
            block.turns.room.push_nowhere(block.turns.price)
    connection.flows.push_nowhere(connection.reduced())
    connection.peak.push_nowhere(connection.reduced_peak())
    _direct(fleet, now)
    own = [block.reach(1.0, first=True) for block in fleet.blocks]
    parts, joint = _parts(own, [boxes.first_reach() for boxes in connection.boxes], stragglers)
    after = sum(boxes.product_after(*joint) for boxes in connection.boxes)
    for block, part in zip(fleet.blocks, parts, strict=True):
        after += sum(boxes.product_after(*part) for boxes in block.boxes)
    left = min(max(after / now.product, 0.0), 1.0)
    aim, near_edge = product * left**3, min(max(_BACK_OFF, 1.0 - left), _EDGE)
    for boxes in fleet.boxes:
        boxes.push_to(aim, product)
    _direct(fleet, now)
    own = [block.reach(near_edge) for block in fleet.blocks]
    parts, joint = _parts(own, [boxes.reach(near_edge) for boxes in connection.boxes], stragglers)
    for block, part in zip(fleet.blocks, parts, strict=True):
        block.take(*part)
    connection.take(*joint)
    return max(joint)


def _stragglers(distance: float) -> float:
    """Return the part of the batteries that may take a shorter step than the connection.

    Args:
        distance: The products beside the cost: the nearer, the fewer [tuned on 100 to 10,000].
    """
    return min(max(_FEW, distance), 0.25) if distance > _APART else 0.0


def _parts(
    own: list[tuple[FloatArray, FloatArray]],
    single: list[tuple[FloatArray, FloatArray]],
    stragglers: float,
) -> tuple[list[tuple[FloatArray, FloatArray]], tuple[float, float]]:
    """Return how much of the step blocks and connection take: quantities, and multipliers.

    Each battery takes what it can itself, so that one that is stuck does not hold up the others;
    none takes more than the connection, which takes what most batteries can. What the balance
    misses by that is small, and made up for in the next step.
    """
    most = []
    for kind in (0, 1):
        usual = np.quantile(np.concatenate([one[kind] for one in own]), stragglers)
        most.append(float(min(usual, *(one[kind].min() for one in single))))
    found = [(np.minimum(ahead, most[0]), np.minimum(prices, most[1])) for ahead, prices in own]
    return found, (most[0], most[1])


def _direct(fleet: Fleet, now: _Now) -> None:
    connection = fleet.connection
    off = now.balance.copy()
    for block in fleet.blocks:
        off += block.answer()
    connection.direct(now.factor, off)
    for block in fleet.blocks:
        block.follow(block.powers.give, connection.price_step)
