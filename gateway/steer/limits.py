"""What a battery and its connection can bear, and what room that leaves at this moment.

The limits are set at the gateway. No message can change them: nothing of this file is on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from kwartier.units import Watt, Wh

MAX_METER_AGE_S = 30.0
"""A meter that said nothing for this long is not followed, however slow it is."""
STALE_PERIODS = 3
"""So many telegrams may be late before the meter counts as silent."""
PHASES = ("l1", "l2", "l3")
_USUAL_DV = 2300
_LEAST_DV, _MOST_DV = 2070, 2530
"""What EN 50160 leaves of 230 V; a meter that tells another voltage errs."""

EXPORT, IMPORT = "export limit", "connection's fuse"
"""What says so, where it is the connection as a whole."""

Room: TypeAlias = tuple[Watt, Watt, str]
"""The least and the most the battery may do [W], and what says so."""


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
        fuse_a: The main fuse of each phase [A]; None where unknown.
        phases: On how many phases the battery is: 1 or 3.
        phase: Which one, where it is on one: ``l1``, ``l2`` or ``l3``.
        metered: Whether this gateway hears the connection's meter; its silence then ends a plan.
        sharing: How many batteries of this gateway are behind that meter, and share its room.
        full_power_s: How long a plan's wish takes to move over the battery's whole power [s]; 0
            for no time at all.
    """

    charge_max_w: Watt
    discharge_max_w: Watt
    soc_min_permille: int = 50
    soc_max_permille: int = 950
    import_max_w: Watt | None = None
    export_max_w: Watt | None = None
    ramp_w_per_s: int | None = None
    fuse_a: int | None = None
    phases: int = 3
    phase: str = "l1"
    metered: bool = False
    sharing: int = 1
    full_power_s: int = 0

    @property
    def need_meter(self) -> bool:
        """Whether a limit cannot be kept without knowing what the others take."""
        return not (self.import_max_w is self.export_max_w is self.fuse_a is None)


@dataclass(frozen=True, slots=True)
class Phase:
    """What the meter says of one phase.

    Attributes:
        power_w: Positive takes from the grid [W].
        voltage_dv: Its voltage [0.1 V].
    """

    power_w: Watt
    voltage_dv: int = _USUAL_DV


@dataclass(frozen=True, slots=True)
class Seen:
    """What the gateway last saw; None where it saw nothing.

    Attributes:
        soc_permille: How full the battery is [1/1000].
        battery_w: What it does; positive charges [W].
        grid_w: Exchange at the connection's meter when the battery was looked at; positive takes
            from the grid [W].
        grid_age_s: How long ago the meter said anything [s].
        grid_period_s: How often it does [s].
        phases: What it said of each phase at the moment of ``grid_w``; empty where it tells none.
        grid_at_s: When the telegram of ``grid_w`` came, on the monotonic count [s].
        newest_w: The exchange of its newest telegram [W].
        newest_at_s: When that came, on the monotonic count [s].
        newest_wh: Its registers, taken less given [Wh]; None where it tells none.
    """

    soc_permille: int | None = None
    battery_w: Watt | None = None
    grid_w: Watt | None = None
    grid_age_s: float | None = None
    grid_period_s: float = MAX_METER_AGE_S / STALE_PERIODS
    phases: Mapping[str, Phase] = field(default_factory=dict)
    newest_w: Watt | None = None
    newest_at_s: float | None = None
    grid_at_s: float | None = None
    newest_wh: Wh | None = None

    @property
    def meter_speaks(self) -> bool:
        """Whether the meter's newest word is young enough to act on."""
        longest_s = min(MAX_METER_AGE_S, STALE_PERIODS * self.grid_period_s)
        return self.grid_age_s is not None and self.grid_age_s <= longest_s

    @property
    def fresh_grid_w(self) -> Watt | None:
        """The exchange at the meter, unless it is too old to follow."""
        return self.grid_w if self.meter_speaks else None


@dataclass(frozen=True, slots=True)
class Moved:
    """Set-points given so lately that the meter may not show them yet.

    Attributes:
        told_w: The newest one [W].
        up_w: The most that the newest one may be above what the meter shows [W].
        down_w: The most that it may be below; never positive [W].
        hidden_w: By how much they rose after the meter's word, which cannot show it; negative
            where they fell [W].
    """

    told_w: Watt
    up_w: Watt
    down_w: Watt
    hidden_w: Watt


