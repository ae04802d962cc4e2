"""A frozen run read back, and reckoned again without a database: what an auditor does."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from api.cooperative.runs.freezing import FORMAT, result_hash, result_of
from api.cooperative.runs.frozen_days import (
    BATTERY_ROW,
    FrozenDay,
    days_of,
    readings_hash,
    readings_of,
)
from kwartier.errors import ContractError
from kwartier.interval import HOME_ZONE
from kwartier.units import EpochS
from kwartier.wire import Json
from optimizer.as_json.key_json import key_of
from optimizer.as_json.strict_json import Part
from optimizer.balance import SelfRule
from optimizer.month import (
    BatteryAgreement,
    BatteryModel,
    MonthCase,
    MonthResult,
    TariffVersion,
    settle_month,
)
from optimizer.settlement import Rules, Source
from optimizer.settling.matrix import ReadingMatrix
from optimizer.settling.period import Agreement, KeyVersion, Ownership
from optimizer.settling.rounding import Tie
from optimizer.tariff import Terms

_LAST_S = 4_102_444_800
"""2100-01-01T00:00Z: no instant of a run is later [s]."""
_MOST = 10**15
"""No energy or amount is further from nothing."""


@dataclass(frozen=True, slots=True)
class Check:
    """What reckoning a document again found; empty when it agrees.

    Attributes:
        result: The month, reckoned again.
        faults: What does not agree, one sentence each.
    """

    result: MonthResult
    faults: tuple[str, ...]


def recompute(document: Json) -> MonthResult:
    """Return the month of a run's document, reckoned again from what was frozen.

    Raises:
        ContractError: It is no such document; the message names place and value.
    """
    whole = _document(document)
    period = whole["inputs"].names()["period"].names()
    days = [_day(part) for part in whole["days"].list()]
    readings = readings_of(days, _instant(period["start_s"]), _instant(period["end_s"]))
    return settle_month(case_of(whole["inputs"].value, readings))


def check(document: Json) -> Check:
    """Return a run's document reckoned again, and where it says something else.

    Raises:
        ContractError: It is no such document; the message names place and value.
    """
    whole = _document(document)
    inputs, faults = whole["inputs"].names(), []
    period = inputs["period"].names()
    days = [_day(part) for part in whole["days"].list()]
    readings = readings_of(days, _instant(period["start_s"]), _instant(period["end_s"]))
    if inputs["readings"].names()["hash"].value != readings_hash(readings):
        faults.append("the readings are not those that were frozen: their hash differs")
    if whole["input_hash"].value != input_hash(whole["inputs"].value):
        faults.append("the inputs are not those that were signed: their hash differs")
    result = settle_month(case_of(whole["inputs"].value, readings))
    again = result_of(result)
    if again != whole["result"].value:
        faults.append("the result is another one when it is reckoned again")
    if whole["result_hash"].value != result_hash(whole["result"].value):
        faults.append("the result is not the one that was signed: its hash differs")
    again_days = {(day.connection, day.day): day for day in days_of(readings, result.allocation)}
    for day in days:
        other = again_days.get((day.connection, day.day))
        if other is None or (other.bought, other.sold, other.to_battery) != (
            day.bought,
            day.sold,
            day.to_battery,
        ):
            faults.append(f"{day.connection} {day.day}: its quarters are others when reckoned")
    return Check(result, tuple(faults))


def input_hash(inputs: Json) -> str:
    """Return the hash of what was frozen; the readings take part by their own hash."""
    return result_hash(inputs)


def case_of(inputs: Json, readings: ReadingMatrix) -> MonthCase:
    """Return the case that was frozen.

    Raises:
        ContractError: The inputs are none; the message names place and value.
    """
    parts = Part(inputs, "inputs").names()
    period = parts["period"].names()
    if period["zone"].value != HOME_ZONE.key:
        raise period["zone"].wrong(f"{period['zone'].value!r} is not {HOME_ZONE.key}")
    keys = [(_instant(part.names()["from_s"]), part.names()["body"].names()) for part in
            parts["keys"].list()]  # fmt: skip
    if not keys:
        raise parts["keys"].wrong("there is none")
    versions = tuple(KeyVersion(start_s, key_of(body["key"])) for start_s, body in keys)
    body = keys[0][1]
    rules = Rules(
        versions[0].key,
        body["self_rule"].choice(SelfRule),
        body["tie"].choice(Tie),
        body["source"].choice(Source),
    )
    return MonthCase(
        _instant(period["start_s"]),
        _instant(period["end_s"]),
        readings,
        Agreement(versions, rules, tuple(_owner(part) for part in parts["ownership"].list())),
        tuple(_tariff(part) for part in parts["tariffs"].list()),
        _battery(parts["battery"]),
        {name: part.fraction("21/100") for name, part in parts["sell_vat"].names().items()},
    )


def owners_of(inputs: Json) -> tuple[Ownership, ...]:
    """Return who settled what, by connection and time."""
    return tuple(_owner(part) for part in Part(inputs, "inputs").names()["ownership"].list())


def key_names_of(inputs: Json) -> list[tuple[EpochS, str]]:
    """Return from when on each version of the key is in force [s], and its name."""
    parts = [part.names() for part in Part(inputs, "inputs").names()["keys"].list()]
    return [(_instant(each["from_s"]), each["id"].name()) for each in parts]


def tariffs_of(inputs: Json) -> list[tuple[EpochS, TariffVersion]]:
    """Return from when on each version of the tariff is in force [s], and what it says."""
    versions = [_tariff(part) for part in Part(inputs, "inputs").names()["tariffs"].list()]
    return [(each.start_s, each) for each in versions]


def _document(document: Json) -> dict[str, Part]:
    whole = Part(document).names()
    for key in ("format", "inputs", "days", "result", "input_hash", "result_hash"):
        if key not in whole:
            raise ContractError(f"key {key!r} is missing: this is no document of a run")
    if whole["format"].value != FORMAT:
        raise whole["format"].wrong(f"{whole['format'].value!r} is not read here: use {FORMAT}")
    return whole


def _day(part: Part) -> FrozenDay:
    parts = part.names()
    name = parts["connection"].value
    return FrozenDay(
        BATTERY_ROW if name == BATTERY_ROW else parts["connection"].name(),
        parts["day"].day(),
        _energies(parts["taken"]),
        _energies(parts["given"]),
        parts["taken_quality"].name(),
        parts["given_quality"].name(),
        _whole_energies(parts["bought"]),
        _whole_energies(parts["sold"]),
        _whole_energies(parts["to_battery"]),
    )


def _energies(part: Part) -> list[int | None]:
    if not isinstance(part.value, list):
        raise part.wrong("this is not a list of whole Wh")
    energies: list[int | None] = []
    for value in part.value:
        if value is not None and (type(value) is not int or not 0 <= value <= _MOST):
            raise part.wrong(f"{value!r} is neither whole Wh nor null")
        energies.append(value)
    return energies


def _whole_energies(part: Part) -> list[int]:
    energies = [value for value in _energies(part) if value is not None]
    if not isinstance(part.value, list) or len(energies) != len(part.value):
        raise part.wrong("null among results: every quarter has one")
    return energies


def _owner(part: Part) -> Ownership:
    parts = part.names()
    return Ownership(
        parts["connection"].name(),
        parts["member"].name(),
        _instant(parts["start_s"]),
        _instant(parts["end_s"]),
    )


def _tariff(part: Part) -> TariffVersion:
    parts = part.names()

    def price(name: str) -> Fraction:
        return parts[name].signed_fraction("0.18")

    terms = Terms(
        price("buy"),
        price("sell"),
        price("levy"),
        price("fee"),
        parts["vat"].fraction("21/100"),
        grid_sell_eur_per_kwh=price("grid_sell"),
    )
    return TariffVersion(parts["id"].name(), _instant(parts["from_s"]), terms)


def _battery(part: Part) -> BatteryAgreement | None:
    if part.value is None:
        return None
    parts = part.names()
    content = parts["content_wh"]
    return BatteryAgreement(
        parts["model"].choice(BatteryModel),
        parts["efficiency"].fraction("0.9"),
        {name: claim.whole(0, _MOST) for name, claim in parts["claims_milliwh"].names().items()},
        None if content.value is None else content.whole(0, _MOST),
    )


def _instant(part: Part) -> int:
    return part.whole(0, _LAST_S)
