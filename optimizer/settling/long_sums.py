"""Sums over a whole period: of whole numbers beyond 64 bits, and of fractions within known bounds.

A fraction is kept as its first 62 binary places, in two halves of 31 so that thousands of them add
up inside 64 bits. What is cut off makes each sum too low by less than one last place a term: so
the sum is known to lie in a narrow interval, and nearly always that decides its whole watt-hours.
Where it does not, the caller is asked for the exact sum.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from optimizer.settling.filling import Exact, exact_sum
from optimizer.settling.matrix import WhArray
from optimizer.settling.matrix_filling import Shares
from optimizer.settling.owner_windows import Indices

HALF = 31
"""Binary places in each half of a fraction."""
PLACES = 2 * HALF
"""Binary places that are kept of a fraction."""
_MASK = (1 << HALF) - 1


class WholeSums:
    """Sums of whole numbers of 0 or more, by place in a list."""

    def __init__(self, places: int) -> None:
        """Begin at zero."""
        self._high = np.zeros(places, np.int64)
        self._low = np.zeros(places, np.int64)

    def add(self, places: Indices, amounts: WhArray) -> None:
        """Add each amount at its place."""
        np.add.at(self._high, places, amounts >> HALF)
        np.add.at(self._low, places, amounts & _MASK)

    def totals(self) -> list[int]:
        """Return the sums."""
        pairs = zip(self._high.tolist(), self._low.tolist(), strict=True)
        return [(high << HALF) + low for high, low in pairs]


class ExactSum:
    """A sum of fractions, kept apart by denominator until somebody asks."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._numerators: dict[int, int] = {}

    def add(self, numerator: int, denominator: int) -> None:
        """Add one fraction."""
        self._numerators[denominator] = self._numerators.get(denominator, 0) + numerator

    def value(self) -> Exact:
        """Return the sum."""
        return exact_sum([Fraction(top, below) for below, top in self._numerators.items()])

    def bounds(self) -> tuple[int, int]:
        """Return a lower bound in last places, and how far below the sum it lies at most."""
        low, cut = 0, 0
        for denominator, numerator in self._numerators.items():
            digits, rest = divmod(numerator << PLACES, denominator)
            low += digits
            cut += rest > 0
        return low, cut


class FractionSums:
    """Sums of fractions of 0 or more, by place in a list, each known within bounds."""

    def __init__(self, places: int) -> None:
        """Begin at zero."""
        self._total = ExactSum()
        # In arrays an amount stays below 2**31, so a sum of fewer than 2**32 stays inside 64 bits.
        self._whole, self._high, self._low, self._cut = np.zeros((4, places), np.int64)
        self._exact: dict[int, ExactSum] = {}

    def add(self, owners: Indices, shares: Shares) -> None:
        """Add the shares of some quarters.

        Args:
            owners: The place of each cell in the list, ``(Q, N)``; -1 for nowhere.
            shares: What is added, ``(Q, N)``.
        """
        for total, unit in zip(shares.total.tolist(), shares.unit.tolist(), strict=True):
            self._total.add(*((total, unit) if total % unit else (total // unit, 1)))
        mine = owners >= 0
        places = owners[mine]
        divisors = np.broadcast_to(shares.denominator[:, None], owners.shape)[mine]
        whole, rest = np.divmod(shares.numerator[mine], divisors)
        np.add.at(self._whole, places, whole)
        broken = rest > 0
        places, rest, divisors = places[broken], rest[broken], divisors[broken]
        for half in (self._high, self._low):
            digits, rest = _binary_places(rest, divisors)
            np.add.at(half, places, digits)
        np.add.at(self._cut, places[rest > 0], 1)

    def add_exact(self, place: int, amount: Exact) -> None:
        """Add one amount that was not reckoned in arrays."""
        for sums in (self._total, self._exact.setdefault(place, ExactSum())):
            sums.add(amount.numerator, amount.denominator)

    def total(self) -> Exact:
        """Return all of them together, exactly."""
        return self._total.value()

    def added_exactly(self, place: int) -> Exact:
        """Return what was added exactly at a place."""
        return self._exact.get(place, ExactSum()).value()

    def bounds(self) -> list[tuple[int, int]]:
        """Return for each place a lower bound and how far below the sum it lies, in last places.

        The sum is at least the bound, and less than bound plus distance where that is not 0.
        """
        sums = (self._whole, self._high, self._low, self._cut)
        bounds = []
        for place, (whole, high, low, cut) in enumerate(np.transpose(sums).tolist()):
            more, more_cut = self._exact.get(place, ExactSum()).bounds()
            bounds.append(((whole << PLACES) + (high << HALF) + low + more, cut + more_cut))
        return bounds


def _binary_places(rest: WhArray, divisors: WhArray) -> tuple[WhArray, WhArray]:
    """Return the next half of the binary places of ``rest / divisors``, and what then rests."""
    digits = np.zeros_like(rest)
    free = 63 - int(divisors.max(initial=1)).bit_length()
    missing = HALF
    while missing:
        width = min(free, missing)
        more, rest = np.divmod(rest << width, divisors)
        digits = (digits << width) | more
        missing -= width
    return digits, rest
