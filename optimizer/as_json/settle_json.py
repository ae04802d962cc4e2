"""One quarter as JSON: the case that somebody types in, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, Quarter
from kwartier.units import Wh
from kwartier.wire import Json
from optimizer.as_json.key_json import key_of
from optimizer.as_json.readings_json import battery_of, connections_of, rules_of
from optimizer.as_json.strict_json import Part, parsed
from optimizer.balance import QuarterReadings
from optimizer.settlement import QuarterSettlement, Rules, settle_quarter
from optimizer.settling.filling import Exact

MAX_QUARTER_NUMBER = 10_000_000
"""The last quarter that a case may name, in the year 2255."""

_CASE_KEYS = (
    "readings",
    "key",
    "self_rule",
    "tie",
    "qindex",
    "source",
    "battery",
    "claims",
    "eta",
)


@dataclass(frozen=True, slots=True)
class QuarterCase:
    """One quarter to be settled by hand.

    Attributes:
        readings: What was read.
        rules: What the members decided.
        claims: What each owner has in the battery, in Wh as they were charged.
        efficiency: What the battery gives back over what it took; None when not told.
    """

    readings: QuarterReadings
    rules: Rules
    claims: Mapping[str, Exact] = field(default_factory=dict)
    efficiency: Fraction | None = None


def settle_quarter_text(text: str) -> dict[str, Json]:
    """Return the answer to one quarter written as JSON.

    Raises:
        ContractError: The text is no such case; the message names key, value and remedy.
    """
    case = quarter_case(parsed(text))
    return quarter_answer(settle_quarter(case.readings, case.rules), case)


def quarter_case(document: Part) -> QuarterCase:
    """Return the case that a document describes, or refuse it."""
    keys = document.told(_CASE_KEYS, needed=("readings", "key"))
    number = keys["qindex"].whole(0, MAX_QUARTER_NUMBER) if "qindex" in keys else 0
    quarter = Quarter(number * QUARTER_S)
    return QuarterCase(
        QuarterReadings(quarter, connections_of(keys["readings"]), battery_of(keys.get("battery"))),
        rules_of(keys, key_of(keys["key"])),
        _claims(keys["claims"]) if "claims" in keys else {},
        _efficiency(keys["eta"]) if "eta" in keys else None,
    )


def quarter_answer(settled: QuarterSettlement, case: QuarterCase) -> dict[str, Json]:
    """Return a settled quarter in the shape that is promised; fractions are text."""
    moved = settled.claims_move(case.claims, case.efficiency)
    return {
        "status": settled.status.value,
        "missing": list(settled.missing),
        "estimated": list(settled.estimated),
        "supply": settled.balance.supply_wh,
        "exact": _texts(settled.exact),
        "allocated": _sorted(settled.allocated_wh),
        "shared_total": settled.shared_total_wh,
        "shared_out": _sorted(settled.shared_out_wh),
        "supplier_import": _sorted(settled.supplier_import_wh),
        "supplier_export": _sorted(settled.supplier_export_wh),
        "self_consumption_rate": str(settled.self_consumption),
        "self_sufficiency_rate": str(settled.self_sufficiency),
        "battery": {
            "to_members": settled.battery_to_members_wh,
            "to_grid": settled.battery_to_grid_wh,
            "delivered": _texts(moved.delivered),
            "loss": _texts(moved.loss),
            "claims_after": _texts(moved.after),
        },
    }


def _claims(part: Part) -> dict[str, Exact]:
    return {owner: claim.fraction("225") for owner, claim in part.names().items()}


def _efficiency(part: Part) -> Fraction:
    efficiency = part.fraction("0.9")
    if not 0 < efficiency <= 1:
        raise part.wrong(f"{efficiency} is no efficiency: use more than 0, at most 1")
    return efficiency


def _texts(amounts: Mapping[str, Exact]) -> dict[str, Json]:
    try:
        return {name: str(amount) for name, amount in sorted(amounts.items())}
    except ValueError as error:
        raise ContractError(
            "claims or shares: their fractions make amounts too long to print: use shorter ones"
        ) from error


def _sorted(amounts_wh: Mapping[str, Wh]) -> dict[str, Json]:
    return dict(sorted(amounts_wh.items()))
