"""The mean over the quarter at both edges of what may pass: beyond one it is made up for.

A contract and a month's peak count the quarter. What passed beyond an edge moves that edge inward
for the quarter's rest; between the edges nothing is owed.
"""

from __future__ import annotations

from gateway.steer.edges import OWN_USE, Edges, is_closed
from gateway.steer.quarter_mean import QuarterMean
from kwartier.units import Watt, Wh


class EdgeMeans:
    """Counts what is owed at each edge, in one quarter after another."""

    def __init__(self) -> None:
        """Owe nothing."""
        self._low, self._high = QuarterMean(), QuarterMean()
        self._edges = OWN_USE
        self._end_s: float | None = None

    def rest(self) -> None:
        """Follow nothing: what passes now is nobody's debt."""
        self._low.rest()
        self._high.rest()
        self._end_s = None

    def begin(self, edges: Edges, quarter: tuple[float, float] | None) -> None:
        """Note what may pass and in which quarter; an edge that is open owes nothing."""
        self._edges = edges
        self._end_s = None if quarter is None else quarter[1]
        for mean, edge_w in ((self._low, edges.low_w), (self._high, edges.high_w)):
            if quarter is not None and is_closed(edge_w):
                mean.begin(quarter[0])
            else:
                mean.rest()

    def hear(self, at_s: float, grid_w: Watt, net_wh: Wh | None, left_w: Watt) -> None:
        """Count what passed since the telegram before.

        Args:
            at_s: When this one came, on the monotonic count [s].
            grid_w: The exchange that it tells; positive takes from the grid [W].
            net_wh: Its registers, taken less given [Wh]; None where it tells none.
            left_w: What was left of the way to these edges [W].
        """
        for mean, edge_w in ((self._low, self._edges.low_w), (self._high, self._edges.high_w)):
            if is_closed(edge_w):
                mean.hear(at_s, grid_w, net_wh, _due_w(edge_w, left_w))

    def edges(self, now_s: float, full_w: Watt) -> Edges:
        """Return the edges, moved inward by what is owed.

        Args:
            now_s: The monotonic count [s].
            full_w: All the power that follows the meter [W].
        """
        if self._end_s is None:
            return self._edges
        low_by_w = high_by_w = 0
        if is_closed(self._edges.low_w):
            owed_w = self._low.extra_w(self._edges.low_w, self._end_s, now_s, full_w)
            low_by_w = max(owed_w, 0)
        if is_closed(self._edges.high_w):
            owed_w = self._high.extra_w(self._edges.high_w, self._end_s, now_s, full_w)
            high_by_w = max(-owed_w, 0)
        return self._edges.inward(low_by_w, high_by_w)


def _due_w(edge_w: Watt, left_w: Watt) -> Watt:
    """Return what counts as wanted on the way: no more than was planned."""
    return edge_w + (min(left_w, 0) if edge_w >= 0 else max(left_w, 0))
