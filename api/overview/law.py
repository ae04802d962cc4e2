"""What was agreed on sharing and prices on a day: from the books, or from the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np

from api.cooperative.law import (
    KeyRecord,
    TariffRecord,
    key_is_approved,
    key_records,
    tariff_is_approved,
    tariff_records,
)
from api.cooperative.registry import ownership_between
from api.office import Office
from api.overview.day_sums import Energies, MicroEur
from kwartier.interval import QUARTER_S
from kwartier.model import Tariff
from kwartier.units import EpochS
from optimizer.settlement import Rules
from optimizer.settling.period import Agreement, KeyVersion, Ownership

_MICRO_PER_WH = 1_000
"""One euro a kWh is a thousandth of a euro a Wh: so many millionths."""
_LAST_S = 4_102_444_800
"""2100-01-01T00:00Z [s]."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a shared kWh costs and earns from an instant on, excluding VAT [EUR/kWh]."""

    from_s: EpochS
    buy: Fraction
    sell: Fraction
    levy: Fraction


@dataclass(frozen=True, slots=True)
class Law:
    """Everything that was agreed, over all time.

    Attributes:
        usual: Rules where the books name none.
        keys: The rules by their first instant, in order; empty where no books are kept.
        ownership: Who settles what; None for everybody alike.
        prices: Prices by their first instant, in order.
        reference: What a supplier asks for a kWh [EUR/kWh].
    """

    usual: Rules
    keys: tuple[tuple[EpochS, Rules], ...]
    ownership: tuple[Ownership, ...] | None
    prices: tuple[Prices, ...]
    reference: Fraction

    def agreement(self, start_s: EpochS) -> Agreement:
        """Return what holds on a local day that begins at an instant [s]."""
        begun = [rules for from_s, rules in self.keys if from_s <= start_s]
        if not begun:
            return Agreement((KeyVersion(0, self.usual.key),), self.usual)
        versions = tuple(KeyVersion(from_s, rules.key) for from_s, rules in self.keys)
        return Agreement(versions, begun[-1], self.ownership)


@dataclass(frozen=True, slots=True)
class Money:
    """What some energies come to [millionths of EUR]."""

    paid: MicroEur
    earned: MicroEur
    saved: MicroEur
    levy: MicroEur


def law_of_settings(rules: Rules, tariff: Tariff) -> Law:
    """Return what the settings say, for a neighbourhood without books."""
    prices = Prices(
        0,
        Fraction(tariff.buy_eur_per_kwh),
        Fraction(tariff.sell_eur_per_kwh),
        Fraction(tariff.levy_eur_per_kwh),
    )
    return Law(rules, (), None, (prices,), Fraction(tariff.reference_eur_per_kwh))


def law_of_books(office: Office, rules: Rules, tariff: Tariff) -> Law:
    """Return what the books say; the settings hold before the books' first version.

    Raises:
        BooksError: The books cannot be read now.
    """
    usual = law_of_settings(rules, tariff)
    with office.reading() as desk:
        keys: Mapping[EpochS, KeyRecord] = {
            one.from_s: one for one in key_records(desk) if key_is_approved(desk, one)
        }
        tariffs: Mapping[EpochS, TariffRecord] = {
            one.from_s: one for one in tariff_records(desk) if tariff_is_approved(desk, one)
        }
        ownership = ownership_between(desk, 0, _LAST_S)
    if not keys:
        return replace(usual, prices=_prices(usual.prices, tariffs))
    return replace(
        usual,
        keys=tuple((from_s, keys[from_s].rules) for from_s in sorted(keys)),
        ownership=ownership,
        prices=_prices(usual.prices, tariffs),
    )


def money_of(
    prices: Sequence[Prices],
    reference: Fraction,
    first_s: EpochS,
    bought_wh: Energies,
    earning_wh: Energies,
) -> Money:
    """Return what a home's energies of consecutive quarters come to.

    Args:
        prices: By their first instant, in order; the first one holds before it as well.
        reference: What a supplier asks for a kWh [EUR/kWh].
        first_s: The first quarter [s].
        bought_wh: Shared energy that was used, ``(Q,)`` [Wh].
        earning_wh: Export that was sold or charged the battery, ``(Q,)`` [Wh].
    """
    paid = earned = saved = levy = Fraction()
    for price, (start, end) in zip(prices, _spans(prices, first_s, len(bought_wh)), strict=True):
        if start == end:
            continue
        bought, earning = int(bought_wh[start:end].sum()), int(earning_wh[start:end].sum())
        paid += bought * (price.buy + price.levy)
        saved += bought * (reference - price.buy - price.levy)
        earned += earning * price.sell
        levy += bought * price.levy
    return Money(*(round(amount * _MICRO_PER_WH) for amount in (paid, earned, saved, levy)))


def euro(amount: MicroEur) -> Decimal:
    """Return millionths of a euro as euros."""
    return Decimal(amount).scaleb(-6)


def _spans(prices: Sequence[Prices], first_s: EpochS, count: int) -> list[tuple[int, int]]:
    """Return the columns in which each price holds."""
    starts = [int(np.clip(-((first_s - one.from_s) // QUARTER_S), 0, count)) for one in prices]
    return list(pairwise([0, *starts[1:], count]))


def _prices(before: Sequence[Prices], tariffs: Mapping[EpochS, TariffRecord]) -> tuple[Prices, ...]:
    return (
        *before,
        *(
            Prices(
                from_s,
                tariffs[from_s].terms.buy_eur_per_kwh,
                tariffs[from_s].terms.sell_eur_per_kwh,
                tariffs[from_s].terms.levy_eur_per_kwh,
            )
            for from_s in sorted(tariffs)
        ),
    )
