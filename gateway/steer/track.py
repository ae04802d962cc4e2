"""Following the meter: the battery takes up what would pass beyond the edges of what may.

What would pass while batteries rest is what the meter tells less what they do. What it tells is
old: by the second it averages, by the telegram it waits for, and by the time the battery itself
needs. Whoever corrects an error that is already being corrected swings. So every correction counts
as perhaps not visible yet until its time is over. That leaves open what would pass at rest, and so
a range of powers of which each may be the right one: the battery goes to the nearest of them. No
gain has to be tuned for that.

Where an edge itself moves, the battery moves along at once: nobody has to measure that first.

A meter or a battery that is later than believed shows itself: what is told swings to and fro. Each
time that happens corrections count as unseen for longer, and after a while without for less again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from gateway.steer.edges import OWN_USE, Edges
from gateway.steer.swings import Swings
from kwartier.units import Watt

DEAD_BAND_W = 50
"""An error this small is left as it is [W]."""
UNSEEN_S = 11.0
"""A meter usually shows what the battery does after this, and one telegram more [s]."""
MOST_UNSEEN_S = 45.0
"""However late everything is, nobody waits longer than this [s]."""
_LONGER = 1.6
_CALM_S = 1800.0
_MOST_MOVES = 1024


@dataclass(frozen=True, slots=True)
class _Move:
    at_s: float
    name: str
    before_w: Watt
    after_w: Watt


class Tracker:
    """Moves a set-point with each telegram; told what the battery was told after every limit."""

    def __init__(self) -> None:
        """Start with nothing moved."""
        self._moves: deque[_Move] = deque(maxlen=_MOST_MOVES)
        self._telegram_s: float | None = None
        self._edges = OWN_USE
        self._rest_w: Watt = 0
        self._left_w: Watt = 0
        self._aim_w: Watt = 0
        self._on = False
        self._swings = Swings()
        self._told_w: Watt = 0
        self._full_w: Watt = 0
        self._longer_s: float | None = None
        self.unseen_s = UNSEEN_S

    def grow(self, full_w: Watt) -> None:
        """Note how much power is steered here [W]."""
        self._full_w = full_w

    def hear(self, meter: tuple[float, Watt], told_w: Watt, period_s: float) -> bool:
        """Take in what the meter said last; True where nothing was followed before.

        Args:
            meter: When its newest telegram came, on the monotonic count [s], and what it said [W].
            told_w: What the battery was told last [W].
            period_s: How often telegrams come [s].
        """
        at_s, meter_w = meter
        if not self._on:
            self._rest_w = meter_w - told_w
        elif at_s != self._telegram_s:
            self._look(meter_w - told_w, told_w, at_s - self.unseen_s - period_s)
        self._telegram_s = at_s
        return not self._on

    @property
    def left_w(self) -> Watt:
        """What was left of the way at the last moment [W]."""
        return self._left_w

    @property
    def aim_w(self) -> Watt:
        """The aim of the last moment [W]."""
        return self._aim_w

    def begin(self, edges: Edges, left_w: Watt, power_w: Watt) -> None:
        """Go on from a power [W] toward the edges, with so much left of the way [W]."""
        self._on, self._edges, self._left_w, self._aim_w = True, edges, left_w, power_w

    def wanted_w(self, edges: Edges) -> Watt:
        """Return what these edges want, by what passes at rest as far as that is known [W]."""
        return edges.wanted_w(self._rest_w)

    def jump_w(self, edges: Edges) -> Watt:
        """Return by how much less these edges want than those before [W]."""
        return self.wanted_w(self._edges) - self.wanted_w(edges)

    def aim(self, edges: Edges, left_w: Watt) -> Watt:
        """Return the power that keeps the meter inside of its edges [W].

        Args:
            edges: What may pass at the meter.
            left_w: What is left of the way there: so much more is done than they want [W].
        """
        self._aim_w += left_w - self._left_w - self.jump_w(edges)
        self._edges, self._left_w = edges, left_w
        return self._aim_w

    def told(self, before_w: Watt, after_w: Watt, now_s: float, name: str = "") -> None:
        """Note that the battery of this name was told another power at this moment."""
        if after_w != before_w:
            self._moves.append(_Move(now_s, name, before_w, after_w))
            self._told_w += after_w - before_w
            self._slow_down(now_s)

    def shift(self, by_w: Watt) -> Watt:
        """Note that so much more belongs to what is steered here, and goes on as it is [W].

        Returns:
            How much of that the edges do not want: it is a way to go.
        """
        if not self._on:
            return 0
        wanted_w = self.wanted_w(self._edges)
        self._aim_w += by_w
        self._rest_w -= by_w
        unwanted_w = by_w - (self.wanted_w(self._edges) - wanted_w)
        self._left_w += unwanted_w
        return unwanted_w

    def rest(self) -> None:
        """Begin anew the next time something is followed."""
        self._on = False

    def moved(self, since_s: float) -> tuple[Watt, Watt]:
        """Return what was told since then: the sum of what rose, and of what fell [W]."""
        moves_w = [move.after_w - move.before_w for move in self._since(since_s)]
        return sum(each for each in moves_w if each > 0), sum(each for each in moves_w if each < 0)

    def apart(self, since_s: float) -> tuple[Watt, Watt]:
        """Return how far what is told now may be above and below what was told since then [W].

        What was told to and fro does not add up: a battery was never beyond what it was told. Each
        may be late by itself, so the farthest of each counts.
        """
        spans: dict[str, tuple[Watt, Watt, Watt]] = {}
        for move in self._since(since_s):
            ends_w = move.before_w, move.after_w
            told_w, low_w, high_w = spans.get(move.name, (move.after_w,) * 3)
            spans[move.name] = told_w, min(low_w, *ends_w), max(high_w, *ends_w)
        above_w = sum(told_w - low_w for told_w, low_w, _ in spans.values())
        return above_w, sum(told_w - high_w for told_w, _, high_w in spans.values())

    def _since(self, since_s: float) -> Iterator[_Move]:
        """Return what was told since then, the newest first."""
        return takewhile(lambda move: move.at_s >= since_s, reversed(self._moves))

    def _slow_down(self, now_s: float) -> None:
        """Wait longer for the meter while what is told swings, and less again when it is calm."""
        if self._swings.note(self._told_w, now_s, self._full_w):
            self.unseen_s = min(MOST_UNSEEN_S, _LONGER * self.unseen_s)
            self._longer_s = now_s
        elif self._longer_s is not None and now_s > self._longer_s + _CALM_S:
            self.unseen_s = max(UNSEEN_S, self.unseen_s / _LONGER)
            self._longer_s = now_s if self.unseen_s > UNSEEN_S else None

    def _look(self, rest_w: Watt, told_w: Watt, since_s: float) -> None:
        """Go to the nearest power that may be right, whichever moves since then the meter shows.

        Here what goes to and fro does add up: who swings waits longer. No limit hangs on it.
        """
        up_w, down_w = self.moved(since_s)
        low_rest_w, high_rest_w = rest_w + down_w, rest_w + up_w
        edges, left_w = self._edges, self._left_w
        least_w, most_w = edges.wanted_w(high_rest_w) + left_w, edges.wanted_w(low_rest_w) + left_w
        aim_w = min(max(told_w, least_w), most_w)
        rests = aim_w == left_w and edges.low_w < edges.high_w
        if abs(aim_w - told_w) <= DEAD_BAND_W and not rests:
            aim_w = told_w
        self._aim_w = aim_w
        self._rest_w = edges.rest_w(aim_w - left_w, (low_rest_w + high_rest_w) // 2)
