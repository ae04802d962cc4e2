"""One local day as people and programs see it: measured before now, planned after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from api.house import House
from api.plans import PlanBlock, PlannedQuarter
from api.settled import SettledDays
from collectors.disclosure import MIN_HOMES
from collectors.queries import HomeQuarter, SumQuarter
from kwartier.interval import QUARTER_S, Quarter, local_day
from kwartier.model import Tariff
from kwartier.units import EpochS, Wh, kwh
from optimizer.settlement import DaySettlement, Status


class Kind(StrEnum):
    """How a quarter on a page is known."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    """Measured over a longer time and spread, for at least one home."""
    FORECAST = "forecast"
    MISSING = "missing"
    """Past, and not known: a gap, never zero."""
    UNKNOWN = "unknown"
    """To come, and not planned yet."""


@dataclass(frozen=True, slots=True)
class OwnQuarter:
    """A resident's own home in one quarter [Wh]."""

    use_wh: Wh
    roof_wh: Wh
    shared_wh: Wh
    import_wh: Wh
    export_wh: Wh
    estimated: bool


@dataclass(frozen=True, slots=True)
class DayQuarter:
    """One quarter of a day; what is not known is None.

    Attributes:
        start_s: Its start [s].
        kind: How it is known.
        homes: Over how many homes the sums are.
        solar_wh: Solar energy, all roofs together [Wh].
        use_wh: Use, all homes together [Wh].
        shared_wh: What neighbours and the battery gave to homes [Wh].
        battery_wh: What the batteries took, below zero what they gave [Wh].
        price_eur_per_kwh: The price the plan reckons with; a forecast.
        own: The resident's own home.
    """

    start_s: EpochS
    kind: Kind
    homes: int | None = None
    solar_wh: Wh | None = None
    use_wh: Wh | None = None
    shared_wh: Wh | None = None
    battery_wh: Wh | None = None
    price_eur_per_kwh: float | None = None
    own: OwnQuarter | None = None


@dataclass(frozen=True, slots=True)
class Gain:
    """What sharing brought to one home or to all, so far."""

    shared_wh: Wh
    saved_eur: Decimal


@dataclass(frozen=True, slots=True)
class Day:
    """One local day.

    Attributes:
        date: Which day, in Amsterdam.
        now_s: When it was looked at [s].
        quarters: 92, 96 or 100 of them, in order of time.
        blocks: What the batteries did and will do, and why.
        street: What sharing brought to the neighbourhood; None when that may not be told.
        own: What it brought to the resident's home; None for anyone else.
        status: Whether the settlement behind it can still change.
    """

    date: date
    now_s: float
    quarters: tuple[DayQuarter, ...]
    blocks: tuple[PlanBlock, ...]
    street: Gain | None
    own: Gain | None
    status: Status

    @property
    def start_s(self) -> EpochS:
        """The first instant [s]."""
        return self.quarters[0].start_s

    @property
    def end_s(self) -> EpochS:
        """The first instant of the next day [s]."""
        return self.quarters[-1].start_s + QUARTER_S

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured."""
        return all(
            quarter.solar_wh is None or quarter.kind is Kind.FORECAST for quarter in self.quarters
        )


def day_of_house(house: House, settled: SettledDays, day: date, home: str | None = None) -> Day:
    """Return a local day of the neighbourhood, with a resident's own home where one asks."""
    start_s, end_s = local_day(day)
    now_s = house.clock.now_s()
    settlement = settled.of(day)
    planned = house.plans.covering(start_s, end_s)
    sums = {quarter.start_s: quarter for quarter in house.records.sums(start_s, end_s)}
    coming = {} if planned is None else {one.start_s: one for one in planned.quarters}
    shared = _shared(settlement, start_s)
    homes = {} if home is None else house.records.period(start_s, end_s).homes[home]
    quarters = tuple(
        _quarter(at_s, now_s, sums.get(at_s), coming.get(at_s), shared.get(at_s), homes, home)
        for at_s in range(start_s, end_s, QUARTER_S)
    )
    tariff = house.community.tariff
    enough = len(house.community.connections) >= MIN_HOMES
    return Day(
        day,
        now_s,
        quarters,
        () if planned is None else planned.blocks,
        _gain(settlement.shared_wh, tariff) if enough else None,
        None if home is None else _gain(_bought(settlement, home), tariff),
        settlement.status if now_s >= end_s else Status.PROVISIONAL,
    )


def saving_eur_per_kwh(tariff: Tariff) -> Decimal:
    """Return what a shared kWh saves whoever uses it, excluding VAT [EUR/kWh]."""
    return tariff.reference_eur_per_kwh - tariff.buy_eur_per_kwh - tariff.levy_eur_per_kwh


def _gain(shared_wh: Wh, tariff: Tariff) -> Gain:
    return Gain(shared_wh, kwh(shared_wh) * saving_eur_per_kwh(tariff))


def _bought(settlement: DaySettlement, home: str) -> Wh:
    member = settlement.members.get(home)
    return 0 if member is None else member.bought_wh


def _shared(settlement: DaySettlement, start_s: EpochS) -> dict[EpochS, Mapping[str, Wh]]:
    """Return what was allocated by the quarter's start; quarters are settled from the first on."""
    return {
        start_s + place * QUARTER_S: quarter.allocated_wh
        for place, quarter in enumerate(settlement.quarters)
    }


def _quarter(
    at_s: EpochS,
    now_s: float,
    known: SumQuarter | None,
    planned: PlannedQuarter | None,
    shared: Mapping[str, Wh] | None,
    homes: Mapping[EpochS, HomeQuarter],
    home: str | None,
) -> DayQuarter:
    price = None if planned is None else planned.price_eur_per_kwh
    own = None
    if home is not None and at_s in homes and shared is not None:
        own = _own(homes[at_s], shared.get(home, 0))
    if known is not None:
        return DayQuarter(
            at_s,
            Kind.ESTIMATED if known.estimated else Kind.MEASURED,
            known.homes,
            known.solar_wh,
            known.use_wh,
            None if shared is None else sum(shared.values()),
            _net(known),
            price,
            own,
        )
    if planned is not None and Quarter(at_s).end_s > now_s:
        return DayQuarter(
            at_s,
            Kind.FORECAST,
            None,
            planned.solar_wh,
            planned.use_wh,
            None,
            planned.battery_w // 4,
            price,
            own,
        )
    past = Quarter(at_s).end_s <= now_s
    return DayQuarter(
        at_s, Kind.MISSING if past else Kind.UNKNOWN, price_eur_per_kwh=price, own=own
    )


def _own(home: HomeQuarter, shared_wh: Wh) -> OwnQuarter:
    return OwnQuarter(
        home.use_wh, home.solar_wh, shared_wh, home.import_wh, home.export_wh, home.estimated
    )


def _net(known: SumQuarter) -> Wh | None:
    if known.charged_wh is None or known.discharged_wh is None:
        return None
    return known.charged_wh - known.discharged_wh
