"""Which prices a plan may use: inside what the auction can give, and told by two sources alike.

A price feed that is wrong would throw every battery of a neighbourhood at once, so one source is
never believed against another. Where two agree the price is agreed; where one alone tells it is
used, and marked as single; where they differ nobody is believed.

Source:
    Limits of the coupled day-ahead auction: harmonised maximum of 4000 EUR/MWh (kept there by the
    nominated market operators on 13 September 2022, exaa.at) and minimum of -500 EUR/MWh
    (semopx.com, market message 5852 of 24 November 2023). They move by announced steps.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from collectors.answers import AnswerError
from collectors.prices.model import HOUR_S, PriceSeries
from kwartier.interval import QUARTER_S, Quarter
from kwartier.units import EpochS

CENT = Decimal("0.01")
"""By how much two sources may differ and still say the same [EUR/MWh]: they round."""


class PricesDisagreeError(AnswerError):
    """Sources tell other prices of the same quarter: none of them is used."""

    def __init__(self, disputed: Sequence[Disputed]) -> None:
        """Keep what was told."""
        first = disputed[0]
        told = ", ".join(f"{name} {price:f}" for name, price in sorted(first.told.items()))
        super().__init__(
            f"sources disagree on {len(disputed)} quarters, first {first.quarter}: {told} EUR/MWh; "
            "none of these is used until they agree"
        )
        self.disputed = tuple(disputed)


class PriceOutOfBoundsError(AnswerError):
    """A source tells prices that the auction cannot give: they are not used."""

    def __init__(self, name: str, series: PriceSeries, limits: Limits) -> None:
        """Keep what was told."""
        first = next(iter(series))
        super().__init__(
            f"{name} tells {len(series)} prices outside {limits.lowest} to {limits.highest} "
            f"EUR/MWh, first {first.eur_per_mwh:f} at {first.quarter}: they are not used"
        )
        self.series = series


@dataclass(frozen=True, slots=True)
class Limits:
    """What the auction can give [EUR/MWh]."""

    lowest: Decimal = Decimal(-500)
    highest: Decimal = Decimal(4000)


class Standing(StrEnum):
    """How well a price is known."""

    AGREED = "agreed"
    """Two sources told it alike."""
    SINGLE = "single"
    """One source alone told it."""


@dataclass(frozen=True, slots=True)
class Known:
    """A price that may be used.

    Attributes:
        eur_per_mwh: The price [EUR/MWh].
        standing: How well it is known.
        sources: Who told it.
    """

    eur_per_mwh: Decimal
    standing: Standing
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disputed:
    """A quarter of which sources tell other prices [EUR/MWh]."""

    quarter: Quarter
    told: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What sources came to together.

    Attributes:
        known: What may be used, by start of quarter [s]; what is not in it is missing.
        problems: What was left out and why: for one log line each.
        disputed: The quarters that nobody is believed on.
    """

    known: Mapping[EpochS, Known]
    problems: tuple[PricesDisagreeError | PriceOutOfBoundsError, ...]
    disputed: tuple[Disputed, ...]


def agree(told: Mapping[str, PriceSeries], limits: Limits | None = None) -> Agreement:
    """Return what some sources come to together.

    A source that tells hours only is compared with the mean of another's quarters, and the
    quarters are taken.

    Args:
        told: What each source told, by its name; the first of two that agree is taken.
        limits: What is no price; without them the auction's own.
    """
    bounds = limits or Limits()
    problems: list[PricesDisagreeError | PriceOutOfBoundsError] = []
    sane: dict[str, PriceSeries] = {}
    for name, series in told.items():
        inside, outside = _split(series, bounds)
        if outside:
            problems.append(PriceOutOfBoundsError(name, outside, bounds))
        sane[name] = inside
    hourly = {name for name, series in sane.items() if tells_hours(series)}
    mixed = len(hourly) not in {0, len(sane)}
    known: dict[EpochS, Known] = {}
    disputed: list[Disputed] = []
    for at_s in sorted({at_s for series in sane.values() for at_s in series.eur_per_mwh}):
        votes = _votes(sane, at_s, by_hour=mixed)
        found = _decided(votes, sane, hourly, at_s)
        if found is None:
            prices = {name: series.eur_per_mwh.get(at_s) for name, series in sane.items()}
            disputed.append(
                Disputed(Quarter(at_s), {n: p for n, p in prices.items() if p is not None})
            )
        else:
            known[at_s] = found
    if disputed:
        problems.append(PricesDisagreeError(disputed))
    return Agreement(known, tuple(problems), tuple(disputed))


def tells_hours(series: PriceSeries) -> bool:
    """Return whether all that is told are whole hours of one price each."""
    hours = {at_s - at_s % HOUR_S for at_s in series.eur_per_mwh}
    return bool(hours) and all(
        len(set(series.over(hour_s, hour_s + HOUR_S))) == 1 for hour_s in hours
    )


def _split(series: PriceSeries, limits: Limits) -> tuple[PriceSeries, PriceSeries]:
    inside: dict[EpochS, Decimal] = {}
    outside: dict[EpochS, Decimal] = {}
    for at_s, price in series.eur_per_mwh.items():
        (inside if limits.lowest <= price <= limits.highest else outside)[at_s] = price
    return PriceSeries(inside), PriceSeries(outside)


def _votes(sane: Mapping[str, PriceSeries], at_s: EpochS, *, by_hour: bool) -> dict[str, Decimal]:
    """Return what each source says of a quarter, in one measure for all who tell it.

    Where somebody tells hours, the votes are on the mean of the hour; a source that tells only a
    part of the hour's quarters then has no vote, and leaves the others none who is alone.
    """
    tells = {
        name: series.eur_per_mwh[at_s]
        for name, series in sane.items()
        if at_s in series.eur_per_mwh
    }
    if not by_hour or len(tells) == 1:
        return tells
    hour_s = at_s - at_s % HOUR_S
    hours = {name: sane[name].over(hour_s, hour_s + HOUR_S) for name in tells}
    whole = {name: [p for p in prices if p is not None] for name, prices in hours.items()}
    return {
        name: sum(prices, Decimal(0)) / len(prices)
        for name, prices in whole.items()
        if len(prices) == HOUR_S // QUARTER_S
    }


def _decided(
    votes: Mapping[str, Decimal],
    sane: Mapping[str, PriceSeries],
    hourly: Collection[str],
    at_s: EpochS,
) -> Known | None:
    """Return the price that two tell alike, or that one alone tells; None where they differ."""
    names = list(votes)
    if sum(at_s in series.eur_per_mwh for series in sane.values()) == 1:
        return Known(sane[names[0]].eur_per_mwh[at_s], Standing.SINGLE, (names[0],))
    for place, name in enumerate(names):
        others = [other for other in names[place + 1 :] if abs(votes[name] - votes[other]) <= CENT]
        if others:
            alike = (name, *others)
            finest = min(alike, key=lambda one: one in hourly)
            return Known(sane[finest].eur_per_mwh[at_s], Standing.AGREED, alike)
    return None
