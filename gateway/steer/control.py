"""What a battery may do now: leases that end by themselves, and limits no cloud can lift.

Pure decisions: no clock, no link. The caller tells the time, on a count that never jumps, and
what was last seen; the answer is one set-point or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kwartier.reading import AfterPlan, Schedule
from kwartier.units import Watt

MAX_HORIZON_S = 36 * 3600
"""Steps further away than this are refused: nobody plans them well."""
MAX_METER_AGE_S = 30.0
"""A meter that said nothing for this long is not followed."""


class Mode(StrEnum):
    """Why the battery does what it does."""

    FOLLOW_PLAN = "follow-plan"
    SELF_USE = "self-use"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Limits:
    """What this battery and this connection can bear; set at the gateway, never from afar.

    Attributes:
        charge_max_w: The most it may take [W].
        discharge_max_w: The most it may give [W].
        soc_min_permille: Not discharged at or below this [1/1000].
        soc_max_permille: Not charged at or above this [1/1000].
        import_max_w: The most the connection may take from the grid [W]; None where unknown.
        export_max_w: The most the connection may give to the grid [W]; None where unknown.
        ramp_w_per_s: The fastest change of set-point [W/s]; None for as fast as it can.
    """

    charge_max_w: Watt
    discharge_max_w: Watt
    soc_min_permille: int = 50
    soc_max_permille: int = 950
    import_max_w: Watt | None = None
    export_max_w: Watt | None = None
    ramp_w_per_s: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the gateway last saw; None where it saw nothing.

    Attributes:
        soc_permille: How full the battery is [1/1000].
        battery_w: What it does; positive charges [W].
        grid_w: Exchange at the connection's meter; positive takes from the grid [W].
        grid_age_s: How long ago that was [s].
    """

    soc_permille: int | None = None
    battery_w: Watt | None = None
    grid_w: Watt | None = None
    grid_age_s: float | None = None

    @property
    def fresh_grid_w(self) -> Watt | None:
        """The exchange at the meter, unless it is too old to follow."""
        if self.grid_age_s is None or self.grid_age_s > MAX_METER_AGE_S:
            return None
        return self.grid_w


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


NEUTRAL = Decision(Mode.NEUTRAL, None, "no lease")


@dataclass(frozen=True, slots=True)
class _Lease:
    start: float
    end: float
    power_w: Watt


class Controller:
    """Holds the schedule in force and turns it, moment by moment, into a decision."""

    def __init__(self, limits: Limits, *, newest_command: int = 0) -> None:
        """Start neutral; ``newest_command`` is the highest number ever accepted."""
        self._limits = limits
        self._newest_command = newest_command
        self._leases: tuple[_Lease, ...] = ()
        self._after = AfterPlan.NEUTRAL
        self._after_until = 0.0
        self._told: tuple[float, Watt] | None = None

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
        zero = monotonic_s - now_s
        starts = [step.start_s + zero for step in schedule.steps]
        self._leases = tuple(
            _Lease(start, min(start + step.lease_s, following), step.power_w)
            for start, following, step in zip(
                starts, [*starts[1:], float("inf")], schedule.steps, strict=False
            )
        )
        self._after = schedule.after
        end = max((lease.end for lease in self._leases), default=monotonic_s)
        self._after_until = end + MAX_HORIZON_S
        self._newest_command = schedule.command

    def decide(self, seen: Seen, monotonic_s: float) -> Decision:
        """Return what the battery is told at this moment."""
        decision = self._limited(self._wanted(seen, monotonic_s), seen, monotonic_s)
        told = decision.power_w
        self._told = None if told is None else (monotonic_s, told)
        return decision

    def _wanted(self, seen: Seen, monotonic_s: float) -> Decision:
        for lease in self._leases:
            if lease.start <= monotonic_s < lease.end:
                return Decision(Mode.FOLLOW_PLAN, lease.power_w, "plan", lease.power_w)
        ended = bool(self._leases) and monotonic_s >= self._leases[-1].end
        if not ended or self._after is AfterPlan.NEUTRAL or monotonic_s >= self._after_until:
            return NEUTRAL
        if seen.fresh_grid_w is None or seen.battery_w is None:
            return Decision(Mode.NEUTRAL, None, "meter is silent")
        wanted_w = seen.battery_w - seen.fresh_grid_w
        return Decision(Mode.SELF_USE, wanted_w, "self-use after plan", wanted_w)

    def _limited(self, wanted: Decision, seen: Seen, monotonic_s: float) -> Decision:
        """Return the decision within every local limit; the narrowest one is named."""
        power_w = wanted.power_w
        if power_w is None:
            return wanted
        if seen.soc_permille is None:
            return Decision(Mode.NEUTRAL, None, "state of charge unknown", power_w)
        low_w, high_w = -self._limits.discharge_max_w, self._limits.charge_max_w
        because = wanted.because
        room = [(low_w, high_w, "battery's power"), *self._room(seen), *self._ramp(monotonic_s)]
        for low_w, high_w, name in room:
            inside_w = max(low_w, min(high_w, power_w))
            if inside_w != power_w:
                power_w, because = inside_w, name
        power_w = max(-self._limits.discharge_max_w, min(self._limits.charge_max_w, power_w))
        return Decision(wanted.mode, power_w, because, wanted.wanted_w)

    def _ramp(self, monotonic_s: float) -> list[tuple[Watt, Watt, str]]:
        ramp = self._limits.ramp_w_per_s
        if ramp is None:
            return []
        before_s, before_w = self._told or (monotonic_s - 1.0, 0)
        reach_w = int(ramp * max(monotonic_s - before_s, 1.0))
        return [(before_w - reach_w, before_w + reach_w, "ramp")]

    def _room(self, seen: Seen) -> list[tuple[Watt, Watt, str]]:
        """Return the bounds that what was seen sets, the hardest last."""
        far_w = self._limits.charge_max_w + self._limits.discharge_max_w
        room: list[tuple[Watt, Watt, str]] = []
        assert seen.soc_permille is not None
        if seen.fresh_grid_w is not None and seen.battery_w is not None:
            others_w = seen.fresh_grid_w - seen.battery_w
            if self._limits.import_max_w is not None:
                room.append((-far_w, self._limits.import_max_w - others_w, "connection's fuse"))
            if self._limits.export_max_w is not None:
                room.append((-self._limits.export_max_w - others_w, far_w, "export limit"))
        elif self._limits.import_max_w is not None or self._limits.export_max_w is not None:
            room.append((0, 0, "meter is silent, so the fuse is unknown"))
        if seen.soc_permille <= self._limits.soc_min_permille:
            room.append((0, far_w, "battery is empty"))
        if seen.soc_permille >= self._limits.soc_max_permille:
            room.append((-far_w, 0, "battery is full"))
        return room
