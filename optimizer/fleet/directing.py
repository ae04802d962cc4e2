"""Directions for a whole fleet from schedules of its batteries, and prices that bound its cost.

In turn each battery gets the cheapest schedule at the prices of the connection, and prices follow
from the best mix of all schedules found so far. That ends near the highest bound that prices can
give. The mix then becomes one schedule for each battery, the largest first, each so that all of
them together keep near to what the mix draws.

What the rest of the horizon is worth is no part of that: it comes as prices, from a plan with
directions fixed. So plan and mix follow each other a few times.

Source:
    G. B. Dantzig, P. Wolfe, Decomposition principle for linear programs, Operations Research 8
    (1960); prices between the best so far and the newest: P. Wentges, Weighted Dantzig-Wolfe
    decomposition for linear mixed-integer programming, Int. Trans. Oper. Res. 4 (1997).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from optimizer.fleet.choices import Choice, choice_of, joined, mix, size_of
from optimizer.fleet.connection import IMPORT, Connection
from optimizer.fleet.schedules import Scheduler
from optimizer.fleet.shape import Fleet
from optimizer.fleet.whole_steps import shared_cost
from optimizer.fleet.windows import Steps, Window, windows_of
from optimizer.linear.programme import IntArray
from optimizer.problem import BoolArray, FloatArray

_ROUNDS = 20
_AGAIN = 6
"""Rounds of the second mix and those after it: schedules are there already."""
_FIRST = 5
"""Schedules that each battery begins with: found at prices a little beside the true ones."""
_BESIDE = 0.06
"""How far beside, as a part of the mean price."""
_KEPT = (0.7, 0.0)
"""How much prices keep of the best so far: a round looks for schedules at both."""
_ENOUGH = 2e-4
"""Rounds end when prices can raise the bound by no more than this part of what flows cost."""
_MIXED = 0.2
"""How near a mix comes to the best one, as a part of what prices could raise the bound by."""
_NEAREST, _FARTHEST = 1e-4, 1e-2
"""The same beside what flows cost, at least and at most."""
_OFF = 0.003
"""What a battery's power beside the mix costs, as a part of the mean price, and rising."""
_SWEEPS = 10
_ORDERS = 8
"""In how many orders batteries choose; the first is the largest first."""


