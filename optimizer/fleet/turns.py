"""Charge and discharge that share one power: what is left of a direction without whole numbers.

A battery that has one direction at a time can do what lies between idle, its most charge and its
most discharge: ``charge / C + discharge / D <= 1``. That is the smallest convex set around the two
directions of one step, so the best with it is a bound on the best with one direction each.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from optimizer.fleet.boxes import Boxes
from optimizer.fleet.ladder import CHARGE, DISCHARGE
from optimizer.linear.programme import IntArray
from optimizer.problem import FloatArray


@dataclass(slots=True, eq=False)
class Turns:
    """The R steps at which the b batteries of a block share one power.

    Attributes:
        rows: Those steps, shape ``(R,)``.
        charge: One over the most charge, shape ``(R, b)``; 0 where nothing is shared.
        discharge: One over the most discharge, shape ``(R, b)``; 0 where nothing is shared.
        room: What is left to one, shape ``(R, b)``.
        price: Price of the shared power, shape ``(R, b)``.
        price_step: Where the direction in hand leads the price.
    """

    rows: IntArray
    charge: FloatArray
    discharge: FloatArray
    room: Boxes
    price: FloatArray
    price_step: FloatArray = field(init=False)
    _missed: FloatArray = field(init=False)
    _shared: FloatArray | float = field(init=False, default=0.0)
    _charge_give: FloatArray = field(init=False)
    _discharge_give: FloatArray = field(init=False)
    _against: FloatArray = field(init=False)
    _charge_part: FloatArray = field(init=False)
    _discharge_part: FloatArray = field(init=False)
    _gained: FloatArray = field(init=False)
    _taken: FloatArray = field(init=False)

    def miss(self, values: FloatArray) -> float:
        """Keep what the shared powers miss to one; return the most."""
        used = (
            self.charge * values[CHARGE][self.rows] + self.discharge * values[DISCHARGE][self.rows]
        )
        self._missed = 1.0 - used - self.room.values
        self._shared = 0.0
        return float(np.abs(self._missed).max())

    def add_to(self, reduced: FloatArray) -> None:
        """Add what the shared power costs to the reduced costs, shape ``(3, T, b)``."""
        reduced[CHARGE][self.rows] += self.charge * self.price
        reduced[DISCHARGE][self.rows] += self.discharge * self.price

    def factor(
        self,
        give: FloatArray,
        towards: FloatArray,
        together: FloatArray,
        into: FloatArray,
        out_of: FloatArray,
    ) -> None:
        """Put what sharing makes of the powers in the place of what each gives alone.

        With gives ``c`` and ``d``, shares ``p`` and ``q``, the curve ``k`` of the room and
        ``w = 1 + k (p p c + q q d)``, charge gives way to its own price by ``c (1 + k q q d) / w``
        and to that of discharge by ``-k p q c d / w``; discharge likewise.

        Args:
            give: Of the quantities; becomes what powers give at the connection.
            towards: Becomes what powers give to what is stored, shape ``(2, T, b)``.
            together: Becomes the determinant of what two powers give, shape ``(T, b)``.
            into: Stored per charged kW and step.
            out_of: Taken out per discharged kW and step.
        """
        rows = self.rows
        charge, discharge = give[CHARGE][rows], give[DISCHARGE][rows]
        curve = self.room.curve
        by_charge = curve * self.charge**2 * charge
        by_discharge = curve * self.discharge**2 * discharge
        whole = 1.0 + by_charge + by_discharge
        self._charge_give = charge * (1.0 + by_discharge) / whole
        self._discharge_give = discharge * (1.0 + by_charge) / whole
        self._against = curve * (self.charge * charge) * (self.discharge * discharge) / whole
        give[CHARGE][rows] = self._charge_give + self._against
        give[DISCHARGE][rows] = self._discharge_give + self._against
        self._charge_part = self.charge * charge / whole
        self._discharge_part = self.discharge * discharge / whole
        self._gained = into[rows] if into.shape[0] > 1 else into
        self._taken = out_of[rows] if out_of.shape[0] > 1 else out_of
        towards[0][rows] = self._gained * self._charge_give + self._taken * self._against
        towards[1][rows] = self._taken * self._discharge_give + self._gained * self._against
        together[rows] = charge * discharge / whole

    def share_wishes(self, wish: FloatArray) -> None:
        """Take from the wishes of powers what the room wishes, shape ``(3, T, b)``."""
        wished = self.room.wish - self.room.curve * self._missed
        wish[CHARGE][self.rows] -= self.charge * (wished - self._shared)
        wish[DISCHARGE][self.rows] -= self.discharge * (wished - self._shared)
        self._shared = wished

    def move(self, moved: FloatArray, wish: FloatArray) -> None:
        """Put how far wishes move the shared powers in the place of how far each moves alone."""
        charge, discharge = wish[CHARGE][self.rows], wish[DISCHARGE][self.rows]
        moved[CHARGE][self.rows] = self._charge_give * charge - self._against * discharge
        moved[DISCHARGE][self.rows] = self._discharge_give * discharge - self._against * charge

    def follow(self, wish: FloatArray, stored: FloatArray, column: FloatArray) -> None:
        """Find the steps of the room and of its price that go with those of the powers.

        What the powers use of it is reckoned from their wishes: the difference of two steps that
        are much larger would lose it.

        Args:
            wish: Of the powers, what the room wishes included, shape ``(3, T, b)``.
            stored: Step of the price of stored energy, shape ``(T, b)``.
            column: Step of the price at the connection, shape ``(T, 1)``.
        """
        rows, price, joint = self.rows, stored[self.rows], column[self.rows]
        used = self._charge_part * (wish[CHARGE][rows] - self._gained * price - joint)
        used += self._discharge_part * (wish[DISCHARGE][rows] + self._taken * price + joint)
        np.subtract(self._missed, used, out=self.room.step)
        self.price_step = self.room.wish - self.room.curve * self.room.step

    def least_cost(self) -> float:
        """Return what sharing adds to the lower bound."""
        return float(self.room.least(self.price).sum() - self.price.sum())
