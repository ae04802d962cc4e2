"""A month's money: readings settled, priced by the quarter, and made into invoices and entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from kwartier.errors import ContractError
from kwartier.ledger import Entry
from kwartier.units import EpochS, Wh
from optimizer.settlement import Status
from optimizer.settling.battery_claims import COOPERATIVE
from optimizer.settling.battery_models import BatteryAgreement, BatteryModel, TrueUp
from optimizer.settling.battery_month import Deliveries, MonthBattery, OwnerAccount, settle_battery
from optimizer.settling.flagged import (
    FlaggedStretch,
    estimated_stretches,
    missing_stretches,
    owned_flags,
)
from optimizer.settling.invoicing import (
    Charge,
    InvoiceLine,
    MemberInvoice,
    PricedLine,
    VatAmount,
    entries_of,
    invoices_of,
)
from optimizer.settling.matrix import AllocationMatrix, ReadingMatrix
from optimizer.settling.matrix_settlement import settle_matrix
from optimizer.settling.month_lines import delivery_lines, energy_lines, fee_lines, merged
from optimizer.settling.month_spans import OwnedSpan, owned_spans, price_bands, refuse_other_bounds
from optimizer.settling.period import Agreement
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
        ContractError: The readings do not tile the month, its bounds are no local midnights, a
            VAT rate is out of range, or the battery moved and nothing was agreed about it.
    """

    start_s: EpochS
    end_s: EpochS
    readings: ReadingMatrix
    agreement: Agreement
    tariffs: tuple[TariffVersion, ...]
    battery: BatteryAgreement | None = None
    sell_vat: Mapping[str, Fraction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        refuse_other_bounds(self.start_s, self.end_s, self.readings)
        for member, rate in self.sell_vat.items():
            if not 0 <= rate <= 1:
                raise ContractError(f"sell_vat.{member}: {rate} times the price: use 0 to 1")
        moved = self.readings.charge.energy_wh.any() or self.readings.discharge.energy_wh.any()
        if self.battery is None and moved:
            raise ContractError(
                "battery: it took or gave energy and nothing was agreed about it: "
                "give its model and efficiency"
            )


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
    """Return a month's invoices and entries, exact to the watt-hour and the cent.

    Energy is shared in every quarter, priced by the tariff version of its quarter and added up
    by member, connection and version; only then it becomes cents.

    Raises:
        ContractError: No key or no tariff is in force in a quarter, two tariffs begin at once,
            amounts are to be rounded once a period, or a member bears the cooperative's name.

    Source:
        Conventions C12 to C16 and section 6 of the settlement design.
    """
    readings = case.readings
    spans = owned_spans(case.agreement, readings)
    bands = price_bands(case.tariffs, readings)
    _refuse_coop(case, spans)
    allocation = settle_matrix(readings, case.agreement)
    battery, deliveries = _battery(case, allocation, spans)
    model = None if case.battery is None else case.battery.model
    lines = merged(
        [
            *energy_lines(readings, allocation, spans, bands, model),
            *delivery_lines(readings, deliveries, bands),
            *fee_lines(readings, spans, bands),
        ]
    )
    members = {span.member for span in spans} | {line.member for line in lines}
    invoices = invoices_of(lines, members, case.sell_vat)
    return MonthResult(
        allocation,
        invoices,
        tuple(entry for name, each in invoices.items() for entry in entries_of(name, each)),
        battery,
        missing_stretches(spans, readings),
        estimated_stretches(spans, readings),
        _orphans(readings, spans),
    )


def _battery(
    case: MonthCase, allocation: AllocationMatrix, spans: Sequence[OwnedSpan]
) -> tuple[MonthBattery | None, Deliveries]:
    if case.battery is None:
        return None, Deliveries()
    tie = case.agreement.rules.tie
    return settle_battery(case.battery, case.readings, allocation, spans, tie)


def _orphans(readings: ReadingMatrix, spans: Sequence[OwnedSpan]) -> dict[str, Wh]:
    """Return what went through connections that nobody owned (section 6.10)."""
    adrift = readings.listed & ~owned_flags(spans, readings)
    return {
        name: int(
            readings.taken.energy_wh[row][adrift[row]].sum()
            + readings.given.energy_wh[row][adrift[row]].sum()
        )
        for row, name in enumerate(readings.connections)
        if adrift[row].any()
    }


def _refuse_coop(case: MonthCase, spans: Sequence[OwnedSpan]) -> None:
    """Refuse a member who would be mistaken for the cooperative in the battery's books."""
    carried = case.battery is not None and case.battery.model is BatteryModel.OWNER_CARRY
    if carried and any(span.member == COOPERATIVE for span in spans):
        raise ContractError(
            f"member {COOPERATIVE!r} is the cooperative's own name for its claims on the "
            "battery: give the member another"
        )
