"""Quantities that each stay in a range, and the interior point's one step with all of them.

Every quantity of the fleet's programme has a lowest and a highest value. An interior point keeps
its distance to both, and a multiplier for each; the products of the two go to zero together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from optimizer.problem import FloatArray

Part: TypeAlias = "float | FloatArray"
"""How much of a step is taken: one number, or one for every place on the last axis."""
_TINY = 1e-300
_FIXED = 1e-9
"""A range narrower than this holds one value (in scaled units)."""
_MOST_CORRECTION = 3.0
"""A correction beyond this many products is a guess about cells that the step is too long for."""


@dataclass(slots=True, eq=False)
class Boxes:
    """Quantities of one shape; the arrays are changed in place, step after step.

    Attributes:
        cost: What one unit costs.
        low: Lowest value.
        width: Highest minus lowest value.
        weight: How much larger its products are on the way than those of one battery.
        above: Distance to the lowest value, more than zero.
        below: Distance to the highest value, more than zero.
        low_price: Multiplier of the lowest value, more than zero.
        high_price: Multiplier of the highest value, more than zero.
        movable: 1 where there is a range, 0 where there is one value.
        step: Where the direction in hand leads.
    """

    cost: FloatArray
    low: FloatArray
    width: FloatArray
    weight: float = 1.0
    above: FloatArray = field(init=False)
    below: FloatArray = field(init=False)
    low_price: FloatArray = field(init=False)
    high_price: FloatArray = field(init=False)
    movable: FloatArray = field(init=False)
    step: FloatArray = field(init=False)
    low_push: FloatArray | float = field(init=False, default=0.0)
    high_push: FloatArray | float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.movable = (self.width > _FIXED).astype(np.float64)
        self.above = np.where(self.width > _FIXED, self.width / 2, 1.0)
        self.below = self.above.copy()
        self.low_price = np.zeros_like(self.above)
        self.high_price = np.zeros_like(self.above)
        self.step = np.zeros_like(self.above)

    @property
    def values(self) -> FloatArray:
        """What the quantities are now."""
        found: FloatArray = self.low + self.movable * self.above
        return found

    @property
    def free_count(self) -> float:
        """How many quantities have a range, each counted by its weight."""
        return self.weight * float(self.movable.sum())

    def begin_at(self, values: FloatArray) -> None:
        """Begin at these values, or as near to them as leaves some room to either edge."""
        room = 0.01 * self.width
        inside = np.clip(values - self.low, room, self.width - room)
        self.above = np.where(self.movable > 0, inside, 1.0)
        self.below = np.where(self.movable > 0, self.width - inside, 1.0)

    def begin(self, product: float) -> None:
        """Give every multiplier the value at which it makes this product."""
        self.low_price = self.movable * (self.weight * product / self.above)
        self.high_price = self.low_price.copy()

    def give(self) -> FloatArray:
        """Return how far each gives way for one unit of price, the inverse of its curvature."""
        found: FloatArray = self.movable / (
            self.low_price / self.above + self.high_price / self.below + (1.0 - self.movable)
        )
        return found

    def product(self) -> float:
        """Return the sum of distances times multipliers."""
        return _dot(self.above, self.low_price) + _dot(self.below, self.high_price)

    def push_nowhere(self) -> None:
        """Aim at products of zero: the first look ahead."""
        self.low_push = 0.0
        self.high_push = 0.0

    def push_to(self, product: float, now: float) -> None:
        """Aim at this product, corrected for what the first look ahead left out.

        Args:
            product: The product aimed at.
            now: The mean product now, which limits the correction.
        """
        most = _MOST_CORRECTION * self.weight * now
        low_change = -self.low_price * (1.0 + self.step / self.above)
        high_change = -self.high_price * (1.0 - self.step / self.below)
        aim = self.weight * product
        low = aim - np.clip(self.step * low_change, -most, most)
        high = aim + np.clip(self.step * high_change, -most, most)
        self.low_push = self.movable * low / self.above
        self.high_push = self.movable * high / self.below

    def wish(self, reduced: FloatArray) -> FloatArray:
        """Return the price at which each would move by what it gives.

        Args:
            reduced: Cost minus what the equations pay for it.
        """
        return self.low_push - self.high_push - reduced

    def reach(self, part: float) -> tuple[FloatArray, FloatArray]:
        """Return how much of the step quantities and multipliers can take, at most 1.

        Args:
            part: How near to an edge a step may come, 1 for the edge itself.

        Returns:
            One number each for every place on the last axis.
        """
        low_change, high_change = self._changes()
        low_price = np.maximum(self.low_price, _TINY)
        high_price = np.maximum(self.high_price, _TINY)
        ahead = _most(np.maximum(-self.step / self.above, self.step / self.below))
        prices = _most(np.maximum(-low_change / low_price, -high_change / high_price))
        return np.minimum(1.0, part / ahead), np.minimum(1.0, part / prices)

    def product_after(self, ahead: Part, prices: Part) -> float:
        """Return the sum of products after these parts of the step."""
        low_change, high_change = self._changes()
        low = _dot(self.above + ahead * self.step, self.low_price + prices * low_change)
        return low + _dot(self.below - ahead * self.step, self.high_price + prices * high_change)

    def take(self, ahead: Part, prices: Part) -> None:
        """Take these parts of the step."""
        low_change, high_change = self._changes()
        moved = ahead * self.step
        self.above += moved
        self.below -= moved
        self.low_price += prices * low_change
        self.high_price += prices * high_change

    def settled(self) -> tuple[FloatArray, FloatArray]:
        """Return the values, with those at an edge put on it, and how far the others may move."""
        at_low = self.above < self.low_price
        at_high = self.below < self.high_price
        values = np.where(at_high, self.low + self.width, self.values)
        values = np.where(at_low | (self.movable == 0), self.low, values)
        room = np.where(at_low | at_high, 0.0, np.minimum(self.above, self.below))
        return values, self.movable * room**2

    def least(self, reduced: FloatArray) -> FloatArray:
        """Return the least that each can cost at these reduced costs."""
        return np.minimum(reduced * self.low, reduced * (self.low + self.width))

    def _changes(self) -> tuple[FloatArray, FloatArray]:
        low = self.low_push - self.low_price * (1.0 + self.step / self.above)
        high = self.high_push - self.high_price * (1.0 - self.step / self.below)
        return low, high


def _dot(one: FloatArray, other: FloatArray) -> float:
    return float(np.einsum("i,i->", one.ravel(), other.ravel()))


def _most(values: FloatArray) -> FloatArray:
    found: FloatArray = values.reshape(-1, values.shape[-1]).max(axis=0)
    return np.maximum(found, _TINY)