@dataclass(slots=True, eq=False)
class _Part:
    """The batteries of one block in one window.

    Attributes:
        block: Which block.
        window: The window.
        rows: Its steps among those of all windows.
        scheduler: Finds schedules.
        stored: What schedules found so far store, shape ``(n + 1, b)`` each.
    """

    block: int
    window: Window
    rows: Steps
    scheduler: Scheduler
    stored: list[FloatArray] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Directing:
    """Schedules of a fleet in the windows of negative prices.

    Attributes:
        fleet: The programme with shared powers; its prices are changed.
        inside: Which steps are in a window, shape ``(T,)``.
    """

    fleet: Fleet
    inside: BoolArray = field(init=False)
    _parts: list[_Part] = field(init=False)
    _resting: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        price, blocks = self.fleet.connection.price, self.fleet.blocks
        pairs = [(at, one) for at, block in enumerate(blocks) for one in windows_of(block, price)]
        self.inside = np.zeros(price.size, dtype=np.bool_)
        for _, window in pairs:
            self.inside[window.steps] = True
        before = np.concatenate([[0], np.cumsum(self.inside)])
        self._parts = [
            _Part(at, one, slice(int(before[one.first]), int(before[one.behind])), Scheduler(one))
            for at, one in pairs
            if one.members.size
        ]
        self._resting = sum((block.steered for block in blocks), np.zeros(price.size))
        for part in self._parts:
            values = blocks[part.block].powers.values[:, part.window.steps, part.window.members]
            self._resting[part.window.steps] -= (values[0] - values[1]).sum(axis=1)

    def directions(self, forward: BoolArray) -> BoolArray:
        """Return where batteries charge, if anything, shape ``(B, T)``.

        The prices of the connection in windows become those with the highest bound found.

        Args:
            forward: The same for what is not in a window.
        """
        connection, rows = self.fleet.connection, np.flatnonzero(self.inside)
        here = joined(connection, rows)
        here.residual += self._resting[rows]
        choices = self._mixed(here)
        connection.price[rows] = here.price
        connection.peak_price[rows] = here.peak_price
        found = forward.copy()
        for part, choice in zip(self._parts, choices, strict=True):
            self._choose(part, choice, here.price, found)
        return found

    def nearly_eur(self) -> float:
        """Return what whole steps add to the bound on shared powers, nearly [EUR].

        What schedules cost in straight lines between few cells: soon found, but no bound.
        """
        price, total = self.fleet.connection.price, 0.0
        for part in self._parts:
            block = self.fleet.blocks[part.block]
            moves, held = part.window.costs(block.reduced_alone(price))
            over = part.scheduler.least(moves, held) - shared_cost(block, price, part.window)
            total += float(np.maximum(over, 0.0).sum())
        return total * self.fleet.money

    def _mixed(self, here: Connection) -> list[Choice]:
        """Return mixes of schedules; the connection's prices become the best found."""
        within_the_peak(here)
        best, highest = here.price.copy(), self._least(here)
        rounds = _AGAIN
        if len(self._parts[0].stored) == 1:
            self._begin(here)
            rounds = _ROUNDS
        choices: list[Choice] = []
        near = _FARTHEST
        for _ in range(rounds):
            choices = [self._choice(part) for part in self._parts]
            mix(choices, here, near)
            most = _paid(choices, here)
            start, newest = best, here.price.copy()
            for kept in _KEPT:
                here.price[:] = kept * start + (1 - kept) * newest
                within_the_peak(here)
                least = self._least(here)
                if least > highest:
                    best, highest = here.price.copy(), least
            open_part = (most - highest) / size_of(here)
            if open_part <= _ENOUGH:
                break
            near = min(max(_MIXED * open_part, _NEAREST), _FARTHEST)
        here.price[:] = best
        within_the_peak(here)
        return choices

    def _begin(self, here: Connection) -> None:
        """Find the first schedules, at prices that differ a little from battery to battery."""
        chance = np.random.default_rng(0)
        size = _BESIDE * float(np.abs(here.price).mean())
        for part in self._parts:
            window = part.window
            for _ in range(1, _FIRST):
                beside = size * chance.standard_normal(window.into.shape)
                moves, held = self._costs(part, here.price)
                moves += np.array([beside / window.into, -beside / window.out_of])
                part.stored.append(part.scheduler.cheapest(moves, held))

    def _least(self, here: Connection) -> float:
        """Return what all costs at least at the connection's prices; keep the schedules."""
        total = float(here.price @ here.residual) + float(here.flows.least(here.reduced()).sum())
        if here.has_peak:
            total += float(here.peak.least(here.reduced_peak()).sum())
        for part in self._parts:
            moves, held = self._costs(part, here.price)
            part.stored.append(part.scheduler.cheapest(moves, held))
            total += float(part.window.cost(part.stored[-1], moves, held).sum())
        return total

    def _costs(self, part: _Part, price: FloatArray) -> tuple[FloatArray, FloatArray]:
        everywhere = np.zeros_like(self.fleet.connection.price)
        everywhere[part.window.steps] = price[part.rows]
        return part.window.costs(self.fleet.blocks[part.block].reduced_alone(everywhere))

    def _choice(self, part: _Part) -> Choice:
        moves, held = self._costs(part, np.zeros(int(self.inside.sum())))
        window = part.window
        costs = [window.cost(stored, moves, held) for stored in part.stored]
        return choice_of(part.rows, [window.drawn(stored) for stored in part.stored], costs)

    def _choose(self, part: _Part, choice: Choice, price: FloatArray, forward: BoolArray) -> None:
        """Put the directions of one schedule of each battery in their place."""
        kinds = self.fleet.kinds
        place = np.full(self.fleet.blocks[part.block].price.shape[1], -1)
        place[part.window.members] = np.arange(part.window.members.size)
        first = self.fleet.members[part.block][0]
        of_block = np.isin(kinds.kind, self.fleet.members[part.block])
        rows = np.flatnonzero(of_block)
        rows = rows[np.argsort(kinds.kind[rows], kind="stable")]
        columns = place[kinds.kind[rows] - first]
        rows, columns = rows[columns >= 0], columns[columns >= 0]
        share = kinds.count[kinds.kind[rows]]
        forward[rows, part.window.steps] = _chosen(choice, columns, share, price) >= 0


