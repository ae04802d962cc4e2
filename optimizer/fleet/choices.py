"""The best mix of schedules found so far, and the prices at the connection that go with it.

Each battery takes a mix of its schedules in a window; the connection joins the batteries. That is a
small linear programme, solved by an interior point as the fleet is, as far as its prices are of
use: prices from the middle of what is still possible find better schedules than those of a corner.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import LinAlgError

from optimizer.fleet.boxes import Boxes
from optimizer.fleet.connection import CUT, Connection
from optimizer.fleet.windows import Steps
from optimizer.linear.programme import IntArray
from optimizer.problem import FloatArray

_MOST_STEPS = 25
_BALANCED = 1e-4
"""What the balance may be off by, beside the number of steps."""
_BACK_OFF = 0.9
_LEAST_SIZE = 1e-3
"""What flows of the connection cost at least, in units of the programme: its limits may be zero."""


@dataclass(slots=True, eq=False)
class Choice:
    """The k schedules of each of b batteries in one window of n steps.

    Attributes:
        rows: The window's steps among those of the connection.
        drawn: Charge minus discharge, shape ``(k, b, n)``.
        weights: How much of each is in the mix, shape ``(k, b)``.
    """

    rows: Steps
    drawn: FloatArray
    weights: Boxes
    _missed: FloatArray = field(init=False)
    _joint: FloatArray = field(init=False)
    _sums: FloatArray = field(init=False)

    @property
    def mean(self) -> FloatArray:
        """What each battery draws by its mix, shape ``(b, n)``."""
        found: FloatArray = np.einsum("kb,kbn->bn", self.weights.values, self.drawn)
        return found

    def begin_step(self, coupling: FloatArray) -> None:
        """Add what the mix gives at the connection to ``(T, T)``."""
        self.weights.look()
        give = self.weights.give
        self._missed = 1.0 - self.weights.values.sum(axis=0)
        self._sums = give.sum(axis=0)
        given = give[:, :, None] * self.drawn
        self._joint = given.sum(axis=0)
        steps = self.drawn.shape[2]
        here = given.reshape(-1, steps).T @ self.drawn.reshape(-1, steps)
        here -= (self._joint / self._sums[:, None]).T @ self._joint
        coupling[self.rows, self.rows] += here

    def reduced(self, price: FloatArray) -> FloatArray:
        """Return what each schedule costs at prices of the connection, shape ``(k, b)``."""
        found: FloatArray = self.weights.cost + self.drawn @ price[self.rows]
        return found

    def push_nowhere(self, price: FloatArray) -> None:
        """Aim at products of zero."""
        self.weights.push_nowhere(self.reduced(price))

    def answer(self) -> FloatArray:
        """Return what the mix would take at unchanged prices, shape ``(n,)``."""
        self._move(np.zeros(self.drawn.shape[2]))
        found: FloatArray = np.einsum("kb,kbn->n", self.weights.step, self.drawn)
        return found

    def follow(self, price_step: FloatArray) -> None:
        """Find the steps that go with a step of the prices."""
        self._move(price_step[self.rows])

    def _move(self, price_step: FloatArray) -> None:
        give, wish = self.weights.give, self.weights.wish
        moved = give * (wish - self.drawn @ price_step)
        moved -= give * ((moved.sum(axis=0) - self._missed) / self._sums)
        self.weights.step[:] = moved


def choice_of(rows: Steps, drawn: list[FloatArray], cost: list[FloatArray]) -> Choice:
    """Return schedules of shape ``(n, b)`` each, with what they cost at prices of zero, mixed."""
    costs = np.array(cost)
    weights = Boxes(costs, np.zeros(costs.shape), np.ones(costs.shape))
    weights.begin_at(np.full(costs.shape, 1.0 / costs.shape[0]))
    return Choice(rows, np.array(drawn).transpose(0, 2, 1).copy(), weights)


def joined(connection: Connection, rows: IntArray) -> Connection:
    """Return the connection at some steps; the peak keeps the price that the others leave of it."""
    elsewhere = np.ones(connection.price.size, dtype=np.bool_)
    elsewhere[rows] = False
    flows, peak = connection.flows, connection.peak
    left = np.maximum(peak.cost - connection.peak_price[elsewhere].sum(), 0.0)
    return Connection(
        Boxes(flows.cost[:, rows], flows.low[:, rows], flows.width[:, rows], flows.weight),
        Boxes(left, peak.low, peak.width, peak.weight),
        connection.residual[rows],
        connection.price[rows].copy(),
        connection.peak_price[rows].copy(),
        connection.has_peak,
    )


def mix(choices: list[Choice], connection: Connection, near: float) -> None:
    """Walk towards the best mix; weights and the connection's prices are changed.

    Args:
        choices: Every window's; they begin anew.
        connection: At the steps of the windows; its prices are where it begins.
        near: How small products are beside the cost where it ends.
    """
    _begin(choices, connection)
    for _ in range(_MOST_STEPS):
        try:
            if _is_near(choices, connection, near):
                return
            _step(choices, connection)
        except (LinAlgError, ValueError):
            return


def size_of(connection: Connection) -> float:
    """Return what the flows of a connection cost, without signs; never nothing."""
    flows = connection.flows
    return max(float(np.abs(flows.cost * flows.values).sum()), _LEAST_SIZE)


def _begin(choices: list[Choice], connection: Connection) -> None:
    drawn = connection.residual + _drawn(choices, connection)
    connection.begin_at(drawn, connection.flows.low[CUT])
    size = size_of(connection)
    boxes = _boxes(choices, connection)
    for one in boxes:
        one.begin(0.1 * size / sum(each.count for each in boxes))


def _boxes(choices: list[Choice], connection: Connection) -> list[Boxes]:
    return [*(choice.weights for choice in choices), *connection.boxes]


def _drawn(choices: list[Choice], connection: Connection) -> FloatArray:
    found = np.zeros_like(connection.price)
    for choice in choices:
        found[choice.rows] += choice.mean.sum(axis=0)
    return found


def _is_near(choices: list[Choice], connection: Connection, near: float) -> bool:
    product = sum(boxes.product() for boxes in _boxes(choices, connection))
    balance = np.abs(connection.off_balance(_drawn(choices, connection))).max()
    return product <= near * size_of(connection) and bool(
        balance <= _BALANCED * connection.price.size
    )


def _step(choices: list[Choice], connection: Connection) -> None:
    boxes = _boxes(choices, connection)
    coupling = np.zeros((connection.price.size,) * 2)
    for one in connection.boxes:
        one.look()
    for choice in choices:
        choice.begin_step(coupling)
    np.einsum("tt->t", coupling)[:] += connection.diagonal(connection.flows.give)
    factor = connection.factor(coupling)
    balance = connection.off_balance(_drawn(choices, connection))
    now = sum(one.product() for one in boxes)
    count = sum(one.count for one in boxes)
    for choice in choices:
        choice.push_nowhere(connection.price)
    connection.flows.push_nowhere(connection.reduced())
    connection.peak.push_nowhere(connection.reduced_peak())
    _direct(choices, connection, factor, balance)
    ahead, prices = _reach([one.first_reach() for one in boxes])
    after = sum(one.product_after(ahead, prices) for one in boxes)
    aim = now / count * min(max(after / now, 0.0), 1.0) ** 3
    for one in boxes:
        one.push_to(aim, now / count)
    _direct(choices, connection, factor, balance)
    ahead, prices = _reach([one.reach(_BACK_OFF) for one in boxes])
    for choice in choices:
        choice.weights.take(ahead, prices)
    connection.take(ahead, prices)


def _reach(parts: list[tuple[FloatArray, FloatArray]]) -> tuple[float, float]:
    return (
        float(min(ahead.min() for ahead, _ in parts)),
        float(min(prices.min() for _, prices in parts)),
    )


def _direct(
    choices: list[Choice],
    connection: Connection,
    factor: tuple[FloatArray, bool],
    balance: FloatArray,
) -> None:
    off = balance.copy()
    for choice in choices:
        off[choice.rows] += choice.answer()
    connection.direct(factor, off)
    for choice in choices:
        choice.follow(connection.price_step)
