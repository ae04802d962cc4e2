"""What a run freezes, as JSON: rules, owners, tariffs and claims, and what came of them.

Instants are whole seconds in UTC, energy whole Wh, money whole cents, exact numbers text. Nothing
in it is a name, an address or an EAN: connections, members and versions stand under their ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from api.cooperative.canonical import digest
from api.cooperative.runs.frozen_days import FrozenDay, allocation_hash
from kwartier.ledger import Entry
from kwartier.wire import Json
from optimizer.month import FlaggedStretch, MonthBattery, MonthResult
from optimizer.settling.invoicing import InvoiceLine, MemberInvoice

FORMAT = "kwartier-run/1"
"""The form of a run's document."""


def result_of(result: MonthResult) -> dict[str, Json]:
    """Return a month's result; quarters stand in it as a hash and as community totals."""
    allocation = result.allocation
    return {
        "status": result.status.value,
        "invoices": {name: invoice_of(each) for name, each in result.invoices.items()},
        "entries": [entry_of(each) for each in result.entries],
        "battery": None if result.battery is None else _battery(result.battery),
        "missing": [_stretch(each) for each in result.missing],
        "estimated": [_stretch(each) for each in result.estimated],
        "orphan_wh": dict(result.orphan_wh),
        "community": {
            "bought_wh": int(allocation.bought_wh.sum()),
            "sold_wh": int(allocation.sold_wh.sum()),
            "to_battery_wh": int(allocation.to_battery_wh.sum()),
            "from_battery_wh": int(allocation.from_battery_wh.sum()),
            "supply_wh": int(allocation.supply_wh.sum()),
        },
        "allocation_hash": allocation_hash(allocation),
    }


def result_hash(result: Json) -> str:
    """Return the hash of a result: the same for the same quarters, lines and entries."""
    return digest(result)


def invoice_of(invoice: MemberInvoice) -> dict[str, Json]:
    """Return a member's invoice."""
    return {
        "lines": [_line(each) for each in invoice.lines],
        "vat": [
            {
                "rate": str(each.rate),
                "base_cents": each.base_cents,
                "vat_cents": each.vat_cents,
                "earned": each.earned,
            }
            for each in invoice.vat
        ],
        "net_cents": invoice.net,
        "vat_cents": invoice.vat_due,
        "earned_cents": invoice.earned,
        "earned_vat_cents": invoice.earned_vat,
        "to_pay_cents": invoice.to_pay,
    }


def entry_of(entry: Entry) -> dict[str, Json]:
    """Return a journal entry."""
    return {
        "reference": entry.reference,
        "lines": [
            {
                "account": line.account.name,
                "unit": line.account.unit.value,
                "amount": line.amount,
                "cost_centre": line.cost_centre.value,
            }
            for line in entry.lines
        ],
    }


def day_of(day: FrozenDay) -> dict[str, Json]:
    """Return a day of quarters."""
    return {
        "connection": day.connection,
        "day": day.day.isoformat(),
        "taken": list(day.taken),
        "given": list(day.given),
        "taken_quality": day.taken_quality,
        "given_quality": day.given_quality,
        "bought": list(day.bought),
        "sold": list(day.sold),
        "to_battery": list(day.to_battery),
    }


def document_of(
    inputs: Json, result: Json, days: Iterable[FrozenDay], facts: dict[str, Json]
) -> dict[str, Json]:
    """Return everything of a run as one document.

    Args:
        inputs: What was frozen.
        result: What came of it.
        days: Readings as they were used, and what came of each quarter.
        facts: Name, hashes, findings, waivers and steps of the run.
    """
    return {
        "format": FORMAT,
        **facts,
        "inputs": inputs,
        "days": [day_of(each) for each in days],
        "result": result,
    }


def _line(line: InvoiceLine) -> dict[str, Json]:
    priced = line.priced
    return {
        "charge": priced.charge.value,
        "connection": priced.connection,
        "tariff": priced.tariff,
        "energy_wh": priced.energy_wh,
        "days": priced.days,
        "price_eur": None if priced.price_eur is None else str(priced.price_eur),
        "exact_eur": str(priced.exact_eur),
        "vat": str(priced.vat),
        "quarters": priced.quarters,
        "estimated": priced.estimated,
        "start_s": priced.start_s,
        "end_s": priced.end_s,
        "grid": priced.grid,
        "cents": line.cents,
    }


def _battery(battery: MonthBattery) -> dict[str, Json]:
    trued = battery.true_up
    return {
        "owners": {name: dict(asdict(each)) for name, each in battery.owners.items()},
        "unclaimed_wh": battery.unclaimed_wh,
        "true_up": None
        if trued is None
        else {
            "claims_milliwh": dict(trued.claims_milliwh),
            "excess_loss_milliwh": trued.excess_loss_milliwh,
            "uncovered_milliwh": trued.uncovered_milliwh,
        },
        "claims_after_milliwh": dict(battery.claims_after_milliwh),
    }


def _stretch(stretch: FlaggedStretch) -> dict[str, Json]:
    return {
        "register": stretch.register,
        "start_s": stretch.start_s,
        "quarters": stretch.quarters,
    }
