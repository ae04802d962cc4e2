"""What a battery may do now: leases that end by themselves, and limits no cloud can lift.

Pure decisions: no clock, no link. The caller tells the time, on a count that never jumps, and
what was last seen; the answer is one set-point or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.steer.edges import Edges, edges_of
from gateway.steer.limits import Limits as Limits  # noqa: PLC0414 - a word of this file too
from gateway.steer.limits import Moved, Room, room
from gateway.steer.limits import Seen as Seen  # noqa: PLC0414 - a word of this file too
from gateway.steer.team import Followed, Goal, Offer, Team, Telegram
from gateway.steer.track import Tracker
from gateway.steer.wish import STEP_S, Wish
from kwartier.reading import AfterPlan, Schedule
from kwartier.units import Watt

MAX_HORIZON_S = 36 * 3600
"""Steps further away than this are refused: nobody plans them well."""


class Mode(StrEnum):
    """Why the battery does what it does."""

    FOLLOW_PLAN = "follow-plan"
    SELF_USE = "self-use"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the battery is told now.

    Attributes:
        mode: Why.
        power_w: The set-point; positive charges [W]. None means: release it, say nothing.
        because: The limit or lease that decided, in a few words.
        wanted_w: What the plan asked before the limits [W].
    """

    mode: Mode
    power_w: Watt | None
    because: str
    wanted_w: Watt | None = None


SILENT = "meter is silent"
RAMPING = "plan, on its way"
"""Why a battery does what it does while a wish still moves."""
NEUTRAL = Decision(Mode.NEUTRAL, None, "no lease")


@dataclass(frozen=True, slots=True)
class _Lease:
    start: float
    end: float
    power_w: Watt
    edges: Edges | None


