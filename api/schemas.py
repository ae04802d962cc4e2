"""What the programs' interface answers: times with their offset, energy in Wh, power in W."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import Field

from api.day import Day, DayQuarter, Kind, expected_use_wh
from api.plans import MadeBecause, NeighbourhoodPlan, PlanBlock, PlannedQuarter
from collectors.disclosure import Reader
from collectors.power import HomePower, StreetPower
from collectors.queries import SumQuarter
from kwartier.interval import HOME_ZONE
from kwartier.units import EpochS, Watt, Wh
from optimizer.moment import Moment, MomentReason, Signal
from optimizer.settlement import DaySettlement, MemberDay, Status

LocalDate: TypeAlias = date
"""A day in Amsterdam; a field may be called ``date`` beside it."""


@dataclass(frozen=True, slots=True)
class OwnPowerAnswer:
    """One home at this moment; for its residents."""

    at: datetime
    use_w: Watt
    solar_w: Watt
    import_w: Watt
    export_w: Watt


@dataclass(frozen=True, slots=True)
class PowerAnswer:
    """The neighbourhood at this moment, as sums over at least six homes.

    Use and grid are null for who does not live here: they show who is at home.
    """

    at: datetime
    homes: int
    solar_w: Watt
    use_w: Watt | None
    charge_w: Watt
    discharge_w: Watt
    import_w: Watt | None
    export_w: Watt | None
    soc_permille: int | None
    own: OwnPowerAnswer | None


@dataclass(frozen=True, slots=True)
class OwnQuarterAnswer:
    """A resident's own home in one quarter."""

    use_wh: Wh
    roof_wh: Wh
    shared_wh: Wh
    import_wh: Wh
    export_wh: Wh
    estimated: bool


@dataclass(frozen=True, slots=True)
class QuarterAnswer:
    """One quarter-hour; null is unknown, never zero.

    Use and shared are null as well, up to a day later, for who does not live here.
    """

    start: datetime
    kind: Kind
    homes: int | None
    solar_wh: Wh | None
    use_wh: Wh | None
    shared_wh: Wh | None
    battery_wh: Wh | None
    own: OwnQuarterAnswer | None


@dataclass(frozen=True, slots=True)
class GainAnswer:
    """What sharing brought; money is exact, as text."""

    shared_wh: Wh
    saved_eur: Decimal


@dataclass(frozen=True, slots=True)
class PlanBlockAnswer:
    """What a battery does for a while, and why.

    ``action`` is ``charge``, ``discharge`` or ``idle``; why not may be asked of each of them.
    """

    start: datetime
    end: datetime
    battery: str
    action: str
    because: str
    text_nl: str
    text_en: str


@dataclass(frozen=True, slots=True)
class DayAnswer:
    """A local day: 92, 96 or 100 quarters."""

    date: LocalDate
    zone: str
    status: Status
    street: GainAnswer | None
    own: GainAnswer | None
    blocks: tuple[PlanBlockAnswer, ...]
    quarters: tuple[QuarterAnswer, ...]


