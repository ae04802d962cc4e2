"""The energy inside a virtual battery, reckoned exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from kwartier.units import Watt, Wh

_MS_PER_H = 3_600_000


@dataclass(frozen=True, slots=True)
class CellLimits:
    """What a battery can hold and do.

    Attributes:
        capacity_wh: Usable energy [Wh].
        charge_max_w: The most it takes, AC side [W].
        discharge_max_w: The most it gives, AC side [W].
        soc_min_permille: It stops giving here [1/1000].
        soc_max_permille: It stops taking here [1/1000].
        charge_permille: Stored per thousand taken in.
        discharge_permille: Given back per thousand taken from store.
    """

    capacity_wh: Wh
    charge_max_w: Watt
    discharge_max_w: Watt
    soc_min_permille: int = 50
    soc_max_permille: int = 950
    charge_permille: int = 960
    discharge_permille: int = 955

    def clamped(self, power_w: Watt) -> Watt:
        """Return the power it can do; positive charges [W]."""
        return max(-self.discharge_max_w, min(self.charge_max_w, power_w))


class Cell:
    """Stored energy and the two counters on the AC side.

    Everything is a fraction of whole numbers, so that
    ``stored - start = charged * eta_c - discharged / eta_d`` holds without a rest.

    Attributes:
        limits: What it can hold and do.
        stored_wh: Energy in store [Wh].
        charged_wh: Taken in so far, AC side [Wh].
        discharged_wh: Given back so far, AC side [Wh].
    """

    def __init__(self, limits: CellLimits, soc_permille: int) -> None:
        """Start with a part of the capacity stored [1/1000]."""
        self.limits = limits
        self.stored_wh = Fraction(limits.capacity_wh * soc_permille, 1000)
        self.charged_wh = Fraction(0)
        self.discharged_wh = Fraction(0)

    @property
    def soc_permille(self) -> int:
        """Stored part of the capacity, rounded down [1/1000]."""
        return int(self.stored_wh * 1000 / self.limits.capacity_wh)

    def possible(self, power_w: Watt) -> Watt:
        """Return the power that limits and store allow now; positive charges [W]."""
        power_w = self.limits.clamped(power_w)
        if (power_w > 0 and self._room_wh() <= 0) or (power_w < 0 and self._stock_wh() <= 0):
            return 0
        return power_w

    def run(self, power_w: Watt, span_ms: int) -> None:
        """Hold a power for a time; it stops by itself when full or empty.

        Args:
            power_w: What is asked of it, AC side; positive charges [W].
            span_ms: For how long [ms].
        """
        power_w = self.possible(power_w)
        asked_wh = Fraction(abs(power_w) * span_ms, _MS_PER_H)
        if power_w > 0:
            taken_wh = min(asked_wh, self._room_wh() * 1000 / self.limits.charge_permille)
            self.charged_wh += taken_wh
            self.stored_wh += taken_wh * self.limits.charge_permille / 1000
        elif power_w < 0:
            given_wh = min(asked_wh, self._stock_wh() * self.limits.discharge_permille / 1000)
            self.discharged_wh += given_wh
            self.stored_wh -= given_wh * 1000 / self.limits.discharge_permille

    def _room_wh(self) -> Fraction:
        limits = self.limits
        return Fraction(limits.capacity_wh * limits.soc_max_permille, 1000) - self.stored_wh

    def _stock_wh(self) -> Fraction:
        limits = self.limits
        return self.stored_wh - Fraction(limits.capacity_wh * limits.soc_min_permille, 1000)
