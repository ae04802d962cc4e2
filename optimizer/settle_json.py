"""One quarter as JSON: the case that somebody types in, and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from kwartier.interval import QUARTER_S, Quarter
from kwartier.units import Wh
from kwartier.wire import Json
from optimizer.balance import QuarterReadings, Registers, SelfRule
from optimizer.filling import Exact
from optimizer.key_json import key_of
from optimizer.rounding import Tie
from optimizer.settlement import QuarterSettlement, Rules, Source, settle_quarter
from optimizer.strict_json import Part, parsed

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

Choice = TypeVar("Choice", bound=StrEnum)


class ReadingQuality(StrEnum):
    """How a value that is written with its quality is known."""

    MEASURED = "measured"
    ESTIMATED = "estimated"


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
    keys = document.object(_CASE_KEYS, needed=("readings", "key"))
    number = keys["qindex"].whole(0, MAX_QUARTER_NUMBER) if "qindex" in keys else 0
    battery = _registers(keys["battery"], "charge", "discharge") if "battery" in keys else None
    connections = _connections(keys["readings"])
    rules = Rules(
        key_of(keys["key"]),
        _choice(keys, "self_rule", SelfRule.NO_SELF),
        _choice(keys, "tie", Tie.ID),
        _choice(keys, "source", Source.PROPORTIONAL),
    )
    return QuarterCase(
        QuarterReadings(Quarter(number * QUARTER_S), connections, battery or Registers()),
        rules,
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


def _connections(part: Part) -> dict[str, Registers]:
    """Return the readings in the order in which they are listed."""
    return {
        name: _registers(registers, "import", "export") for name, registers in part.names().items()
    }


def _registers(part: Part, taken: str, given: str) -> Registers:
    """Return what two registers counted; one that is not named is not there, and counts 0."""
    keys = part.object((taken, given))
    import_wh, import_estimated = _energy(keys.get(taken))
    export_wh, export_estimated = _energy(keys.get(given))
    return Registers(import_wh, export_wh, import_estimated, export_estimated)


def _energy(part: Part | None) -> tuple[Wh | None, bool]:
    """Return a value, None when it is missing, and whether it is an estimate."""
    if part is None:
        return 0, False
    if part.value is None:
        return None, False
    if not isinstance(part.value, dict):
        return part.energy_wh(), False
    keys = part.object(("value", "quality"), needed=("value", "quality"))
    quality = keys["quality"].choice(ReadingQuality)
    return keys["value"].energy_wh(), quality is ReadingQuality.ESTIMATED


def _choice(keys: Mapping[str, Part], key: str, default: Choice) -> Choice:
    return keys[key].choice(type(default)) if key in keys else default


def _claims(part: Part) -> dict[str, Exact]:
    return {owner: claim.fraction("225") for owner, claim in part.names().items()}


def _efficiency(part: Part) -> Fraction:
    efficiency = part.fraction("0.9")
    if not 0 < efficiency <= 1:
        raise part.wrong(f"{efficiency} is no efficiency: use more than 0, at most 1")
    return efficiency


def _texts(amounts: Mapping[str, Exact]) -> dict[str, Json]:
    return {name: str(amount) for name, amount in sorted(amounts.items())}


def _sorted(amounts_wh: Mapping[str, Wh]) -> dict[str, Json]:
    return dict(sorted(amounts_wh.items()))
