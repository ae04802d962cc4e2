"""A world: month after month under the rules of then, or with one of them changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from api.cooperative.database import Desk
from api.cooperative.law import KeyTerms, TariffTerms, rate_on_sales, vat_code, vat_codes
from api.cooperative.law.vat_book import VatStatus
from api.cooperative.runs.frozen import case_of
from api.cooperative.runs.month import Month
from api.cooperative.whatif.candidate import Change
from api.cooperative.whatif.months import KnownMonth
from kwartier.units import EpochS
from optimizer.as_json.key_json import key_of
from optimizer.as_json.strict_json import Part
from optimizer.month import MonthCase, MonthResult, TariffVersion, settle_month
from optimizer.settlement import Rules, Status
from optimizer.settling.battery_models import BatteryAgreement, BatteryModel, MilliWh
from optimizer.settling.matrix import RegisterMatrix
from optimizer.settling.period import Agreement, KeyVersion
from optimizer.tariff import Terms

NAME = "candidate"
"""What the version that is tried is called in a case."""
ASSUMED_BATTERY = BatteryAgreement(BatteryModel.COOP_BUYS, Fraction(9, 10))
"""What is taken to hold of a battery in a month in which nothing was agreed about one."""


@dataclass(frozen=True, slots=True)
class Bills:
    """What everybody paid in a month of one world.

    Attributes:
        cents: By member; below zero is paid out [cents].
        status: Whether anything was missing or estimated.
    """

    cents: Mapping[str, int]
    status: Status


class World:
    """Settles months in order of time; claims on the battery go from one to the next."""

    def __init__(
        self, desk: Desk, change: Change | None, battery: BatteryAgreement | None = None
    ) -> None:
        """Live under the rules of then, but for a change.

        Args:
            desk: The open books.
            change: What is otherwise; None for nothing.
            battery: What holds of a battery in a month in which nothing was agreed about one.
        """
        self._desk = desk
        self._change = change
        self._battery = battery
        self._last: tuple[Month, Mapping[str, MilliWh]] | None = None

    def bills(self, known: KnownMonth) -> Bills:
        """Return what everybody pays in a month of this world.

        Raises:
            ContractError: The change does not fit the month, such as a battery without a rule.
        """
        if self._change is None and known.bills is not None:
            self._last = known.month, known.claims_after or {}
            status = Status.PROVISIONAL if _unsure(known) else Status.FINAL
            return Bills(known.bills, status)
        _, settled = self.settled(known)
        cents = {name: each.to_pay for name, each in settled.invoices.items()}
        return Bills(cents, settled.status)

    def settled(self, known: KnownMonth) -> tuple[MonthCase, MonthResult]:
        """Return a month of this world and all that it came to, settled anew.

        Raises:
            ContractError: The change does not fit the month, such as a battery without a rule.
        """
        case = self._case(known)
        result = settle_month(case)
        battery = result.battery
        self._last = known.month, {} if battery is None else battery.claims_after_milliwh
        return case, result

    def _case(self, known: KnownMonth) -> MonthCase:
        if self._battery is None:
            case = case_of(known.inputs, known.readings)
        else:
            case = _with_battery(known, self._battery)
        follows = self._last is not None and self._last[0] == known.month.before()
        frozen = known.bills is not None
        if (
            follows
            and case.battery is not None
            and not (frozen and isinstance(self._change, TariffTerms))
        ):
            assert self._last is not None
            case = replace(case, battery=replace(case.battery, claims_milliwh=self._last[1]))
        if isinstance(self._change, TariffTerms):
            return _with_tariff(self._desk, case, known, self._change)
        if isinstance(self._change, KeyTerms):
            return _with_key(case, self._change)
        return case


def _with_battery(known: KnownMonth, battery: BatteryAgreement) -> MonthCase:
    """Return a month in which something holds of a battery, agreed then or not.

    What the battery of then held at the end of the month says nothing of one that was played.
    """
    inputs = dict(known.inputs)
    agreed = inputs["battery"]
    if isinstance(agreed, dict):
        inputs["battery"] = {**agreed, "content_wh": None}
        return case_of(inputs, known.readings)
    still = RegisterMatrix.empty(1, known.readings.quarters)
    case = case_of(inputs, replace(known.readings, charge=still, discharge=still))
    return replace(case, readings=known.readings, battery=battery)


def _with_tariff(desk: Desk, case: MonthCase, known: KnownMonth, terms: TariffTerms) -> MonthCase:
    """Return a month at other prices, with the VAT that its code had then."""
    changes = {
        code.from_s
        for code in vat_codes(desk)
        if code.code == terms.vat_code and case.start_s < code.from_s < case.end_s
    }
    starts = [case.start_s, *sorted(changes)]
    statuses = Part(known.inputs["vat_status"], "vat_status").names()
    sell_vat = {
        name: rate_on_sales(desk, part.choice(VatStatus), terms.vat_code, case.end_s - 1)
        for name, part in statuses.items()
    }
    versions = tuple(
        TariffVersion(f"{NAME}-{place}", start_s, _priced(desk, terms, start_s))
        for place, start_s in enumerate(starts, 1)
    )
    return replace(case, tariffs=versions, sell_vat=sell_vat)


def _priced(desk: Desk, terms: TariffTerms, at_s: EpochS) -> Terms:
    buy, sell, levy, fee, grid_sell = (
        Part(text, "price").signed_fraction("0.18")
        for text in (terms.buy, terms.sell, terms.levy, terms.fee_per_month, terms.grid_sell)
    )
    rate = vat_code(desk, terms.vat_code, at_s).rate
    return Terms(buy, sell, levy, fee, rate, grid_sell_eur_per_kwh=grid_sell)


def _with_key(case: MonthCase, terms: KeyTerms) -> MonthCase:
    """Return a month shared by another key."""
    key = key_of(Part(terms.definition, "key"))
    rules = Rules(key, terms.self_rule, terms.tie)
    agreement = Agreement((KeyVersion(case.start_s, key),), rules, case.agreement.ownership)
    battery = None
    if terms.battery_model is not None:
        before = case.battery
        battery = BatteryAgreement(
            terms.battery_model,
            Part(terms.efficiency, "efficiency").fraction("0.9"),
            {} if before is None else before.claims_milliwh,
            None if before is None else before.content_wh,
        )
    return replace(case, agreement=agreement, battery=battery)


def _unsure(known: KnownMonth) -> bool:
    """Return whether a month that a run reckoned was missing anything, or took an estimate."""
    registers = (known.readings.taken, known.readings.given)
    return any(
        bool((flags & known.readings.listed).any())
        for register in registers
        for flags in (register.missing, register.estimated)
    )
