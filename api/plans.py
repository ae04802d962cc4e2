"""The battery plan as people see it, and the book that remembers what was planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kwartier.model import Battery
from kwartier.units import EpochS, Watt, Wh


class MadeBecause(StrEnum):
    """Why a plan was made."""

    QUARTER = "quarter"
    """A quarter-hour began."""
    CALL = "call"
    """A call was written down or taken back."""
    LIMIT = "limit"
    """A limit, or what a home allows its battery, was changed."""
    DEVICE = "device"
    """A battery went silent, or is back."""
    PRICES = "prices"
    """Prices were published or put right."""
    CHARGE = "charge"
    """A battery holds more or less than was planned."""


@dataclass(frozen=True, slots=True)
class PlannedQuarter:
    """What a plan expects of one quarter-hour, over the whole neighbourhood.

    Attributes:
        start_s: The quarter's start [s].
        solar_wh: Solar energy expected, all roofs together [Wh].
        use_wh: Use expected, all homes together, the batteries left out [Wh].
        battery_w: Sum of the batteries' set-points; positive charges [W].
        soc_permille: What is stored at the quarter's end, of all capacity [1/1000].
        price_eur_per_kwh: The price it reckons with; a forecast, not money [EUR/kWh].
    """

    start_s: EpochS
    solar_wh: Wh
    use_wh: Wh
    battery_w: Watt
    soc_permille: int
    price_eur_per_kwh: float


@dataclass(frozen=True, slots=True)
class PlanBlock:
    """Quarter-hours in a row in which one battery does one thing for one reason.

    Attributes:
        start_s: The first quarter's start [s].
        end_s: The last quarter's end [s].
        battery: The battery's id in the community.
        action: ``charge``, ``discharge`` or ``idle``.
        because: The reason's code, such as ``solar_surplus``.
        text_nl: The reason in a Dutch sentence.
        text_en: The reason in an English sentence.
    """

    start_s: EpochS
    end_s: EpochS
    battery: str
    action: str
    because: str
    text_nl: str
    text_en: str


@dataclass(frozen=True, slots=True)
class ToldBattery:
    """A battery that was told what to do, and where it was then.

    Attributes:
        id: Its name.
        gateway: The Pi that was told; empty where a book of an earlier version does not say.
        device: Its name on that gateway.
        home: The home behind whose meter it stood; None for a shared one.
        until_s: Until when it may follow what it was told last [s].
    """

    id: str
    gateway: str
    device: str
    home: str | None
    until_s: EpochS


@dataclass(frozen=True, slots=True)
class NeighbourhoodPlan:
    """One plan for the neighbourhood: what all may see of it.

    Attributes:
        name: Its name, as it stands in the schedules sent to gateways.
        made_s: When it was made [s].
        status: ``optimal``, ``feasible``, ``relaxed`` or ``fallback``.
        quarters: One a quarter-hour, in order of time, without gaps.
        blocks: Why each battery does what it does, in order of battery and time.
        cost_eur: What the plan is expected to cost; a forecast, not money [EUR].
        cost_without_battery_eur: The same without a battery; a forecast [EUR].
        made_because: Why it was made.
    """

    name: str
    made_s: EpochS
    status: str
    quarters: tuple[PlannedQuarter, ...]
    blocks: tuple[PlanBlock, ...]
    cost_eur: float
    cost_without_battery_eur: float
    made_because: MadeBecause = MadeBecause.QUARTER


class PlanBook(Protocol):
    """Remembers plans; a newer plan replaces an older one from its first quarter on."""

    def keep(self, plan: NeighbourhoodPlan) -> None:
        """Write down a plan; a name that is there already is replaced."""

    def current(self) -> NeighbourhoodPlan | None:
        """Return the plan that was made last, or None when there is none yet."""

    def covering(self, start_s: EpochS, end_s: EpochS) -> NeighbourhoodPlan | None:
        """Return what was last planned for each quarter of ``[start_s, end_s)``.

        Past quarters come from the plan that was in force then, coming ones from the newest.
        Name, status and costs are the newest plan's; None when no plan touches the period.
        """

    def next_command(self, at_least: int, count: int = 1) -> int:
        """Return the first of some numbers for commands, one after the other.

        All are above every one before, also after a restart.
        """

    def keep_told(self, batteries: Sequence[Battery], until_s: EpochS) -> None:
        """Remember until when some batteries may follow what they are told [s], and where."""

    def told_batteries(self) -> Sequence[ToldBattery]:
        """Return every battery that was ever told anything, as it was then."""
