"""A month's money: readings settled, priced by the quarter, and made into invoices and entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from kwartier.ledger import Entry
from kwartier.units import EpochS, Wh
from optimizer.battery_models import BatteryAgreement, BatteryModel, OwnerAccount, TrueUp
from optimizer.invoicing import Charge, InvoiceLine, MemberInvoice, PricedLine, VatAmount
from optimizer.matrix import AllocationMatrix, ReadingMatrix
from optimizer.period import Agreement
from optimizer.settlement import Status
from optimizer.tariff import TariffVersion

__all__ = (
    "BatteryAgreement",
    "BatteryModel",
    "Charge",
    "FlaggedStretch",
    "InvoiceLine",
    "MemberInvoice",
    "MonthBattery",
    "MonthCase",
    "MonthResult",
    "OwnerAccount",
    "PricedLine",
    "TariffVersion",
    "TrueUp",
    "VatAmount",
    "settle_month",
)


@dataclass(frozen=True, slots=True)
class MonthCase:
    """Everything that decides what a month comes to.

    Attributes:
        start_s: Its first instant, a local midnight [s].
        end_s: The first instant after it, a local midnight [s].
        readings: Every quarter of ``[start_s, end_s)``.
        agreement: Keys, rules and owners; amounts become whole in every quarter.
        tariffs: The tariff's versions; one is in force at ``start_s``.
        battery: What was decided about the battery; None when there is none.
        sell_vat: Each member's VAT rate on what it sells, as a part; who is not named (a
            private person, or under the small businesses scheme) charges none.

    Raises:
        ContractError: The readings do not tile the month, its bounds are no local midnights,
            tariffs are missing or begin at once, or the battery moved without an agreement.
    """

    start_s: EpochS
    end_s: EpochS
    readings: ReadingMatrix
    agreement: Agreement
    tariffs: tuple[TariffVersion, ...]
    battery: BatteryAgreement | None = None
    sell_vat: Mapping[str, Fraction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FlaggedStretch:
    """Consecutive quarters in which one register was missing or estimated.

    Attributes:
        register: Such as ``A:export`` or ``battery:charge``; only ``A`` when the connection
            has an owner and stands in no reading.
        start_s: The start of the first quarter [s].
        quarters: How many.
    """

    register: str
    start_s: EpochS
    quarters: int


@dataclass(frozen=True, slots=True)
class MonthBattery:
    """What the month did to the claims on the battery.

    Attributes:
        owners: Each owner's account; ``coop`` is the cooperative.
        unclaimed_wh: What the battery gave beyond all claims; the cooperative's [Wh].
        true_up: What putting the claims level with the measured content did; None without one.
        claims_after_milliwh: The claims with which the next month begins [thousandths of a Wh].
    """

    owners: Mapping[str, OwnerAccount]
    unclaimed_wh: Wh
    true_up: TrueUp | None
    claims_after_milliwh: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MonthResult:
    """A month, settled.

    Attributes:
        allocation: Every quarter's whole watt-hours, in rows and columns of the readings.
        invoices: By member, in order of their names; everybody who owned a connection or was
            paid out of the battery.
        entries: What the invoices make in the books, by member; each sums to zero.
        battery: What became of the claims; None when there is no battery.
        missing: What was not read of connections that take part, in order of register and time.
        estimated: What took part with an estimate, likewise.
        orphan_wh: Import and export of connections while nobody owned them [Wh].
    """

    allocation: AllocationMatrix
    invoices: Mapping[str, MemberInvoice]
    entries: tuple[Entry, ...]
    battery: MonthBattery | None
    missing: tuple[FlaggedStretch, ...]
    estimated: tuple[FlaggedStretch, ...]
    orphan_wh: Mapping[str, Wh]

    @property
    def status(self) -> Status:
        """Provisional when anything is missing or estimated."""
        return Status.PROVISIONAL if self.missing or self.estimated else Status.FINAL


def settle_month(case: MonthCase) -> MonthResult:
    """Return a month's invoices and entries, exact to the watt-hour and the cent."""
    raise NotImplementedError