class Controller:
    """Holds the schedule in force and turns it, moment by moment, into a decision."""

    def __init__(
        self,
        limits: Limits,
        *,
        newest_command: int = 0,
        wish_step_s: float = STEP_S,
        team: Team | None = None,
        name: str = "",
    ) -> None:
        """Start neutral.

        Args:
            limits: What the battery and its connection can bear.
            newest_command: The highest number ever accepted.
            wish_step_s: Between two moves of a wish that is on its way [s].
            team: What follows its meter; None where it does so alone.
            name: What it is called there.
        """
        self._limits = limits
        self._team = team or Team(limits.full_power_s, wish_step_s)
        self._name = name
        full_w = max(limits.charge_max_w, limits.discharge_max_w)
        self._power = Wish(full_w, limits.full_power_s, wish_step_s)
        self._cut = False
        self._newest_command = newest_command
        self._leases: tuple[_Lease, ...] = ()
        self._after = AfterPlan.NEUTRAL
        self._after_until = 0.0
        self._told: tuple[float, Watt] | None = None
        self._tracker = Tracker()
        self._followed: Followed | None = None
        self._steers = True

    @property
    def newest_command(self) -> int:
        """The highest command number accepted; keep it on disk."""
        return self._newest_command

    def refusal(self, schedule: Schedule, now_s: float) -> str | None:
        """Return why a schedule is not accepted, or None if it would be."""
        if schedule.command <= self._newest_command:
            return f"command {schedule.command} is not newer than {self._newest_command}"
        if not schedule.steps:
            return None
        last = schedule.steps[-1]
        if last.start_s + last.lease_s <= now_s:
            return "every lease in it has ended"
        if last.start_s > now_s + MAX_HORIZON_S:
            return f"it reaches further than {MAX_HORIZON_S // 3600} hours ahead"
        return None

    def accept(self, schedule: Schedule, now_s: float, monotonic_s: float) -> None:
        """Put a schedule in force; from here on only the monotonic count ends its leases."""
        assert self.refusal(schedule, now_s) is None
        self._newest_command = schedule.command
        self.resume(schedule, monotonic_s - now_s)

    def resume(self, schedule: Schedule, zero_s: float) -> None:
        """Put a schedule in force that was accepted before.

        Args:
            schedule: As it was accepted.
            zero_s: The monotonic count less the wall's time [s], when both were right.
        """
        starts = [step.start_s + zero_s for step in schedule.steps]
        self._leases = tuple(
            _Lease(start, min(start + step.lease_s, following), step.power_w, edges_of(step))
            for start, following, step in zip(
                starts, [*starts[1:], float("inf")], schedule.steps, strict=False
            )
        )
        self._after = schedule.after
        end = max((lease.end for lease in self._leases), default=float("-inf"))
        self._after_until = end + MAX_HORIZON_S

    def drop(self) -> None:
        """Forget every lease: nobody knows any more when they hold."""
        self._leases = ()

    def nothing_told(self) -> None:
        """Note that the battery obeys none of our set-points: the next one begins at zero."""
        self._told = None
        self._cut = False
        self._power.rest()
        self._team.leave(self._name)

    def decide(self, seen: Seen, monotonic_s: float, *, steers: bool = True) -> Decision:
        """Return what the battery is told at this moment.

        Args:
            seen: What was last seen of it and of its meter.
            monotonic_s: The monotonic count [s].
            steers: Whether it is going to be told. One that is not takes no part in what others do
                at the meter: only whether it is to be released is decided.
        """
        self._steers = steers
        before_w = 0 if self._told is None else self._told[1]
        self._followed = None
        wanted = self._wanted(seen, monotonic_s)
        decision = self._limited(wanted, seen, monotonic_s)
        if not steers:
            self.nothing_told()
            return decision
        told = decision.power_w
        if told is None:
            self._note(before_w, 0, monotonic_s)
            self.nothing_told()
            return decision
        self._told, self._cut = (monotonic_s, told), told != wanted.power_w
        self._note(before_w, told, monotonic_s)
        return decision

    def _note(self, before_w: Watt, after_w: Watt, monotonic_s: float) -> None:
        self._tracker.told(before_w, after_w, monotonic_s)
        self._team.told(self._name, before_w, after_w, monotonic_s)

    def _wanted(self, seen: Seen, monotonic_s: float) -> Decision:
        for lease in self._leases:
            if lease.start <= monotonic_s < lease.end:
                return self._planned(lease, seen, monotonic_s)
        ended = bool(self._leases) and monotonic_s >= self._leases[-1].end
        if not ended or self._after is AfterPlan.NEUTRAL or monotonic_s >= self._after_until:
            return NEUTRAL
        if seen.fresh_grid_w is None or seen.battery_w is None:
            return Decision(Mode.NEUTRAL, None, SILENT)
        wanted_w = seen.battery_w - seen.fresh_grid_w
        telegram = _telegram(seen)
        if telegram is not None:
            wanted_w = self._follow(Goal(), telegram, 0, wanted_w, seen, monotonic_s)
        return Decision(Mode.SELF_USE, wanted_w, self._because("self-use after plan"), wanted_w)

    def _planned(self, lease: _Lease, seen: Seen, monotonic_s: float) -> Decision:
        """Return what a step asks: a power, or the power that its wish at the meter takes."""
        if lease.edges is None:
            present_w = self._present_w(seen)
            self._team.leave(self._name, present_w)
            power_w = self._power.toward(lease.power_w, monotonic_s, present_w, cut=self._cut)
            because = "plan" if power_w == lease.power_w else RAMPING
            return Decision(Mode.FOLLOW_PLAN, power_w, because, lease.power_w)
        telegram = _telegram(seen) if seen.meter_speaks else None
        if telegram is None:
            return Decision(Mode.NEUTRAL, None, SILENT)
        goal = Goal(lease.edges, (lease.start, lease.end))
        begin_w = lease.power_w
        power_w = self._follow(goal, telegram, lease.power_w, begin_w, seen, monotonic_s)
        because = self._because("plan at the meter")
        return Decision(Mode.FOLLOW_PLAN, power_w, because, lease.power_w)

    def _because(self, why: str) -> str:
        """Return why a battery that follows does what it does."""
        followed = self._followed
        if followed is None or (followed.arrived and followed.limit is None):
            return why
        return followed.limit or RAMPING

    def _follow(
        self,
        goal: Goal,
        telegram: Telegram,
        plan_w: Watt,
        begin_w: Watt,
        seen: Seen,
        monotonic_s: float,
    ) -> Watt:
        """Return the power that brings the meter to what is wished there now [W].

        What the home itself takes or gives is followed at once; only the wish has to travel. So a
        battery begins where it is, and with ``begin_w`` only where wishes come true at once.
        """
        self._power.rest()
        told_w = self._present_w(seen)
        if not self._steers:
            return told_w
        least_w, most_w = self._able_w(seen)
        offer = Offer(
            plan_w,
            begin_w if self._team.at_once else told_w,
            told_w,
            least_w,
            most_w,
            told_w if seen.battery_w is None else seen.battery_w,
            self._limits,
            self._cut,
        )
        self._followed = self._team.follow(self._name, goal, telegram, offer, monotonic_s)
        return self._followed.power_w

    def _able_w(self, seen: Seen) -> tuple[Watt, Watt]:
        """Return the least and the most the battery can do as full as it is [W]."""
        limits, soc = self._limits, seen.soc_permille
        empty = soc is not None and soc <= limits.soc_min_permille
        full = soc is not None and soc >= limits.soc_max_permille
        return 0 if empty else -limits.discharge_max_w, 0 if full else limits.charge_max_w

    def _present_w(self, seen: Seen) -> Watt:
        """Return what the battery was told last, or does by itself, within its power [W]."""
        if self._told is not None:
            return self._told[1]
        limits = self._limits
        return max(-limits.discharge_max_w, min(limits.charge_max_w, seen.battery_w or 0))

    def _limited(self, wanted: Decision, seen: Seen, monotonic_s: float) -> Decision:
        """Return the decision within every local limit; the narrowest one is named."""
        power_w = wanted.power_w
        if power_w is None:
            return wanted
        if seen.soc_permille is None:
            return Decision(Mode.NEUTRAL, None, "state of charge unknown", power_w)
        if self._limits.metered and not seen.meter_speaks:
            return Decision(Mode.NEUTRAL, None, SILENT, power_w)
        if self._limits.need_meter and (seen.fresh_grid_w is None or seen.battery_w is None):
            return Decision(Mode.NEUTRAL, None, f"{SILENT}, so the fuse is unknown", power_w)
        own: Room = -self._limits.discharge_max_w, self._limits.charge_max_w, "battery's power"
        because = wanted.because
        followed = self._followed
        shared = followed is not None and followed.shared
        met = room(self._limits, seen, self._moved(seen), shared=shared)
        hurries = followed is not None and followed.limit is not None
        ramp = [] if hurries else self._ramp(monotonic_s)
        for low_w, high_w, name in (own, *ramp, *met):
            inside_w = max(low_w, min(high_w, power_w))
            if inside_w != power_w:
                power_w, because = inside_w, name
        low_w, high_w, _ = own
        power_w = max(low_w, min(high_w, power_w))
        return Decision(wanted.mode, power_w, because, wanted.wanted_w)

    def _moved(self, seen: Seen) -> Moved | None:
        """Return what was told since the meter can have shown it for sure; None for nothing."""
        if seen.grid_at_s is None:
            return None
        up_w, down_w = self._tracker.apart(
            seen.grid_at_s - self._team.unseen_s - seen.grid_period_s
        )
        told_w = 0 if self._told is None else self._told[1]
        hidden_w = sum(self._tracker.moved(seen.grid_at_s))
        return Moved(told_w, up_w, down_w, hidden_w) if up_w or down_w else None

    def _ramp(self, monotonic_s: float) -> list[Room]:
        ramp = self._limits.ramp_w_per_s
        if ramp is None:
            return []
        before_s, before_w = self._told or (monotonic_s - 1.0, 0)
        reach_w = int(ramp * max(monotonic_s - before_s, 1.0))
        return [(before_w - reach_w, before_w + reach_w, "ramp")]


def _telegram(seen: Seen) -> Telegram | None:
    if seen.newest_w is None or seen.newest_at_s is None:
        return None
    return Telegram(seen.newest_at_s, seen.newest_w, seen.grid_period_s, seen.newest_wh)
