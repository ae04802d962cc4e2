"""What a device said, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kwartier.identity import DeviceId, MeterId
from kwartier.units import EpochS, Watt


class ClockSource(StrEnum):
    """Whose time a reading carries."""

    METER = "meter"
    """The meter's own stamp."""
    GATEWAY = "gateway"
    """The gateway's clock, known to be synchronised."""
    UNSURE = "unsure"
    """A clock that nobody has checked; not used for money."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one device said at one instant; what it did not say is absent.

    Attributes:
        device: Its name on the gateway, such as ``p1`` or ``battery``.
        meter: Its own equipment id; empty when it has none. A new id is a new meter.
        at_s: The instant [s]; for a P1 meter its own stamp.
        values: Whole numbers by series name, in the unit at the end of the name.
        clock: Whose time ``at_s`` is.
    """

    device: DeviceId
    meter: MeterId
    at_s: EpochS
    values: Mapping[str, int]
    clock: ClockSource = ClockSource.METER


class AfterPlan(StrEnum):
    """What a battery does once its schedule has ended."""

    NEUTRAL = "neutral"
    """Neither charge nor discharge by our hand; the device's own safe mode."""
    SELF_USE = "self-use"
    """Follow the meter at home: store own surplus, cover own use."""


@dataclass(frozen=True, slots=True)
class MeterBand:
    """What may pass at a connection's meter while batteries rest; positive takes from the grid.

    Inside they do nothing; what would pass beyond an edge they bring back to it.

    Attributes:
        low_w: They charge to bring the exchange up to this [W]; None where they need not.
        high_w: They give to bring it down to this [W]; None where they need not.
    """

    low_w: Watt | None = None
    high_w: Watt | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One set-point of a schedule; it holds from ``start_s`` for at most ``lease_s``.

    Attributes:
        start_s: From when on [s].
        power_w: What the battery does; positive charges [W].
        lease_s: For how long at most [s].
        grid_w: The exchange wanted at the connection's own meter, positive takes from the grid
            [W]; the gateway then follows its meter, and ``power_w`` is only what the plan expects
            that to take. None where the power itself is what is wanted.
        band: What may pass at the meter instead; a gateway that knows it follows it and not
            ``grid_w``, and ``power_w`` is what the plan expects that to take.
    """

    start_s: EpochS
    power_w: Watt
    lease_s: int
    grid_w: Watt | None = None
    band: MeterBand | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A day of set-points for one battery; each expires by itself.

    Attributes:
        device: The battery's name on its gateway.
        command: A number that only rises; a lower or equal one is old and refused.
        plan: The name of the plan behind it, for the record.
        steps: In order of time, at most 200; positive power charges [W].
        after: What holds once the last step's lease has ended.
    """

    device: DeviceId
    command: int
    plan: str
    steps: tuple[Step, ...]
    after: AfterPlan = AfterPlan.NEUTRAL
