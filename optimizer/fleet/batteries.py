"""A block of batteries: what they do, the prices of what they store, and their Newton step."""

from __future__ import annotations

from dataclasses import dataclass, field

from optimizer.fleet.boxes import Boxes
from optimizer.fleet.ladder import CHARGE, DISCHARGE, STORED, Ladder, ladder_of
from optimizer.problem import FloatArray


@dataclass(slots=True, eq=False)
class Batteries:
    """Some batteries of the fleet, as many as the processor's cache holds.

    Attributes:
        powers: Charge, discharge and stored energy, shape ``(3, T, b)``.
        start: Stored before the first step, shape ``(b,)``.
        into: Stored per charged kW and step, shape ``(b,)``.
        out_of: Taken out per discharged kW and step, shape ``(b,)``.
        price: Price of stored energy after each step, shape ``(T, b)``.
    """

    powers: Boxes
    start: FloatArray
    into: FloatArray
    out_of: FloatArray
    price: FloatArray
    price_step: FloatArray = field(init=False)
    _ladder: Ladder = field(init=False)

    @property
    def steered(self) -> FloatArray:
        """Charge minus discharge of all of them, shape ``(T,)``."""
        values = self.powers.values
        found: FloatArray = (values[CHARGE] - values[DISCHARGE]).sum(axis=1)
        return found

    def off_chain(self, values: FloatArray) -> FloatArray:
        """Return what each step's stored energy misses to what follows from the powers."""
        missed: FloatArray = self.into * values[CHARGE] - self.out_of * values[DISCHARGE]
        missed -= values[STORED]
        missed[0] += self.start
        missed[1:] += values[STORED][:-1]
        return missed

    def reduced(self, price: FloatArray) -> FloatArray:
        """Return the cost of each minus what the equations pay for it, shape ``(3, T, b)``."""
        column = price[:, None]
        found = self.powers.cost.copy()
        found[CHARGE] += self.into * self.price + column
        found[DISCHARGE] -= self.out_of * self.price + column
        found[STORED] -= self.price
        found[STORED][:-1] += self.price[1:]
        return found

    def factor(self, give: FloatArray, coupling: FloatArray) -> None:
        """Factor the chains and add what they give at the connection to ``(T, T)``."""
        self._ladder = ladder_of(give, self.into, self.out_of)
        self._ladder.add_to(coupling, self.into, self.out_of)

    def answer(self, wish: FloatArray, missed: FloatArray) -> FloatArray:
        """Return what they take from the connection at unchanged prices there, shape ``(T,)``."""
        give = self._ladder.give
        stored = self._ladder.solved(self._right(wish, missed))
        taken = (
            give[CHARGE] * wish[CHARGE]
            - give[DISCHARGE] * wish[DISCHARGE]
            - self._ladder.joint * stored
        )
        found: FloatArray = taken.sum(axis=1)
        return found

    def follow(self, wish: FloatArray, missed: FloatArray, price_step: FloatArray) -> None:
        """Find the steps that go with a step of the prices at the connection."""
        ladder, column = self._ladder, price_step[:, None]
        right = self._right(wish, missed)
        right -= ladder.joint * column
        stored = ladder.solved(right)
        self.price_step = stored
        step = self.powers.step
        step[CHARGE] = wish[CHARGE] - self.into * stored - column
        step[DISCHARGE] = wish[DISCHARGE] + self.out_of * stored + column
        step[STORED] = wish[STORED] + stored
        step[STORED][:-1] -= stored[1:]
        step *= ladder.give

    def least_cost(self, price: FloatArray) -> float:
        """Return the least they can cost at these prices of the connection: a lower bound."""
        least = self.powers.least(self.reduced(price))
        return float(least.sum() + self.price[0] @ self.start)

    def _right(self, wish: FloatArray, missed: FloatArray) -> FloatArray:
        give = self._ladder.give
        right: FloatArray = missed + self.into * (give[CHARGE] * wish[CHARGE])
        right -= self.out_of * (give[DISCHARGE] * wish[DISCHARGE])
        stored = give[STORED] * wish[STORED]
        right -= stored
        right[1:] += stored[:-1]
        return right
