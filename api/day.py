"""One local day as people and programs see it: measured before now, planned after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from api.house import House
from api.plans import PlanBlock, PlannedQuarter
from api.readers import STRANGER, Onlooker
from api.settled import SettledDays
from collectors.disclosure import DELAY_S, Reader, rounded_forecast
from collectors.home_quarters import HomeQuarter
from collectors.queries import SumQuarter
from kwartier.interval import QUARTER_S, Quarter, day_of, local_day
from kwartier.model import Tariff
from kwartier.units import EpochS, Wh, kwh
from optimizer.settlement import DaySettlement, MemberDay, Status


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
        use_wh: Use, all homes together [Wh]; None also where it may not be told yet.
        shared_wh: What neighbours and the battery gave to homes [Wh]; None likewise.
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


def day_of_house(house: House, settled: SettledDays, day: date, looks: Onlooker = STRANGER) -> Day:
    """Return a local day of the neighbourhood as somebody may see it, with their own home in it."""
    start_s, end_s = local_day(day)
    now_s = house.clock.now_s()
    sums = {one.start_s: one for one in told_sums(house, settled, day, looks.reader)}
    planned = house.plans.covering(start_s, end_s)
    coming = {} if planned is None else {one.start_s: one for one in planned.quarters}
    settlement = settled.of(day)
    own = _own_quarters(house, settlement, start_s, end_s, looks)
    quarters = tuple(
        _quarter(at_s, now_s, sums.get(at_s), coming.get(at_s), own.get(at_s), looks.reader)
        for at_s in range(start_s, end_s, QUARTER_S)
    )
    tariff = house.community.tariff
    own_wh = sum(one.shared_wh for one in own.values())
    lived = any(looks.sees_home(at_s) for at_s in range(start_s, end_s, QUARTER_S))
    return Day(
        day,
        now_s,
        quarters,
        () if planned is None else planned.blocks,
        gain_of(sums.values(), tariff),
        _gain(own_wh, tariff) if lived else None,
        settlement.status if now_s >= end_s else Status.PROVISIONAL,
    )


def told_sums(house: House, settled: SettledDays, day: date, reader: Reader) -> list[SumQuarter]:
    """Return a day's sums as a reader may see them, with what was shared where that is settled."""
    start_s, end_s = local_day(day)
    told = house.records.told(start_s, end_s)
    if any(one.shared_wh is None for one in told):
        settlement = settled.of(day)
        everybody = set(house.community.connections)
        found: dict[frozenset[str], dict[EpochS, Wh]] = {}
        for one in told:
            place = (one.start_s - start_s) // QUARTER_S
            if one.shared_wh is not None or place >= len(settlement.quarters):
                continue
            quarter = settlement.quarters[place]
            away = {flag.partition(":")[0] for flag in quarter.missing} & everybody
            # What was shared among others than the sums cover would show who came in late.
            if one.homes == everybody - away:
                shared = found.setdefault(one.homes, {})
                shared[one.start_s] = quarter.shared_total_wh
        for homes, shared_wh in found.items():
            house.records.tell_shared(shared_wh, homes)
    return house.records.sums(start_s, end_s, reader)


def own_day(settled: SettledDays, day: date, looks: Onlooker) -> MemberDay | None:
    """Return what a day came to for the onlooker's home in the time it was theirs, or None."""
    start_s, end_s = local_day(day)
    theirs = [looks.sees_home(at_s) for at_s in range(start_s, end_s, QUARTER_S)]
    if looks.home is None or not any(theirs):
        return None
    found = settled.of(day) if all(theirs) else settled.of_some(day, looks.sees_home)
    return found.members.get(looks.home)


def last_public_day(now_s: float) -> date:
    """Return the newest local day of which everybody may know everything."""
    return day_of(now_s - DELAY_S) - timedelta(days=1)


def gain_of(sums: Iterable[SumQuarter], tariff: Tariff) -> Gain | None:
    """Return what sharing brought in some quarters, or None when none of it may be told."""
    shared_wh = [one.shared_wh for one in sums if one.shared_wh is not None]
    return _gain(sum(shared_wh), tariff) if shared_wh else None


def saving_eur_per_kwh(tariff: Tariff) -> Decimal:
    """Return what a shared kWh saves whoever uses it, excluding VAT [EUR/kWh]."""
    return tariff.reference_eur_per_kwh - tariff.buy_eur_per_kwh - tariff.levy_eur_per_kwh


def _gain(shared_wh: Wh, tariff: Tariff) -> Gain:
    return Gain(shared_wh, kwh(shared_wh) * saving_eur_per_kwh(tariff))


def _own_quarters(
    house: House,
    settlement: DaySettlement,
    start_s: EpochS,
    end_s: EpochS,
    looks: Onlooker,
) -> dict[EpochS, OwnQuarter]:
    """Return a home's quarters of the time that its values are the onlooker's."""
    if looks.home is None or looks.home not in house.community.connections:
        return {}
    known = house.records.period(start_s, end_s).homes[looks.home]
    return {
        at_s: _own(known[at_s], quarter.allocated_wh.get(looks.home, 0))
        for at_s, quarter in zip(
            range(start_s, end_s, QUARTER_S), settlement.quarters, strict=False
        )
        if at_s in known and looks.sees_home(at_s)
    }


def _quarter(
    at_s: EpochS,
    now_s: float,
    known: SumQuarter | None,
    planned: PlannedQuarter | None,
    own: OwnQuarter | None,
    reader: Reader,
) -> DayQuarter:
    price = None if planned is None else planned.price_eur_per_kwh
    if known is not None:
        return DayQuarter(
            at_s,
            Kind.ESTIMATED if known.estimated else Kind.MEASURED,
            known.homes,
            known.solar_wh,
            known.use_wh,
            known.shared_wh,
            _net(known),
            price,
            own,
        )
    end_s = Quarter(at_s).end_s
    if planned is not None and end_s > now_s:
        return DayQuarter(
            at_s,
            Kind.FORECAST,
            None,
            planned.solar_wh,
            expected_use_wh(planned, reader, now_s),
            None,
            planned.battery_w // 4,
            price,
            own,
        )
    return DayQuarter(
        at_s, Kind.MISSING if end_s <= now_s else Kind.UNKNOWN, price_eur_per_kwh=price, own=own
    )


def expected_use_wh(planned: PlannedQuarter, reader: Reader, now_s: float) -> Wh | None:
    """Return the use a plan expects, as a reader may know it [Wh]: it is made from use itself."""
    if not reader.may_know_use(Quarter(planned.start_s).end_s, now_s):
        return None
    return rounded_forecast(planned.use_wh)


def _own(home: HomeQuarter, shared_wh: Wh) -> OwnQuarter:
    return OwnQuarter(
        home.use_wh, home.solar_wh, shared_wh, home.import_wh, home.export_wh, home.estimated
    )


def _net(known: SumQuarter) -> Wh | None:
    if known.charged_wh is None or known.discharged_wh is None:
        return None
    return known.charged_wh - known.discharged_wh
