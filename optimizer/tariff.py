"""What a shared kWh costs and earns, exactly: the terms of a bill."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from kwartier.errors import ContractError
from kwartier.model import Tariff
from kwartier.units import EpochS


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
        grid_sell_eur_per_kwh: What a kWh out of the battery earns its owner when no neighbour
            used it; only where owners carry the battery.
    """

    buy_eur_per_kwh: Fraction
    sell_eur_per_kwh: Fraction
    levy_eur_per_kwh: Fraction = Fraction()
    fee_eur: Fraction = Fraction()
    vat: Fraction = Fraction()
    vat_sell: Fraction = Fraction()
    rounding: CentRounding = CentRounding.LARGEST_REMAINDER
    grid_sell_eur_per_kwh: Fraction = Fraction()

    @classmethod
    def of(cls, tariff: Tariff) -> Terms:
        """Return the terms of a neighbourhood's tariff: energy and levy, without fee or VAT."""
        return cls(
            Fraction(tariff.buy_eur_per_kwh),
            Fraction(tariff.sell_eur_per_kwh),
            Fraction(tariff.levy_eur_per_kwh),
        )


@dataclass(frozen=True, slots=True)
class TariffVersion:
    """Terms and the first instant at which they are in force.

    Attributes:
        id: The version's name in the books.
        start_s: From when it is in force [s]; until the next version begins.
        terms: What was agreed; ``fee_eur`` is the fee of a whole month. VAT on what a member
            sells is the member's own affair and stands with the month, so ``vat_sell`` is 0.

    Raises:
        ContractError: The terms name VAT on what is sold, or round line by line.
    """

    id: str
    start_s: EpochS
    terms: Terms

    def __post_init__(self) -> None:
        if self.terms.vat_sell:
            raise ContractError(
                f"tariff {self.id!r}: vat_sell {self.terms.vat_sell} would hold for everybody: "
                "give each member's own rate with the month"
            )
        if self.terms.rounding is not CentRounding.LARGEST_REMAINDER:
            raise ContractError(
                f"tariff {self.id!r}: {self.terms.rounding} loses cents between lines and total: "
                "a month is rounded by largest remainder"
            )
