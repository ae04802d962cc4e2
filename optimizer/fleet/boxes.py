"""Quantities that each stay in a range, and the interior point's one step with all of them.

Every quantity of the fleet's programme has a lowest and a highest value. An interior point keeps
its distance to both, and a multiplier for each; the products of the two go to zero together.

Nearly all of a plan's time goes into passes over these arrays, so they are changed in place, and
what several formulas need is reckoned once a step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from optimizer.problem import BoolArray, FloatArray

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

    Where there is one value and no range, distances and multipliers are kept as if there were one
    of two units, and only what the quantity gives is zero: so nothing moves, and nothing divides by
    zero.

    Attributes:
        cost: What one unit costs.
        low: Lowest value.
        width: Highest minus lowest value.
        weight: How much larger products are on the way than those of one battery: one number, or
            one for every place on the last axis.
        scratch: Two arrays of the shape, shared by all who use them one after the other.
        above: Distance to the lowest value, more than zero.
        below: Distance to the highest value, more than zero.
        low_price: Multiplier of the lowest value, more than zero.
        high_price: Multiplier of the highest value, more than zero.
        movable: 1 where there is a range, 0 where there is one value.
        step: Where the direction in hand leads.
        curve: How fast the price of moving rises, the products over the squares of distances.
        give: How far each gives way for one unit of price, the inverse of its curve.
        wish: The price at which each would move by what it gives.
    """

    cost: FloatArray
    low: FloatArray
    width: FloatArray
    weight: Part = 1.0
    scratch: tuple[FloatArray, FloatArray] | None = None
    above: FloatArray = field(init=False)
    below: FloatArray = field(init=False)
    low_price: FloatArray = field(init=False)
    high_price: FloatArray = field(init=False)
    movable: FloatArray = field(init=False)
    step: FloatArray = field(init=False)
    curve: FloatArray = field(init=False)
    give: FloatArray = field(init=False)
    wish: FloatArray = field(init=False)
    _fixed: BoolArray = field(init=False)
    _per_above: FloatArray = field(init=False)
    _per_below: FloatArray = field(init=False)
    _low_curve: FloatArray = field(init=False)
    _high_curve: FloatArray = field(init=False)
    _low_push: FloatArray = field(init=False)
    _high_push: FloatArray = field(init=False)
    _products: FloatArray = field(init=False)
    _work: tuple[FloatArray, FloatArray] = field(init=False)

    def __post_init__(self) -> None:
        self._fixed = self.width <= _FIXED
        self.movable = (~self._fixed).astype(self.width.dtype)
        self.above = np.where(self._fixed, 1.0, self.width / 2)
        self.below = self.above.copy()
        like = self.above
        self.low_price, self.high_price = np.zeros_like(like), np.zeros_like(like)
        self.step, self.wish = np.zeros_like(like), np.zeros_like(like)
        self.curve, self.give = np.empty_like(like), np.empty_like(like)
        self._per_above, self._per_below = np.empty_like(like), np.empty_like(like)
        self._low_curve, self._high_curve = np.empty_like(like), np.empty_like(like)
        self._low_push, self._high_push = np.empty_like(like), np.empty_like(like)
        own = self.scratch is None or self.scratch[0].shape != like.shape
        self._work = (np.empty_like(like), np.empty_like(like))
        if not own and self.scratch is not None:
            self._work = self.scratch

    @property
    def values(self) -> FloatArray:
        """What the quantities are now."""
        found: FloatArray = self.low + self.above
        np.copyto(found, self.low, where=self._fixed)
        return found

    @property
    def count(self) -> float:
        """How many quantities there are, each counted by its weight."""
        weights = np.broadcast_to(self.weight, self.above.shape[-1:])
        return float(weights.sum()) * self.above.size / max(weights.size, 1)

    def begin_at(self, values: FloatArray) -> None:
        """Begin at these values, or as near to them as leaves some room to either edge."""
        room = 0.01 * self.width
        inside = np.clip(values - self.low, room, self.width - room)
        self.above = np.where(self._fixed, 1.0, inside)
        self.below = np.where(self._fixed, 1.0, self.width - inside)

    def begin(self, product: float) -> None:
        """Give every multiplier the value at which it makes this product."""
        self.low_price = self.weight * product / self.above
        self.high_price = self.weight * product / self.below

    def rough(self, scratch: tuple[FloatArray, FloatArray]) -> Boxes:
        """Return the same quantities, not begun, in numbers of half the bytes."""
        weight = self.weight if isinstance(self.weight, float) else rough(self.weight)
        return Boxes(rough(self.cost), rough(self.low), rough(self.width), weight, scratch)

    def go_on_from(self, before: Boxes) -> None:
        """Stand where rougher numbers have led; the nearer edge is the one that they knew well."""
        near_low = before.above < before.below
        above = np.where(near_low, before.above, self.width - before.below)
        below = np.where(near_low, self.width - before.above, before.below)
        np.copyto(self.above, above, where=~self._fixed)
        np.copyto(self.below, below, where=~self._fixed)
        self.low_price[:] = before.low_price
        self.high_price[:] = before.high_price

    def look(self) -> None:
        """Reckon what all directions from here have in common."""
        np.divide(1.0, self.above, out=self._per_above)
        np.divide(1.0, self.below, out=self._per_below)
        np.multiply(self.low_price, self._per_above, out=self._low_curve)
        np.multiply(self.high_price, self._per_below, out=self._high_curve)
        np.add(self._low_curve, self._high_curve, out=self.curve)
        np.divide(self.movable, self.curve, out=self.give)

    def product(self) -> float:
        """Return the sum of distances times multipliers."""
        self._products = _sums(self.above, self.low_price)
        self._products += _sums(self.below, self.high_price)
        return float(self._products.sum())

    def push_nowhere(self, reduced: FloatArray) -> None:
        """Aim at products of zero: the first look ahead.

        Args:
            reduced: Cost minus what the equations pay for it.
        """
        np.negative(reduced, out=self.wish)

    def push_to(self, product: float, now: float) -> None:
        """Aim at this product, corrected for what the first look ahead left out.

        Args:
            product: The product aimed at.
            now: The mean product now, which limits the correction.
        """
        most, aim = _MOST_CORRECTION * self.weight * now, self.weight * product
        low, high = self._low_push, self._high_push
        np.multiply(self._low_curve, self.step, out=low)
        low += self.low_price
        low *= self.step
        np.clip(low, -most, most, out=low)
        low += aim
        low *= self._per_above
        np.multiply(self._high_curve, self.step, out=high)
        high -= self.high_price
        high *= self.step
        np.clip(high, -most, most, out=high)
        high += aim
        high *= self._per_below
        self.wish += low
        self.wish -= high

    def first_reach(self) -> tuple[FloatArray, FloatArray]:
        """Return how much of the first look ahead quantities and multipliers can take.

        Returns:
            One number each for every place on the last axis, at most 1.
        """
        ahead, prices = self._work
        np.multiply(self.step, self._per_above, out=ahead)
        np.multiply(self.step, self._per_below, out=prices)
        most = np.maximum(-_flat(ahead).min(axis=0), _flat(prices).max(axis=0))
        least = np.minimum(-_flat(ahead).max(axis=0), _flat(prices).min(axis=0))
        return _part(1.0, most), _part(1.0, 1.0 - least)

    def product_after(self, ahead: Part, prices: Part) -> float:
        """Return the sum of products after these parts of the first look ahead.

        It goes from what :meth:`product` found.
        """
        now, work = self._products, self._work[0]
        np.subtract(self.low_price, self.high_price, out=work)
        first = _sums(work, self.step)
        np.multiply(self.step, self.step, out=work)
        second = _sums(work, self.curve)
        left = 1.0 - prices
        return float((left * now + first * (ahead * left - prices) - ahead * prices * second).sum())

    def reach(self, part: float) -> tuple[FloatArray, FloatArray]:
        """Return how much of the step quantities and multipliers can take, at most 1.

        Args:
            part: How near to an edge a step may come, 1 for the edge itself.

        Returns:
            One number each for every place on the last axis.
        """
        low, high = self._work
        np.multiply(self._low_curve, self.step, out=low)
        self._low_push -= self.low_price
        self._low_push -= low
        np.multiply(self._high_curve, self.step, out=high)
        self._high_push -= self.high_price
        self._high_push += high
        np.divide(self._low_push, self.low_price, out=low)
        np.divide(self._high_push, self.high_price, out=high)
        prices = np.minimum(_flat(low).min(axis=0), _flat(high).min(axis=0))
        np.multiply(self.step, self._per_above, out=low)
        np.multiply(self.step, self._per_below, out=high)
        ahead = np.maximum(-_flat(low).min(axis=0), _flat(high).max(axis=0))
        return _part(part, ahead), _part(part, -prices)

    def take(self, ahead: Part, prices: Part) -> None:
        """Take these parts of the step; :meth:`reach` came before."""
        moved = np.multiply(self.step, ahead, out=self._work[0])
        self.above += moved
        self.below -= moved
        self._low_push *= prices
        self.low_price += self._low_push
        self._high_push *= prices
        self.high_price += self._high_push

    def settled(self, free: BoolArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Return the values, with those at an edge put on it, and how far the others may move.

        Args:
            free: The places on the last axis at which none is put on an edge; None for nowhere.
        """
        bound = True if free is None else ~free
        at_low = (self.above < self.low_price) & bound
        at_high = (self.below < self.high_price) & bound
        values = np.where(at_high, self.low + self.width, self.low + self.above)
        values = np.where(at_low | self._fixed, self.low, values)
        room = np.where(at_low | at_high, 0.0, np.minimum(self.above, self.below))
        return values, self.movable * room**2

    def least(self, reduced: FloatArray) -> FloatArray:
        """Return the least that each can cost at these reduced costs."""
        return np.minimum(reduced * self.low, reduced * (self.low + self.width))


def rough(values: FloatArray) -> FloatArray:
    """Return numbers of half the bytes: seven digits, in half the time."""
    return values.astype(np.float32)


def _flat(values: FloatArray) -> FloatArray:
    return values.reshape(-1, values.shape[-1])


def _sums(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the sums of products for every place on the last axis."""
    found: FloatArray = np.einsum("ij,ij->j", _flat(one), _flat(other))
    return found


def _part(part: float, ratio: FloatArray) -> FloatArray:
    return np.minimum(1.0, part / np.maximum(ratio, _TINY))