@dataclass(frozen=True, slots=True)
class QuartersAnswer:
    """A page of quarters; ``next`` is the address of the page after it, or null."""

    quarters: tuple[QuarterAnswer, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class PlannedQuarterAnswer:
    """What a plan expects of one quarter."""

    start: datetime
    solar_wh: Wh
    use_wh: Wh | None
    battery_w: Watt
    soc_permille: int
    price_eur_per_kwh: float


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """The plan in force; costs are forecasts."""

    name: str
    made: datetime
    status: str
    cost_eur: float
    cost_without_battery_eur: float
    blocks: tuple[PlanBlockAnswer, ...]
    quarters: tuple[PlannedQuarterAnswer, ...]
    made_because: MadeBecause


@dataclass(frozen=True, slots=True)
class MomentAnswer:
    """Whether now is a good moment to use power; the same object everywhere."""

    state: Moment
    from_: Annotated[datetime | None, Field(serialization_alias="from")]
    until: datetime | None
    next_from: datetime | None
    next_until: datetime | None
    confidence: float
    reason_code: MomentReason


@dataclass(frozen=True, slots=True)
class OwnSettlementAnswer:
    """What a day came to for one home."""

    import_wh: Wh
    export_wh: Wh
    bought_wh: Wh
    sold_wh: Wh
    to_battery_wh: Wh


@dataclass(frozen=True, slots=True)
class SettlementAnswer:
    """A day settled: totals of the neighbourhood, and a resident's own lines.

    ``quarters`` is over how many quarters the totals are; null when they may not be told (yet).
    """

    date: LocalDate
    status: Status
    quarters: int
    shared_wh: Wh | None
    import_wh: Wh | None
    export_wh: Wh | None
    battery_charged_wh: Wh
    battery_discharged_wh: Wh
    missing: int
    estimated: int
    ledger_sum_cents: int
    own: OwnSettlementAnswer | None


def moment_time(at_s: float) -> datetime:
    """Return an instant as the answers tell it: Amsterdam time with its offset."""
    return datetime.fromtimestamp(at_s, HOME_ZONE)


def time_or_none(at_s: EpochS | None) -> datetime | None:
    """Return an instant as the answers tell it, or None."""
    return None if at_s is None else moment_time(at_s)


def power_answer(street: StreetPower, own: HomePower | None) -> PowerAnswer:
    """Return the answer for power now."""
    return PowerAnswer(
        moment_time(street.at_s),
        street.homes,
        street.solar_w,
        street.use_w,
        street.charge_w,
        street.discharge_w,
        street.import_w,
        street.export_w,
        street.soc_permille,
        None if own is None else own_power_answer(own),
    )


def own_power_answer(own: HomePower) -> OwnPowerAnswer:
    """Return the answer for one home's power now."""
    return OwnPowerAnswer(moment_time(own.at_s), own.use_w, own.solar_w, own.import_w, own.export_w)


def quarter_answer(quarter: DayQuarter) -> QuarterAnswer:
    """Return the answer for one quarter."""
    own = quarter.own
    return QuarterAnswer(
        moment_time(quarter.start_s),
        quarter.kind,
        quarter.homes,
        quarter.solar_wh,
        quarter.use_wh,
        quarter.shared_wh,
        quarter.battery_wh,
        None
        if own is None
        else OwnQuarterAnswer(
            own.use_wh, own.roof_wh, own.shared_wh, own.import_wh, own.export_wh, own.estimated
        ),
    )


def day_answer(day: Day) -> DayAnswer:
    """Return the answer for a day."""
    return DayAnswer(
        day.date,
        str(HOME_ZONE),
        day.status,
        None if day.street is None else GainAnswer(day.street.shared_wh, day.street.saved_eur),
        None if day.own is None else GainAnswer(day.own.shared_wh, day.own.saved_eur),
        tuple(map(block_answer, day.blocks)),
        tuple(map(quarter_answer, day.quarters)),
    )


def block_answer(block: PlanBlock) -> PlanBlockAnswer:
    """Return the answer for a stretch of a plan."""
    return PlanBlockAnswer(
        moment_time(block.start_s),
        moment_time(block.end_s),
        block.battery,
        block.action,
        block.because,
        block.text_nl,
        block.text_en,
    )


def plan_answer(plan: NeighbourhoodPlan, reader: Reader, now_s: float) -> PlanAnswer:
    """Return the answer for a plan, as a reader may know it."""
    return PlanAnswer(
        plan.name,
        moment_time(plan.made_s),
        plan.status,
        plan.cost_eur,
        plan.cost_without_battery_eur,
        tuple(map(block_answer, plan.blocks)),
        tuple(_planned(quarter, reader, now_s) for quarter in plan.quarters),
        plan.made_because,
    )


def moment_answer(signal: Signal) -> MomentAnswer:
    """Return the answer for the moment signal."""
    return MomentAnswer(
        signal.state,
        time_or_none(signal.from_s),
        time_or_none(signal.until_s),
        time_or_none(signal.next_from_s),
        time_or_none(signal.next_until_s),
        signal.confidence,
        signal.reason,
    )


def settlement_answer(
    day: date,
    settled: DaySettlement,
    sums: Sequence[SumQuarter],
    own: MemberDay | None,
    *,
    over: bool,
) -> SettlementAnswer:
    """Return the answer for a settled day; until it is over it is provisional.

    Args:
        day: Which day.
        settled: Its settlement.
        sums: Its sums, as the reader may know them.
        own: What it came to for the reader's own home, in the time it was theirs.
        over: Whether the day is over.
    """
    told = [one for one in sums if one.use_wh is not None]
    return SettlementAnswer(
        day,
        settled.status if over else Status.PROVISIONAL,
        len(told),
        _total(one.shared_wh for one in told),
        _total(one.import_wh for one in told),
        _total(one.export_wh for one in told),
        settled.battery_charged_wh,
        settled.battery_discharged_wh,
        len(settled.missing),
        len(settled.estimated),
        sum(line.amount for entry in settled.entries for line in entry.lines),
        None
        if own is None
        else OwnSettlementAnswer(
            own.import_wh, own.export_wh, own.bought_wh, own.sold_wh, own.to_battery_wh
        ),
    )


def _total(energies_wh: Iterable[Wh | None]) -> Wh | None:
    known = [energy_wh for energy_wh in energies_wh if energy_wh is not None]
    return sum(known) if known else None


def _planned(quarter: PlannedQuarter, reader: Reader, now_s: float) -> PlannedQuarterAnswer:
    return PlannedQuarterAnswer(
        moment_time(quarter.start_s),
        quarter.solar_wh,
        expected_use_wh(quarter, reader, now_s),
        quarter.battery_w,
        quarter.soc_permille,
        quarter.price_eur_per_kwh,
    )
