"""Batteries of one gateway behind one meter follow it together, and none makes up for it twice.

One aim is reckoned for all of them, by one tracker, and split: each does what the plan has it do,
and of what else is needed it takes a part by the room it has left. They charge together or they
discharge together. Limits stay with each battery, below its part.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from gateway.steer.quarter_mean import QuarterMean
from gateway.steer.track import Tracker
from gateway.steer.turning import Turning
from gateway.steer.wish import STEP_S, Wish
from kwartier.split import Part, split
from kwartier.units import Watt, Wh

_LOST_S = 5.0
"""A battery that did not ask for its part for so long takes no part in what changes [s]."""
_SAME_TELEGRAM_S = 0.5
"""Two batteries hear one telegram so near to each other [s]; no meter speaks twice in that time."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted at the meter.

    Attributes:
        grid_w: The exchange; positive takes from the grid [W].
        quarter: The quarter it is meant for, on the monotonic count [s]; None for no quarter.
    """

    grid_w: Watt
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
        cut: Whether a limit kept it from its last part.
    """

    plan_w: Watt
    begin_w: Watt
    told_w: Watt
    least_w: Watt
    most_w: Watt
    cut: bool = False


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
        self._wish = Wish(1, full_power_s, step_s)
        self._mean = QuarterMean()
        self._turning = Turning()
        self._members: dict[str, _Member] = {}
        self._goal = Goal(0)
        self._heard_s = float("-inf")
        self._wished_w: Watt = 0
        self._extra_w: Watt = 0

    @property
    def at_once(self) -> bool:
        """Whether wishes come true at once."""
        return self._wish.at_once

    def follow(
        self, name: str, goal: Goal, telegram: Telegram, offer: Offer, now_s: float
    ) -> tuple[Watt, bool]:
        """Return the part of one battery [W], and whether the wish has arrived at its goal.

        Whoever brings another goal than before decides for all: the plans of one gateway come one
        after the other, and mean the same meter.
        """
        with self._lock:
            before = self._members.get(name)
            if before is None:
                self._tracker.shift(offer.begin_w)
            if before is None or before.goal != goal:
                self._goal = goal
            self._members[name] = _Member(offer, goal, now_s)
            aim_w = self._aim_w(telegram, now_s)
            arrived = self._wished_w == self._goal.grid_w + self._extra_w
            return self._part_w(name, aim_w, now_s), arrived

    def told(self, name: str, before_w: Watt, after_w: Watt, now_s: float) -> None:
        """Note that one of the batteries was told a power, in a team or not."""
        with self._lock:
            self._tracker.told(before_w, after_w, now_s)
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
            self._tracker.shift(-goes_on_w)
            if not self._members:
                self._tracker.rest()
                self._wish.rest()
                self._mean.rest()

    def _aim_w(self, telegram: Telegram, now_s: float) -> Watt:
        """Return what all do together."""
        offers = [member.offer for member in self._members.values()]
        full_w = sum(max(offer.most_w, -offer.least_w) for offer in offers)
        self._count(telegram, now_s, full_w)
        self._wish.grow(full_w)
        self._wished_w = self._wish.toward(
            self._goal.grid_w,
            now_s,
            telegram.grid_w,
            cut=any(offer.cut for offer in offers),
            extra_w=self._extra_w,
        )
        begin_w = sum(offer.begin_w for offer in offers)
        told_w = sum(offer.told_w for offer in offers)
        meter = self._heard_s, telegram.grid_w
        aim_w = self._tracker.aim(self._wished_w, meter, begin_w, told_w, telegram.period_s)
        return self._turning.held(aim_w, now_s)

    def _count(self, telegram: Telegram, now_s: float, full_w: Watt) -> None:
        """Count a telegram that is new, and what is owed to the quarter."""
        quarter = self._goal.quarter
        wanted_w = self._wanted_w()
        if quarter is None:
            self._mean.rest()
        else:
            self._mean.begin(quarter[0])
        if telegram.at_s > self._heard_s + _SAME_TELEGRAM_S:
            self._heard_s = telegram.at_s
            self._mean.hear(telegram.at_s, telegram.grid_w, telegram.net_wh, wanted_w)
        self._extra_w = 0
        if quarter is not None:
            self._extra_w = self._mean.extra_w(self._goal.grid_w, quarter[1], now_s, full_w)

    def _wanted_w(self) -> Watt:
        """Return what counts as wanted while a wish is on its way: no more than was planned."""
        on_its_way_w, goal_w = self._wished_w - self._extra_w, self._goal.grid_w
        return min(on_its_way_w, goal_w) if goal_w >= 0 else max(on_its_way_w, goal_w)

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
