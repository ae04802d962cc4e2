"""Batteries of one gateway behind one meter follow it together, and none makes up for it twice.

One aim is reckoned for all of them, by one tracker, and split: each does what the plan has it do,
and of what else is needed it takes a part by the room it has left. They charge together or they
discharge together.

What the connection may take and give is kept for all of them at once too: if each gave way to the
whole of an excess, they would swing. All other limits stay with each battery, below its part.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.steer.edge_means import EdgeMeans
from gateway.steer.edges import OWN_USE, Edges
from gateway.steer.limits import EXPORT, IMPORT, Limits, Moved, View
from gateway.steer.rhythm import Rhythm
from gateway.steer.track import Tracker
from gateway.steer.travel import Travel
from gateway.steer.turning import Turning
from gateway.steer.wish import STEP_S
from kwartier.split import Part, split
from kwartier.units import Watt, Wh

_LOST_S = 5.0
"""A battery that did not ask for its part for so long takes no part in what changes [s]."""
_GONE_S = 2.0 * Rhythm().revert_s
"""One that did not ask for so long is doing nothing by our hand any more [s]."""
_SAME_TELEGRAM_S = 0.5
"""Two batteries hear one telegram so near to each other [s]; no meter speaks twice in that time."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted at the meter.

    Attributes:
        edges: What may pass there while batteries rest.
        quarter: The quarter it is meant for, on the monotonic count [s]; None for no quarter.
    """

    edges: Edges = OWN_USE
    quarter: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Telegram:
    """What the meter said last.

    Attributes:
        at_s: When it came, on the monotonic count [s].
        grid_w: The exchange; positive takes from the grid [W].
        period_s: How often it speaks [s].
        net_wh: Its registers, taken less given [Wh]; None where it tells none.
    """

    at_s: float
    grid_w: Watt
    period_s: float
    net_wh: Wh | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What one battery brings.

    Attributes:
        plan_w: What the plan expects of it; positive charges [W].
        begin_w: The power to begin with, when nothing was followed before [W].
        told_w: What it was told last [W].
        least_w: The least it can do [W].
        most_w: The most it can do [W].
        battery_w: What it does, as far as anybody has seen [W].
        limits: What it and its connection can bear.
        cut: Whether a limit kept it from its last part.
    """

    plan_w: Watt
    begin_w: Watt
    told_w: Watt
    least_w: Watt
    most_w: Watt
    battery_w: Watt
    limits: Limits
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """The part of one battery.

    Attributes:
        power_w: What it does; positive charges [W].
        arrived: Whether the wish has arrived at its goal.
        limit: The limit of the connection that decided; None where the aim did.
        shared: Whether those limits were kept for all together, and so by this part.
    """

    power_w: Watt
    arrived: bool
    limit: str | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class _Member:
    offer: Offer
    goal: Goal
    asked_s: float


