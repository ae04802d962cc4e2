"""A block of batteries: what they do, the prices of what they store, and their Newton step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from optimizer.fleet.boxes import Boxes, Part, rough
from optimizer.fleet.ladder import CHARGE, DISCHARGE, STORED, Ladder, ladder_of
from optimizer.fleet.turns import Turns
from optimizer.problem import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Exact:
    """What a block is told by, kept aside while it goes on roughly.

    Attributes:
        ranges: Cost, lowest value and width of its powers, shape ``(3, T, b)`` each.
        weight: Of its powers.
        scratch: Of its powers.
        begun: What is there in each step whatever is done, shape ``(T, b)``.
        losses: Stored per charged kW, taken out per discharged kW, and the part that is kept.
    """

    ranges: tuple[FloatArray, FloatArray, FloatArray]
    weight: Part
    scratch: tuple[FloatArray, FloatArray] | None
    begun: FloatArray
    losses: tuple[FloatArray, FloatArray, FloatArray]


@dataclass(slots=True, eq=False)
class Batteries:
    """Some batteries of the fleet, as many as the processor's cache holds.

    Attributes:
        powers: Charge, discharge and stored energy, shape ``(3, T, b)``.
        begun: What is there in each step whatever is done: the start, less what drains away,
            shape ``(T, b)``.
        into: Stored per charged kW and step, shape ``(1 or T, b)``.
        out_of: Taken out per discharged kW and step, shape ``(1 or T, b)``.
        kept: Part of what is stored that is kept over a step, shape ``(1 or T, b)``.
        price: Price of stored energy after each step, shape ``(T, b)``.
        turns: Steps at which charge and discharge share one power, or None.
    """

    powers: Boxes
    begun: FloatArray
    into: FloatArray
    out_of: FloatArray
    kept: FloatArray
    price: FloatArray
    turns: Turns | None = None
    price_step: FloatArray = field(init=False)
    _exact: _Exact | None = field(init=False, default=None)
    _ladder: Ladder = field(init=False)
    _missed: FloatArray = field(init=False)
    _right: FloatArray = field(init=False)
    _moved: FloatArray = field(init=False)
    _towards: FloatArray = field(init=False)

    @property
    def is_rough(self) -> bool:
        """Whether numbers have half the bytes."""
        return self._exact is not None

    def go_roughly(self, scratch: tuple[FloatArray, FloatArray]) -> None:
        """Go on in numbers of half the bytes, from the beginning; exact ones are kept aside."""
        powers = self.powers
        self._exact = _Exact(
            (powers.cost, powers.low, powers.width),
            powers.weight,
            powers.scratch,
            self.begun,
            (self.into, self.out_of, self.kept),
        )
        self.powers = powers.rough(scratch)
        self.begun, self.price = rough(self.begun), rough(self.price)
        self.into, self.out_of, self.kept = rough(self.into), rough(self.out_of), rough(self.kept)

    @property
    def is_sound(self) -> bool:
        """Whether every number is one."""
        return bool(np.isfinite(self.price).all() and np.isfinite(self.powers.above).all())

    def go_exactly(self, *, onward: bool) -> None:
        """Go on in exact numbers, onward from where rough ones have led or from the beginning."""
        exact, before = self._exact, self.powers
        if exact is None:
            return
        self._exact = None
        self.powers = Boxes(*exact.ranges, exact.weight, exact.scratch)
        self.begun, self.price = exact.begun, self.price.astype(np.float64)
        self.into, self.out_of, self.kept = exact.losses
        if onward:
            self.powers.go_on_from(before)

    @property
    def boxes(self) -> tuple[Boxes, ...]:
        """Every group of quantities."""
        return (self.powers,) if self.turns is None else (self.powers, self.turns.room)

    @property
    def steered(self) -> FloatArray:
        """Charge minus discharge of all of them, shape ``(T,)``."""
        values = self.powers.values
        found: FloatArray = (values[CHARGE] - values[DISCHARGE]).sum(axis=1)
        return found

    def off_chain(self, values: FloatArray) -> FloatArray:
        """Return what each step's stored energy misses to what follows from the powers."""
        missed: FloatArray = self.into * values[CHARGE]
        missed -= self.out_of * values[DISCHARGE]
        missed -= values[STORED]
        missed += self.begun
        missed[1:] += self._carried(values[STORED])
        return missed

    def begin_step(self, coupling: FloatArray) -> tuple[FloatArray, float]:
        """Begin a step: factor the chains and add what they give at the connection to ``(T, T)``.

        Returns:
            Charge minus discharge of all of them, shape ``(T,)``, and the most that an equation of
            theirs misses.
        """
        values = self.powers.values
        self._missed = self.off_chain(values)
        most = max(float(self._missed.max()), -float(self._missed.min()))
        if self.turns is not None:
            most = max(most, self.turns.miss(values))
        for boxes in self.boxes:
            boxes.look()
        self.factor(self.powers.give, coupling)
        return (values[CHARGE] - values[DISCHARGE]).sum(axis=1), most

    def reduced(self, price: FloatArray) -> FloatArray:
        """Return the cost of each minus what the equations pay for it, shape ``(3, T, b)``."""
        found = self.reduced_alone(price)
        if self.turns is not None:
            self.turns.add_to(found)
        return found

    def reduced_alone(self, price: FloatArray) -> FloatArray:
        """Return the same without what a shared power costs, shape ``(3, T, b)``."""
        column = price.astype(self.price.dtype, copy=False)[:, None]
        found = np.empty_like(self.powers.cost)
        charge, discharge, stored = found
        np.multiply(self.into, self.price, out=charge)
        charge += column
        np.multiply(self.out_of, self.price, out=discharge)
        discharge += column
        np.negative(discharge, out=discharge)
        np.negative(self.price, out=stored)
        stored[:-1] += self._kept_later * self.price[1:]
        found += self.powers.cost
        return found

    def factor(self, give: FloatArray, coupling: FloatArray) -> None:
        """Factor the chains and add what they give at the connection to ``(T, T)``.

        Args:
            give: Of the quantities, shape ``(3, T, b)``; of powers that share one, it is changed to
                what they give at the connection.
            coupling: The sum of what all give.
        """
        charge, discharge, stored = give
        self._towards = np.empty((2, *stored.shape), stored.dtype)
        np.multiply(self.into, charge, out=self._towards[0])
        np.multiply(self.out_of, discharge, out=self._towards[1])
        own = charge * discharge
        if self.turns is not None:
            self.turns.factor(give, self._towards, own, self.into, self.out_of)
        own *= (self.into - self.out_of) ** 2
        rung = self.into * self._towards[0]
        rung += self.out_of * self._towards[1]
        joint = self._towards[0] + self._towards[1]
        self._ladder = ladder_of(stored, rung, joint, own, self.kept)
        self._ladder.add_to(coupling)

    def answer(self) -> FloatArray:
        """Return what they take from the connection at unchanged prices there, shape ``(T,)``."""
        if self.turns is not None:
            self.turns.share_wishes(self.powers.wish)
        return self.answer_to(self.powers.give, self.powers.wish, self._missed)

    def answer_to(self, give: FloatArray, wish: FloatArray, missed: FloatArray) -> FloatArray:
        """Return what they take from the connection, for wishes and misses of one's own."""
        self._moved = give * wish
        if self.turns is not None:
            self.turns.move(self._moved, wish)
        charge, discharge, stored = self._moved
        right: FloatArray = missed + self.into * charge
        right -= self.out_of * discharge
        right -= stored
        right[1:] += self._carried(stored)
        self._right = right
        price = right.copy()
        self._ladder.solve(price)
        price *= self._ladder.joint
        np.subtract(charge, price, out=price)
        price -= discharge
        found: FloatArray = price.sum(axis=1)
        return found

    def follow(self, give: FloatArray, price_step: FloatArray) -> FloatArray:
        """Find the steps that go with a step of the prices at the connection, ``(3, T, b)``."""
        column = price_step.astype(self.price.dtype, copy=False)[:, None]
        price = self._right
        price -= self._ladder.joint * column
        self._ladder.solve(price)
        self.price_step = price
        step, work = self.powers.step, np.empty_like(price)
        for kind, move in ((CHARGE, np.subtract), (DISCHARGE, np.add)):
            np.multiply(self._towards[kind], price, out=work)
            move(self._moved[kind], work, out=step[kind])
            np.multiply(give[kind], column, out=work)
            move(step[kind], work, out=step[kind])
        np.negative(price, out=work)
        work[:-1] += self._kept_later * price[1:]
        work *= give[STORED]
        np.subtract(self._moved[STORED], work, out=step[STORED])
        if self.turns is not None:
            self.turns.follow(self.powers.wish, price, column)
        return step

    def reach(self, part: float, *, first: bool = False) -> tuple[FloatArray, FloatArray]:
        """Return how much of the step each battery can take, and its multipliers."""
        found = [one.first_reach() if first else one.reach(part) for one in self.boxes]
        if len(found) == 1:
            return found[0]
        (ahead, prices), (room, room_prices) = found
        return np.minimum(ahead, room), np.minimum(prices, room_prices)

    def take(self, ahead: FloatArray, prices: FloatArray) -> None:
        """Take these parts of the step."""
        for boxes in self.boxes:
            boxes.take(ahead, prices)
        self.price_step *= prices
        self.price += self.price_step
        if self.turns is not None:
            self.turns.price += prices * self.turns.price_step

    def least_cost(self, price: FloatArray) -> float:
        """Return the least they can cost at these prices of the connection: a lower bound."""
        least = float(self.powers.least(self.reduced(price)).sum())
        least += float((self.price * self.begun).sum())
        return least if self.turns is None else least + self.turns.least_cost()

    @property
    def _kept_later(self) -> FloatArray:
        """Part of what is stored that each step but the first gets, shape ``(1 or T - 1, b)``."""
        return self.kept[1:] if self.kept.shape[0] > 1 else self.kept

    def _carried(self, stored: FloatArray) -> FloatArray:
        found: FloatArray = stored[:-1] * self._kept_later
        return found
