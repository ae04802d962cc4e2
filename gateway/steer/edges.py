"""What may pass at a meter while batteries rest: two edges, or one point where they meet."""

from __future__ import annotations

from dataclasses import dataclass

from kwartier.reading import Step
from kwartier.units import Watt

FAR_W: Watt = 10**9
"""An edge so far away is open: no connection comes near it [W]."""


@dataclass(frozen=True, slots=True)
class Edges:
    """What may pass; positive takes from the grid.

    Attributes:
        low_w: Batteries charge to bring the exchange up to this [W]; ``-FAR_W`` where open.
        high_w: They give to bring it down to this, not below ``low_w`` [W]; ``FAR_W`` where open.
    """

    low_w: Watt
    high_w: Watt

    def wanted_w(self, rest_w: Watt) -> Watt:
        """Return what batteries do together, where so much passes while they rest [W]."""
        return min(max(rest_w, self.low_w), self.high_w) - rest_w

    def rest_w(self, wanted_w: Watt, likely_w: Watt) -> Watt:
        """Return what passes while batteries rest, where so much is wanted of them [W].

        Args:
            wanted_w: What they are to do [W].
            likely_w: What it is taken to be where that does not tell: inside, and beyond an edge
                that is open [W].
        """
        edge_w = self.low_w if wanted_w > 0 else self.high_w
        if (wanted_w or self.low_w == self.high_w) and is_closed(edge_w):
            return edge_w - wanted_w
        return min(max(likely_w, self.low_w), self.high_w)

    def inward(self, low_by_w: Watt, high_by_w: Watt) -> Edges:
        """Return the same with the low edge so much higher, or the high one so much lower [W].

        One that comes to the other takes it along.
        """
        low_w, high_w = self.low_w + low_by_w, self.high_w - high_by_w
        if low_w <= high_w:
            return Edges(low_w, high_w)
        return point(low_w if low_by_w else high_w)


def is_closed(edge_w: Watt) -> bool:
    """Return whether there is an edge at all."""
    return abs(edge_w) < FAR_W


def point(grid_w: Watt) -> Edges:
    """Return the one exchange that is wanted."""
    return Edges(grid_w, grid_w)


OWN_USE = point(0)


def edges_of(step: Step) -> Edges | None:
    """Return what a step wants at the meter; None where its power is what is wanted.

    A band says more than the exchange that stands there for gateways that know no band.
    """
    if step.band is not None:
        low_w, high_w = step.band.low_w, step.band.high_w
        low_w = -FAR_W if low_w is None else max(-FAR_W, min(low_w, FAR_W - 1))
        return Edges(low_w, FAR_W if high_w is None else min(FAR_W, max(high_w, 1 - FAR_W)))
    return None if step.grid_w is None else point(min(max(step.grid_w, 1 - FAR_W), FAR_W - 1))