def within_the_peak(here: Connection) -> None:
    """Lower prices until what they ask for import under the peak is no more than it costs."""
    over = np.maximum(here.price - here.flows.cost[IMPORT], 0.0)
    if here.has_peak:
        most, asked = float(here.peak.cost[0]), float(over.sum())
        part = most / asked if asked > most else 1.0
        here.price -= (1 - part) * over
        here.peak_price[:] = part * over


def _paid(choices: list[Choice], here: Connection) -> float:
    """Return what the mix costs."""
    total = float((here.flows.cost * here.flows.values).sum())
    if here.has_peak:
        total += float((here.peak.cost * here.peak.values).sum())
    return total + sum(float((one.weights.cost * one.weights.values).sum()) for one in choices)


def _chosen(choice: Choice, columns: IntArray, share: FloatArray, price: FloatArray) -> FloatArray:
    """Return what one schedule for each battery draws, shape ``(B, n)``.

    Args:
        choice: Of what is alike as one.
        columns: Which of the choice's each battery is, shape ``(B,)``.
        share: How many are alike, shape ``(B,)``.
        price: Of the connection in all windows.
    """
    mean = choice.mean[columns] / share[:, None]
    drawn = choice.drawn[:, columns] / share[:, None]
    dear = choice.reduced(price)
    dear = (dear - dear.min(axis=0))[:, columns] / share
    off_price = _OFF * float(np.abs(price[choice.rows]).mean())
    order: IntArray = np.argsort(-np.abs(drawn).max(axis=(0, 2)), kind="stable")
    chance = np.random.default_rng(0)
    orders = [order, *(chance.permutation(order) for _ in range(1, _ORDERS))]
    tried = [_in_order(one, mean, drawn, dear, off_price) for one in orders]
    chosen = min(tried, key=lambda one: one[0])[1]
    found: FloatArray = drawn[chosen, np.arange(columns.size)]
    return found


def _in_order(
    order: IntArray, mean: FloatArray, drawn: FloatArray, dear: FloatArray, off_price: float
) -> tuple[float, IntArray]:
    """Return what one schedule for each battery is off by, as a cost, and which it is.

    Args:
        order: In which batteries choose, shape ``(B,)``.
        mean: What each draws by the mix, shape ``(B, n)``.
        drawn: What each draws by its schedules, shape ``(k, B, n)``.
        dear: What each schedule costs more than the cheapest, shape ``(k, B)``.
        off_price: What the square of drawing beside the mix costs.
    """
    chosen = np.full(order.size, -1)
    off = np.zeros(mean.shape[1])
    for _ in range(_SWEEPS):
        before = chosen.copy()
        for one in order:
            had = mean[one] if chosen[one] < 0 else drawn[chosen[one], one]
            beside = off - had + drawn[:, one]
            chosen[one] = (off_price * (beside**2).sum(axis=1) + dear[:, one]).argmin()
            off = beside[chosen[one]]
        if (chosen == before).all():
            break
    paid = off_price * float((off**2).sum()) + float(dear[chosen, np.arange(order.size)].sum())
    return paid, chosen
