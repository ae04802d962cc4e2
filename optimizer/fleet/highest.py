"""The highest bound on what a fleet with one direction each costs, proven only where that may help.

Many prices are tried, and to prove what whole steps cost at each takes longer than to find them. So
prices are compared by what their schedules say, which is nearly a bound and no proof. The best are
gone through once they seem high enough, and in the end: the first time in cells that are soon gone
through, then in fine ones. What schedules said too much is taken off what they say from there on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from optimizer.fleet.directing import Directing
from optimizer.fleet.interior import bound
from optimizer.fleet.outside import Prices, prices_now, put_between
from optimizer.fleet.shape import Fleet
from optimizer.fleet.whole_steps import whole_step_eur


@dataclass(slots=True, eq=False)
class Highest:
    """The prices with the highest bound so far, and what is known of how high it is.

    Attributes:
        fleet: The programme with shared powers; its prices are changed.
        directing: Schedules in its windows.
        proven: What no flows cost less than [EUR].
        prices: The best so far.
        said: What their schedules say that no flows cost less than [EUR].
        over: By how much that was too much where it was proven last [EUR].
        is_open: Whether nothing is proven yet at these prices.
    """

    fleet: Fleet
    directing: Directing
    proven: float
    prices: Prices
    said: float = -np.inf
    over: float = 0.0
    is_open: bool = False
    _proofs: int = field(default=0, init=False)

    @property
    def is_coarse(self) -> bool:
        """Whether the last proof was one in coarse cells."""
        return self._proofs == 1

    @property
    def likely(self) -> float:
        """What the best prices prove, or would prove as far as is known [EUR]."""
        return max(self.proven, self.said - self.over) if self.is_open else self.proven

    def look(self) -> bool:
        """Keep the fleet's prices if they are better, and return whether they are."""
        said = bound(self.fleet) + self.directing.nearly_eur()
        if said <= self.said:
            return False
        self.prices, self.said, self.is_open = prices_now(self.fleet), said, True
        return True

    def prove(self) -> None:
        """Go through the best prices: in fine cells unless it is the first time."""
        put_between(self.fleet, self.prices, self.prices, 0.0, self.directing.inside)
        here = bound(self.fleet) + whole_step_eur(self.fleet, fine=self._proofs > 0)
        self.over, self.proven = max(self.said - here, 0.0), max(self.proven, here)
        self.is_open, self._proofs = False, self._proofs + 1
