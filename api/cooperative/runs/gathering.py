"""What decides a month, gathered from readings, registry and law, and frozen as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from sqlalchemy import select

from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.law import (
    KeyRecord,
    TariffRecord,
    key_versions,
    rate_on_sales,
    tariff_versions,
    warnings_at,
)
from api.cooperative.law.vat_book import VatStatus
from api.cooperative.readings import matrix
from api.cooperative.registry import (
    connections,
    memberships,
    ownership_between,
    vat_statuses,
)
from api.cooperative.runs.code_version import code_version
from api.cooperative.runs.frozen_days import readings_hash
from api.cooperative.runs.month import Month
from api.cooperative.runs.states import BOOKED, runs
from api.cooperative.tables.runs import RunComputationRow
from kwartier.interval import HOME_ZONE
from kwartier.units import EpochS, Wh
from kwartier.wire import Json
from optimizer.settling.matrix import ReadingMatrix, RegisterMatrix
from optimizer.settling.period import Ownership

VAT_CODES: Mapping[VatStatus, str] = {
    VatStatus.NONE: "none",
    VatStatus.KOR: "exempt",
    VatStatus.REVERSE_CHARGE: "reverse",
}
"""Under which code sales fall; those of who is registered fall under the tariff's."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that decides a month.

    Attributes:
        month: Which.
        inputs: What is frozen; ``frozen.case_of`` makes the engine's case of it.
        readings: What was read.
        fingerprint: The versions of the readings.
        tariffs: The tariff's versions, by the names they have in the inputs.
        keys: The key's versions.
        ownership: Who settles what, within the month.
    """

    month: Month
    inputs: dict[str, Json]
    readings: ReadingMatrix
    fingerprint: str
    tariffs: Mapping[str, TariffRecord]
    keys: tuple[KeyRecord, ...]
    ownership: tuple[Ownership, ...]


def gather(desk: Desk, month: Month, content_wh: Wh | None = None) -> Gathered:
    """Return everything that decides a month, as the books know it now.

    Args:
        desk: The open books.
        month: Which month.
        content_wh: What the battery could still give at its end [Wh]; None when nobody measured.

    Raises:
        BooksError: No key or tariff is in force, or two rules are within one month.
    """
    start_s, end_s = month.start_s, month.end_s
    keys = key_versions(desk, start_s, end_s)
    _refuse_two_rules(keys, month)
    tariffs = _named(tariff_versions(desk, start_s, end_s))
    owners = _within(ownership_between(desk, start_s, end_s), start_s, end_s)
    if not owners:
        raise BooksError(f"{month}: nobody owns a connection: see `kwartier coop own list`")
    readings, fingerprint = _readings(desk, owners, start_s, end_s)
    members = sorted({each.member for each in owners})
    statuses = vat_statuses(desk, members, month.last)
    code = list(tariffs.values())[-1].vat_code
    inputs: dict[str, Json] = {
        "period": {
            "month": str(month),
            "start_s": start_s,
            "end_s": end_s,
            "zone": HOME_ZONE.key,
        },
        "code_version": code_version(),
        "readings": {"hash": readings_hash(readings), "fingerprint": fingerprint},
        "keys": [
            {"id": key.id, "decision": key.decision, "from_s": key.from_s, "body": key.body}
            for key in keys
        ],
        "tariffs": [_tariff(desk, name, each, start_s) for name, each in tariffs.items()],
        "ownership": [
            {
                "connection": each.connection,
                "member": each.member,
                "start_s": each.start_s,
                "end_s": each.end_s,
            }
            for each in owners
        ],
        "memberships": _memberships(desk, month),
        "vat_status": {name: status.value for name, status in statuses.items()},
        "vat_codes": {name: VAT_CODES.get(status, code) for name, status in statuses.items()},
        "sell_vat": {
            name: str(rate_on_sales(desk, status, code, end_s - 1))
            for name, status in statuses.items()
        },
        "battery": _battery(desk, keys[0], month, content_wh),
    }
    return Gathered(month, inputs, readings, fingerprint, tariffs, keys, owners)


def opening_claims(desk: Desk, month: Month) -> dict[str, Json]:
    """Return the claims on the battery with which a month begins [thousandths of a Wh]."""
    earlier = [run for run in runs(desk) if run.state in BOOKED and run.name.month < month]
    if not earlier:
        return {}
    stored = desk.session.scalar(
        select(RunComputationRow.result).where(RunComputationRow.id == earlier[-1].computation)
    )
    battery = json.loads(stored or "{}").get("battery") or {}
    claims: dict[str, Json] = battery.get("claims_after_milliwh", {})
    return claims


def _named(tariffs: Sequence[TariffRecord]) -> dict[str, TariffRecord]:
    """Return versions by a name of their own; one whose VAT rate changed stands there twice."""
    named: dict[str, TariffRecord] = {}
    for each in tariffs:
        name = each.id if each.id not in named else f"{each.id}@{each.from_s}"
        named[name] = each
    return named


def _within(windows: Sequence[Ownership], start_s: EpochS, end_s: EpochS) -> tuple[Ownership, ...]:
    """Return windows cut to the month: what happens later is none of its affair."""
    cut = [
        replace(
            each,
            start_s=max(each.start_s, start_s),
            end_s=end_s if each.end_s is None else min(each.end_s, end_s),
        )
        for each in windows
    ]
    return tuple(sorted(cut, key=lambda each: (each.connection, each.start_s)))


def _readings(
    desk: Desk, owners: Sequence[Ownership], start_s: EpochS, end_s: EpochS
) -> tuple[ReadingMatrix, str]:
    """Return what was read of every connection that has an owner, or was read without one."""
    owned = {each.connection for each in owners}
    names = sorted(owned | {each.id for each in connections(desk)})
    readings, fingerprint = matrix(desk, names, start_s, end_s)
    known = ~(readings.taken.missing & readings.given.missing).all(axis=1)
    kept = np.array([name in owned for name in readings.connections], np.bool_) | known

    def only(registers: RegisterMatrix) -> RegisterMatrix:
        return RegisterMatrix(
            registers.energy_wh[kept], registers.missing[kept], registers.estimated[kept]
        )

    return (
        replace(
            readings,
            connections=tuple(np.array(readings.connections)[kept].tolist()),
            listed=readings.listed[kept],
            taken=only(readings.taken),
            given=only(readings.given),
        ),
        fingerprint,
    )


def _tariff(desk: Desk, name: str, tariff: TariffRecord, start_s: EpochS) -> dict[str, Json]:
    terms = tariff.terms
    warnings = warnings_at(desk, tariff, max(tariff.from_s, start_s))
    return {
        "id": name,
        "version": tariff.id,
        "decision": tariff.decision,
        "from_s": tariff.from_s,
        "buy": str(terms.buy_eur_per_kwh),
        "sell": str(terms.sell_eur_per_kwh),
        "levy": str(terms.levy_eur_per_kwh),
        "grid_sell": str(terms.grid_sell_eur_per_kwh),
        "fee": str(terms.fee_eur),
        "vat": str(terms.vat),
        "vat_code": tariff.vat_code,
        "warnings": list(warnings),
    }


def _memberships(desk: Desk, month: Month) -> list[Json]:
    """Return who was a member in the month; days outside it are none of its affair."""
    held: list[Json] = []
    for each in memberships(desk):
        if each.from_day <= month.last and (each.to_day is None or each.to_day > month.first):
            ended = each.to_day is not None and each.to_day <= month.last
            first: date = max(each.from_day, month.first)
            held.append(
                {
                    "party": each.party,
                    "class": each.vote_class.value,
                    "from": first.isoformat(),
                    "to": each.to_day.isoformat() if ended and each.to_day else None,
                }
            )
    return held


def _battery(desk: Desk, key: KeyRecord, month: Month, content_wh: Wh | None) -> Json:
    if key.battery_model is None or key.efficiency is None:
        return None
    return {
        "model": key.battery_model.value,
        "efficiency": str(key.efficiency),
        "claims_milliwh": opening_claims(desk, month),
        "content_wh": content_wh,
    }


def _refuse_two_rules(keys: Sequence[KeyRecord], month: Month) -> None:
    """Refuse a month in which more than the key itself changes."""
    first = keys[0]
    for key in keys[1:]:
        same_rules = replace(key.rules, key=first.key) == first.rules
        same_battery = (key.battery_model, key.efficiency) == (
            first.battery_model,
            first.efficiency,
        )
        if not same_rules or not same_battery:
            raise BooksError(
                f"{month}: key {key.id} has another self-supply rule, tie or battery model than "
                f"{first.id}: within a month only the key changes; let it begin on the first"
            )
