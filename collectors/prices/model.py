"""Market prices by quarter-hour: exact, in UTC, and honest about what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from collectors.answers import AnswerError, NothingToldError
from kwartier.errors import ContractError
from kwartier.interval import (
    HOME_ZONE,
    QUARTER_S,
    Quarter,
    Zone,
    instant_text,
    local_day,
    quarters_between,
    quarters_of_day,
)
from kwartier.units import EpochS

LOWEST_EUR_PER_MWH = Decimal(-1000)
"""Below this a number is no price at all; what a plan may use lies closer (``agreement``)."""
HIGHEST_EUR_PER_MWH = Decimal(10_000)
"""Above this a number is no price at all."""

HOUR_S = 3600
TIMES_S = range(7_258_118_400)
"""Instants that a price may have [s]: 1970 to 2199. Others are mistakes."""


@dataclass(frozen=True, slots=True, order=True)
class PriceQuarter:
    """What one MWh costs in one quarter-hour, before tax and mark-up; often negative."""

    quarter: Quarter
    eur_per_mwh: Decimal


@dataclass(frozen=True, slots=True)
class PriceDay:
    """The prices of one local day.

    Attributes:
        day: Which day.
        quarters: All its quarters: 92, 96 or 100 in Amsterdam.
        eur_per_mwh: One price a quarter, in the same order; None where it is missing.
    """

    day: date
    quarters: tuple[Quarter, ...]
    eur_per_mwh: tuple[Decimal | None, ...]

    @property
    def missing(self) -> tuple[Quarter, ...]:
        """The quarters without a price."""
        told = zip(self.quarters, self.eur_per_mwh, strict=True)
        return tuple(quarter for quarter, price in told if price is None)

    @property
    def complete(self) -> bool:
        """Whether every quarter has a price."""
        return None not in self.eur_per_mwh


@dataclass(frozen=True, slots=True)
class PriceSeries:
    """Prices by the start of their quarter; a quarter that is not in it is missing.

    Attributes:
        eur_per_mwh: Price by start of quarter [s], in order of time. Made by ``of``.
    """

    eur_per_mwh: Mapping[EpochS, Decimal]

    @classmethod
    def of(cls, prices: Iterable[PriceQuarter]) -> PriceSeries:
        """Return the series of some quarters, in any order.

        Raises:
            ContractError: A price is past all sense, or a quarter has two prices.
        """
        known: dict[EpochS, Decimal] = {}
        for price in prices:
            start_s = price.quarter.start_s
            if known.setdefault(start_s, checked_price(price.eur_per_mwh)) != price.eur_per_mwh:
                raise ContractError(
                    f"{price.quarter} has two prices, {known[start_s]:f} and "
                    f"{price.eur_per_mwh:f}: keep the right one"
                )
        return cls({start_s: known[start_s] for start_s in sorted(known)})

    def __len__(self) -> int:
        return len(self.eur_per_mwh)

    def __iter__(self) -> Iterator[PriceQuarter]:
        for start_s, price in self.eur_per_mwh.items():
            yield PriceQuarter(Quarter(start_s), price)

    def at(self, quarter: Quarter) -> Decimal | None:
        """Return the price of a quarter [EUR/MWh], or None when it is missing."""
        return self.eur_per_mwh.get(quarter.start_s)

    def over(self, start_s: EpochS, end_s: EpochS) -> tuple[Decimal | None, ...]:
        """Return one price a quarter of ``[start_s, end_s)`` [EUR/MWh]; None where missing."""
        return tuple(self.at(quarter) for quarter in quarters_between(start_s, end_s))

    def between(self, start_s: EpochS, end_s: EpochS) -> PriceSeries:
        """Return the part that starts in ``[start_s, end_s)``."""
        inside = self.eur_per_mwh.items()
        return PriceSeries({at_s: price for at_s, price in inside if start_s <= at_s < end_s})

    def missing(self, start_s: EpochS, end_s: EpochS) -> list[Quarter]:
        """Return the quarters of ``[start_s, end_s)`` without a price."""
        wanted = quarters_between(start_s, end_s)
        return [quarter for quarter in wanted if quarter.start_s not in self.eur_per_mwh]

    def day(self, day: date, zone: Zone = HOME_ZONE) -> PriceDay:
        """Return the prices of a local day, gaps and all."""
        return PriceDay(day, tuple(quarters_of_day(day, zone)), self.over(*local_day(day, zone)))

    def filled_from(self, other: PriceSeries) -> PriceSeries:
        """Return these prices, and where they are missing those of a second source."""
        both = {**other.eur_per_mwh, **self.eur_per_mwh}
        return PriceSeries({start_s: both[start_s] for start_s in sorted(both)})


class PriceSource(Protocol):
    """Knows the day-ahead prices of a day."""

    def day(self, day: date) -> PriceDay:
        """Return the prices of a day in the neighbourhood's zone.

        Raises:
            NothingToldError: It has none for that day, or not yet.
            SourceDownError: It cannot be asked now.
            RefusedError: It refuses to be asked this.
            AnswerError: It answers in a way that is not known here.
        """


def checked_price(eur_per_mwh: Decimal) -> Decimal:
    """Return a price, or refuse one past all sense."""
    if not eur_per_mwh.is_finite() or not (
        LOWEST_EUR_PER_MWH <= eur_per_mwh <= HIGHEST_EUR_PER_MWH
    ):
        raise ContractError(
            f"a price of {format(eur_per_mwh, 'f')[:24]} EUR/MWh lies outside "
            f"{LOWEST_EUR_PER_MWH} to {HIGHEST_EUR_PER_MWH}: check whether it is per kWh or per MWh"
        )
    return eur_per_mwh


def hour_of(start_s: EpochS, eur_per_mwh: Decimal) -> list[PriceQuarter]:
    """Return the four quarters of an hour that was sold at one price."""
    first = Quarter(start_s)
    return [PriceQuarter(first.next(count), eur_per_mwh) for count in range(HOUR_S // QUARTER_S)]


def spread(start_s: EpochS, end_s: EpochS, eur_per_mwh: Decimal, who: str) -> list[PriceQuarter]:
    """Return the quarters between the ends of one price: one, or the four of an hour.

    Raises:
        AnswerError: The price holds for another time: it is not electricity's.
    """
    if end_s - start_s == QUARTER_S:
        return [PriceQuarter(Quarter(start_s), eur_per_mwh)]
    if end_s - start_s == HOUR_S and start_s % HOUR_S == 0:
        return hour_of(start_s, eur_per_mwh)
    raise AnswerError(
        f"{who}'s answer has a price that holds for {(end_s - start_s) / 60:g} minutes from "
        f"{instant_text(start_s)}: this is not electricity, "
        "which is sold by the quarter or the hour"
    )


def cut_day(series: PriceSeries, day: date, zone: Zone, who: str) -> PriceDay:
    """Return a local day out of what a source told; quarters that were not told are missing.

    Raises:
        NothingToldError: None of the day was told.
    """
    told = series.day(day, zone)
    if len(told.missing) == len(told.quarters):
        raise NothingToldError(
            f"{who} has no prices for {day}: they appear in the afternoon before"
        )
    return told
