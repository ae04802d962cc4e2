"""A member's statement of one run: the one thing that every paper is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from api.cooperative.settings import Address, CoopSettings
from kwartier.units import Wh


class StatementState(StrEnum):
    """How sure a statement is."""

    PROVISIONAL = "provisional"
    """May be shown, is not posted and has no number."""
    FINAL = "final"
    CORRECTED = "corrected"
    """Takes the place of an earlier one of the same period."""


class Charge(StrEnum):
    """What a line is about."""

    BUY = "buy"
    """Shared energy that was used."""
    LEVY = "levy"
    """What each shared kWh brings to the fund."""
    FEE = "fee"
    """The standing fee, by day."""
    SELL = "sell"
    """Export that neighbours used."""
    BATTERY = "battery"
    """Export that charged the neighbourhood's battery, or what the battery gave of it."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line: an amount at one price under one decision.

    Attributes:
        charge: What it is about. BUY, LEVY and FEE are owed; SELL and BATTERY are earned.
        connection: Whose connection's energy; empty for the fee.
        energy_wh: Energy [Wh]; None for the fee.
        days: Days of the fee; None for energy.
        price_eur: Price of a kWh, or the fee of a whole month, as exact text such as ``0.18``.
        amount_cents: What it comes to, excluding VAT; below zero at a price below zero.
        tariff: The tariff version's id.
        tariff_from: Its first day.
        tariff_decision: The decision that made it.
        key: The key version's id, or several with ``+`` between; empty for the fee.
        key_decision: The decision or decisions that made it.
        quarters: How many quarters it covers.
        estimated: How many of them were estimated or missing for this connection.
        vat_code: Under which VAT code it falls.
    """

    charge: Charge
    connection: str
    energy_wh: Wh | None
    days: int | None
    price_eur: str
    amount_cents: int
    tariff: str
    tariff_from: date
    tariff_decision: str
    key: str
    key_decision: str
    quarters: int
    estimated: int
    vat_code: str


@dataclass(frozen=True, slots=True)
class VatLine:
    """VAT of one code on one side.

    Attributes:
        code: The VAT code.
        rate: As a part, such as 21/100.
        base_cents: The net cents it is taken on.
        vat_cents: The VAT.
        earned: False for what is owed, True for what the member earned.
    """

    code: str
    rate: Fraction
    base_cents: int
    vat_cents: int
    earned: bool


@dataclass(frozen=True, slots=True)
class DayPart:
    """One local day of one connection [Wh]; quarter-hours stand in the run."""

    day: date
    import_wh: Wh
    export_wh: Wh
    bought_wh: Wh
    sold_wh: Wh
    to_battery_wh: Wh
    quarters: int
    missing: int
    estimated: int


@dataclass(frozen=True, slots=True)
class MeterPart:
    """A meter in the period: where its registers stood [Wh]; None when that is not known."""

    serial: str
    import_opening_wh: Wh | None
    import_closing_wh: Wh | None
    export_opening_wh: Wh | None
    export_closing_wh: Wh | None


@dataclass(frozen=True, slots=True)
class ConnectionPart:
    """One connection as far as the member owned it in the period.

    Attributes:
        id: Its name in the cooperative.
        ean: Its EAN with all but the last four digits hidden, such as ``…1234``.
        supplier: Who bills the rest.
        first: The first local day owned in the period.
        last: The last local day owned in the period.
        meters: Its meters, the replaced one first.
        days: Day by day.
    """

    id: str
    ean: str
    supplier: str
    first: date
    last: date
    meters: tuple[MeterPart, ...]
    days: tuple[DayPart, ...]


@dataclass(frozen=True, slots=True)
class CoopPart:
    """The cooperative as it stands on a paper; its settings know more than a paper may tell."""

    name: str
    address: Address
    kvk: str
    vat_number: str
    iban: str
    creditor_id: str
    phone: str
    email: str

    @classmethod
    def of(cls, settings: CoopSettings) -> CoopPart:
        """Return what of the settings may stand on a paper."""
        return cls(
            settings.name,
            settings.address,
            settings.kvk,
            settings.vat_number,
            settings.iban,
            settings.creditor_id,
            settings.phone,
            settings.email,
        )


@dataclass(frozen=True, slots=True)
class PartyPart:
    """Whose statement it is."""

    id: str
    name: str
    kind: str
    language: str
    address: Address
    email: str
    vat_status: str
    vat_number: str
    kvk: str
    oin: str


@dataclass(frozen=True, slots=True)
class CorrectionPart:
    """What a corrected statement changes.

    Attributes:
        replaces: Numbers of the papers it takes the place of.
        reason: Why, in words for the member.
        previous_cents: What was to pay before.
        delta_cents: What is to pay more than before; below zero less.
    """

    replaces: tuple[str, ...]
    reason: str
    previous_cents: int
    delta_cents: int


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything that stands on a member's papers.

    Attributes:
        run: The run, such as ``2026-07/1``.
        run_hash: The hash of the run's result.
        state: How sure it is.
        first: The first local day of the period.
        last: The last local day of the period.
        coop: The cooperative.
        party: The member.
        invoice_number: Number of the invoice for what is owed; empty while there is none.
        purchase_number: Number of the self-billed purchase for what was earned; empty likewise.
        issued: The day the papers were numbered; None while they are not.
        due: The day the amount is collected or paid; None while that is not known.
        lines: Its lines; their cents add up to the totals.
        vat: VAT by code and side.
        net_cents: What is owed without VAT: BUY + LEVY + FEE.
        vat_cents: VAT on that.
        earned_cents: What was earned without VAT: SELL + BATTERY.
        earned_vat_cents: VAT on that.
        to_pay_cents: What the member pays; below zero is paid out.
        connections: The energy behind it.
        waivers: Checks that were waived, with their reasons, in words for the member.
        warnings: Keys of remarks that must stand on the paper, such as ``tax_unconfirmed``.
        correction: What it changes, for a corrected statement.
        mandate: Reference of the mandate it is collected under; empty when the member transfers.
        account: The member's bank account with all but the last four digits hidden; empty when
            it is not known.
    """

    run: str
    run_hash: str
    state: StatementState
    first: date
    last: date
    coop: CoopPart
    party: PartyPart
    invoice_number: str
    purchase_number: str
    issued: date | None
    due: date | None
    lines: tuple[StatementLine, ...]
    vat: tuple[VatLine, ...]
    net_cents: int
    vat_cents: int
    earned_cents: int
    earned_vat_cents: int
    to_pay_cents: int
    connections: tuple[ConnectionPart, ...]
    waivers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    correction: CorrectionPart | None = None
    mandate: str = ""
    account: str = ""

    @property
    def owed_cents(self) -> int:
        """What is owed, VAT included."""
        return self.net_cents + self.vat_cents

    @property
    def earned_gross_cents(self) -> int:
        """What was earned, VAT included."""
        return self.earned_cents + self.earned_vat_cents