def room(
    limits: Limits, seen: Seen, moved: Moved | None = None, *, shared: bool = False
) -> list[Room]:
    """Return the bounds that what was seen sets, the hardest last.

    The caller has made sure that the state of charge is known, and the meter where it is needed.

    Args:
        limits: Of the battery and its connection.
        seen: What was seen.
        moved: What the meter may not show yet.
        shared: Whether what the connection may take and give was kept for all batteries together.
    """
    assert seen.soc_permille is not None
    far_w = limits.charge_max_w + limits.discharge_max_w
    bounds: list[Room] = []
    if limits.need_meter:
        assert seen.grid_w is not None
        assert seen.battery_w is not None
        view = View(seen.battery_w, moved, limits.sharing)
        if limits.export_max_w is not None and not shared:
            low_w = view.least_w(-limits.export_max_w - seen.grid_w)
            bounds.append((low_w, far_w, EXPORT))
        if limits.import_max_w is not None and not shared:
            high_w = view.most_w(limits.import_max_w - seen.grid_w)
            bounds.append((-far_w, high_w, IMPORT))
        bounds.extend(_fuses(limits, seen, seen.grid_w, view))
    if seen.soc_permille <= limits.soc_min_permille:
        bounds.append((0, far_w, "battery is empty"))
    if seen.soc_permille >= limits.soc_max_permille:
        bounds.append((-far_w, 0, "battery is full"))
    return bounds


@dataclass(frozen=True, slots=True)
class View:
    """From what the meter leaves to what the battery may do.

    The meter is late. What was told lately may not be in its word yet, and taken for new room it
    would be given out twice: so room counts less all that may not be seen. An excess counts whole,
    but for what was taken back after the word that tells it: a fuse does not wait for certainty.

    Batteries behind one meter see the same room at once: each takes its part of it, and each gives
    way to the whole of an excess.
    """

    battery_w: Watt
    moved: Moved | None
    sharing: int

    def most_w(self, left_w: Watt, spread: int = 1) -> Watt:
        """Return the most, when so much is left on each of ``spread`` phases [W]."""
        whole_w = left_w * spread
        part_w = whole_w // self.sharing if whole_w > 0 else whole_w
        if self.moved is None:
            return self.battery_w + part_w
        room_w, excess_w = part_w - self.moved.up_w, part_w - min(self.moved.hidden_w, 0)
        return self.moved.told_w + max(room_w, 0) + min(excess_w, 0)

    def least_w(self, left_w: Watt, spread: int = 1) -> Watt:
        """Return the least, likewise; what is left is negative."""
        whole_w = left_w * spread
        part_w = -(-whole_w // self.sharing) if whole_w < 0 else whole_w
        if self.moved is None:
            return self.battery_w + part_w
        room_w, excess_w = part_w - self.moved.down_w, part_w - max(self.moved.hidden_w, 0)
        return self.moved.told_w + min(room_w, 0) + max(excess_w, 0)


def _fuses(limits: Limits, seen: Seen, grid_w: Watt, view: View) -> list[Room]:
    """Return what the fuse of each phase leaves for the whole battery.

    A meter that does not tell each phase of the battery leaves open where the others are: then all
    of them are taken to be on the one phase that can bear least.
    """
    if limits.fuse_a is None:
        return []
    spread = 3 if limits.phases == 3 else 1
    ours = PHASES if spread == 3 else (limits.phase,)
    if any(name not in seen.phases for name in ours):
        # The battery's own part is on all its phases, so only a part of it is on that one.
        own_w = view.battery_w - round(view.battery_w / spread)
        return [_fuse_room("fuse", limits.fuse_a, Phase(grid_w - own_w), view, spread)]
    return [
        _fuse_room(f"fuse of {name}", limits.fuse_a, seen.phases[name], view, spread)
        for name in ours
    ]


def _fuse_room(name: str, fuse_a: int, phase: Phase, view: View, spread: int) -> Room:
    voltage_dv = min(max(phase.voltage_dv, _LEAST_DV), _MOST_DV)
    fuse_w = fuse_a * voltage_dv // 10
    least_w = view.least_w(-fuse_w - phase.power_w, spread)
    return least_w, view.most_w(fuse_w - phase.power_w, spread), name