class Team:
    """What follows one meter; every battery behind it has the same one. Safe in several threads."""

    def __init__(self, full_power_s: float, step_s: float = STEP_S) -> None:
        """Begin with nobody.

        Args:
            full_power_s: How long a wish takes for all their power together [s]; 0 for no time.
            step_s: Between two moves of a wish [s].
        """
        self._lock = threading.RLock()
        self._tracker = Tracker()
        self._travel = Travel(full_power_s, step_s)
        self._means = EdgeMeans()
        self._turning = Turning()
        self._members: dict[str, _Member] = {}
        self._goal = Goal()
        self._sought = OWN_USE
        self._heard_s = float("-inf")
        self._limit: str | None = None

    @property
    def at_once(self) -> bool:
        """Whether wishes come true at once."""
        return self._travel.at_once

    @property
    def unseen_s(self) -> float:
        """How long the meter may not show what was told [s]."""
        return self._tracker.unseen_s

    def follow(
        self, name: str, goal: Goal, telegram: Telegram, offer: Offer, now_s: float
    ) -> Followed:
        """Return the part of one battery.

        Whoever brings another goal than before decides for all: the plans of one gateway come one
        after the other, and mean the same meter.
        """
        with self._lock:
            self._forget(now_s)
            before = self._members.get(name)
            if before is None:
                self._shift(offer.begin_w)
            if before is None or before.goal != goal:
                self._goal = goal
            self._members[name] = _Member(offer, goal, now_s)
            aim_w = self._aim_w(telegram, now_s)
            arrived = self._travel.arrived
            if len(self._members) == 1:
                self._limit = None  # the battery keeps its own
                return Followed(self._part_w(name, aim_w, now_s), arrived)
            inside_w = self._inside_w(aim_w, telegram)
            part_w = self._part_w(name, inside_w, now_s)
            return Followed(part_w, arrived, self._limit, shared=True)

    def told(self, name: str, before_w: Watt, after_w: Watt, now_s: float) -> None:
        """Note that one of the batteries was told a power, in a team or not."""
        with self._lock:
            self._tracker.told(before_w, after_w, now_s, name)
            member = self._members.get(name)
            if member is not None:
                offer = replace(member.offer, told_w=after_w)
                self._members[name] = replace(member, offer=offer)

    def leave(self, name: str, goes_on_w: Watt = 0) -> None:
        """Count no more on a battery: it follows no meter now.

        What it did the others do from now on, but for what it goes on to do [W].
        """
        with self._lock:
            if self._members.pop(name, None) is None:
                return
            self._shift(-goes_on_w)
            if not self._members:
                self._tracker.rest()
                self._travel.rest()
                self._means.rest()
                self._limit = None

    def _shift(self, by_w: Watt) -> None:
        """Note that so much more is done here, and goes on [W]."""
        unwanted_w = self._tracker.shift(by_w)
        self._travel.shift(by_w, unwanted_w, self._tracker.aim_w)

    def _forget(self, now_s: float) -> None:
        """Count no more on batteries whose own timers have let them go."""
        for name, member in list(self._members.items()):
            if now_s > member.asked_s + _GONE_S:
                self.leave(name, member.offer.told_w)

    def _aim_w(self, telegram: Telegram, now_s: float) -> Watt:
        """Return what all do together."""
        offers = [member.offer for member in self._members.values()]
        full_w = sum(max(offer.most_w, -offer.least_w) for offer in offers)
        self._travel.grow(full_w)
        self._tracker.grow(full_w)
        edges = self._owed(telegram, now_s, full_w)
        begin_w = sum(offer.begin_w for offer in offers)
        told_w = sum(offer.told_w for offer in offers)
        meter = self._heard_s, telegram.grid_w
        begins = self._tracker.hear(meter, told_w, telegram.period_s)
        if begins:
            self._begin(edges, begin_w, now_s)
        elif self._goal.edges != self._sought and self._is_cut(offers):
            self._begin(edges, told_w, now_s)
        self._sought = self._goal.edges
        self._travel.jump(self._tracker.jump_w(edges), self._tracker.aim_w)
        self._travel.bound(self._tracker.wanted_w(edges))
        aim_w = self._tracker.aim(edges, self._travel.left_w(now_s))
        return self._turning.held(aim_w, now_s)

    def _begin(self, edges: Edges, power_w: Watt, now_s: float) -> None:
        """Begin the way to the edges at a power."""
        self._travel.begin(power_w - self._tracker.wanted_w(edges), power_w)
        self._tracker.begin(edges, self._travel.left_w(now_s), power_w)

    def _is_cut(self, offers: Sequence[Offer]) -> bool:
        """Return whether a limit kept the last wish from coming true: the next begins as it is."""
        cut = self._limit is not None or any(offer.cut for offer in offers)
        return cut and not self.at_once

    def _owed(self, telegram: Telegram, now_s: float, full_w: Watt) -> Edges:
        """Return the edges, moved by what is owed to the quarter; counts a telegram that is new."""
        self._means.begin(self._goal.edges, self._goal.quarter)
        if telegram.at_s > self._heard_s + _SAME_TELEGRAM_S:
            self._heard_s = telegram.at_s
            left_w = self._tracker.left_w  # while all of that passed
            self._means.hear(telegram.at_s, telegram.grid_w, telegram.net_wh, left_w)
        return self._means.edges(now_s, full_w)

    def _inside_w(self, aim_w: Watt, telegram: Telegram) -> Watt:
        """Return the aim within what the connection may take and give [W]."""
        offers = [member.offer for member in self._members.values()]
        exports_w = [most for offer in offers if (most := offer.limits.export_max_w) is not None]
        imports_w = [most for offer in offers if (most := offer.limits.import_max_w) is not None]
        view = self._view(offers, telegram)
        inside_w, self._limit = aim_w, None
        if exports_w:
            low_w = view.least_w(-min(exports_w) - telegram.grid_w)
            if low_w > inside_w:
                inside_w, self._limit = low_w, EXPORT
        if imports_w:
            high_w = view.most_w(min(imports_w) - telegram.grid_w)
            if high_w < inside_w:
                inside_w, self._limit = high_w, IMPORT
        return inside_w

    def _view(self, offers: Sequence[Offer], telegram: Telegram) -> View:
        """Return the meter's word as it is for all together; who is not with them is another."""
        since_s = telegram.at_s - self.unseen_s - telegram.period_s
        up_w, down_w = self._tracker.apart(since_s)
        told_w = sum(offer.told_w for offer in offers)
        hidden_w = sum(self._tracker.moved(telegram.at_s))
        moved = Moved(told_w, up_w, down_w, hidden_w) if up_w or down_w else None
        behind = max(offer.limits.sharing for offer in offers)
        others = max(0, behind - len(offers))
        return View(sum(offer.battery_w for offer in offers), moved, 1 + others)

    def _part_w(self, name: str, aim_w: Watt, now_s: float) -> Watt:
        """Return one battery's part; what nobody can do is asked all the same, and then limited."""
        parts = [
            _part(each, member, aim_w, lost=now_s > member.asked_s + _LOST_S)
            for each, member in self._members.items()
        ]
        rises = aim_w > sum(part.base_w for part in parts)
        parts_w = split(aim_w, [_weighted(part, rises=rises) for part in parts])
        return parts_w[name] + aim_w - sum(parts_w.values())


def _part(name: str, member: _Member, aim_w: Watt, *, lost: bool) -> Part:
    """Return what one battery can do: nothing against the direction of all."""
    offer = member.offer
    if lost:
        return Part(name, offer.told_w, offer.told_w, offer.told_w)
    least_w = min(offer.least_w if aim_w < 0 else 0, offer.most_w)
    most_w = max(offer.most_w if aim_w > 0 else 0, least_w)
    return Part(name, min(max(offer.plan_w, least_w), most_w), least_w, most_w)


def _weighted(part: Part, *, rises: bool) -> Part:
    """Return the same battery, which moves by the room it has toward the aim."""
    room_w = part.most_w - part.base_w if rises else part.base_w - part.least_w
    return replace(part, weight=max(1, room_w))
