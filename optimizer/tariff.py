"""What a shared kWh costs and earns, exactly: the terms of a bill."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from kwartier.model import Tariff


class CentRounding(StrEnum):
    """How exact amounts become cents."""

    LARGEST_REMAINDER = "largest_remainder"
    """The community's total is rounded, and the members' cents add up to it."""
    PER_LINE_HALF_UP = "per_line_half_up"
    """Every line by itself; only to compare with programs that do so."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed, excluding VAT.

    Attributes:
        buy_eur_per_kwh: What a kWh from a neighbour costs.
        sell_eur_per_kwh: What a kWh to a neighbour earns.
        levy_eur_per_kwh: What each kWh bought brings to the fund.
        fee_eur: What each member pays a period, whatever the volume.
        vat: On what is bought, as a part, such as 21/100.
        vat_sell: On what is sold, as a part.
        rounding: How exact amounts become cents.
    """

    buy_eur_per_kwh: Fraction
    sell_eur_per_kwh: Fraction
    levy_eur_per_kwh: Fraction = Fraction()
    fee_eur: Fraction = Fraction()
    vat: Fraction = Fraction()
    vat_sell: Fraction = Fraction()
    rounding: CentRounding = CentRounding.LARGEST_REMAINDER

    @classmethod
    def of(cls, tariff: Tariff) -> Terms:
        """Return the terms of a neighbourhood's tariff: energy and levy, without fee or VAT."""
        return cls(
            Fraction(tariff.buy_eur_per_kwh),
            Fraction(tariff.sell_eur_per_kwh),
            Fraction(tariff.levy_eur_per_kwh),
        )
