"""A key or a tariff that somebody thinks of, before anything is written down."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from api.cooperative.canonical import digest
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError
from api.cooperative.four_eyes import Matter
from api.cooperative.law import KeyTerms, TariffTerms, vat_code
from api.cooperative.registry import connections
from api.cooperative.whatif.street import StreetTerms
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part
from optimizer.balance import SelfRule
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.period import Rounding
from optimizer.settling.rounding import Tie

Change: TypeAlias = TariffTerms | KeyTerms
"""What is to be different."""
PLAYED = "played"
"""What the street might have is compared with what it has, steered by the same rules."""
_NAMING = ("participants", "beneficiaries")
_TEXTS = ("buy", "sell", "levy", "grid_sell", "fee_per_month", "vat_code", "reference")


class Against(StrEnum):
    """With what the candidate is compared."""

    THEN = "then"
    """What held in each month: the bills as they were."""
    NOW = "now"
    """What holds now, in every month."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is tried.

    Attributes:
        terms: The tariff or the key, or what the street might have.
        against: With what it is compared; what the street might have is always compared with
            what it has, steered by the same rules.
    """

    terms: Change | StreetTerms
    against: Against = Against.THEN

    @property
    def matter(self) -> Matter:
        """What kind of thing it is."""
        if isinstance(self.terms, StreetTerms):
            return Matter.ASSET
        return Matter.TARIFF if isinstance(self.terms, TariffTerms) else Matter.KEY

    @property
    def body(self) -> dict[str, Json]:
        """All of it as JSON."""
        if isinstance(self.terms, StreetTerms):
            return {"kind": self.matter.value, "against": PLAYED, "terms": self.terms.body}
        return {
            "kind": self.matter.value,
            "against": self.against.value,
            "terms": _tariff(self.terms) if isinstance(self.terms, TariffTerms) else
            _key(self.terms),
        }  # fmt: skip

    @property
    def hash(self) -> str:
        """The hash of that."""
        return digest(self.body)

    def check(self, desk: Desk) -> None:
        """Refuse a candidate that names what the books do not know.

        Raises:
            BooksError: A connection or a VAT code is not known.
        """
        if isinstance(self.terms, TariffTerms):
            vat_code(desk, self.terms.vat_code, desk.at_s)
            return
        known = {each.id for each in connections(desk)}
        if isinstance(self.terms, StreetTerms):
            place, named = "roof", [] if self.terms.roof is None else [self.terms.roof.connection]
        else:
            place, named = "key", names_in(self.terms.definition)
        strange = sorted(set(named) - known)
        if strange:
            raise BooksError(
                f"{place}: connection {strange[0][:40]!r} is not known: "
                f"there are {', '.join(sorted(known)[:60])}"
            )


def names_in(definition: Json) -> list[str]:
    """Return every connection that a key names, in order."""
    if not isinstance(definition, dict):
        return []
    named: list[str] = []
    for place in _NAMING:
        named += _texts(definition.get(place))
    shares = definition.get("shares")
    named += list(shares) if isinstance(shares, dict) else []
    tiers = definition.get("tiers")
    for tier in tiers if isinstance(tiers, list) else []:
        named += _texts(tier)
    return named + names_in(definition.get("base"))


def tariff_terms(body: Json) -> TariffTerms:
    """Return the terms of a tariff's body, as it was proposed or tried.

    Raises:
        ContractError: It is none.
    """
    parts = Part(body, "tariff").names()
    sheet = parts["cost_sheet"].value
    texts = {name: str(parts[name].value) for name in _TEXTS}
    return TariffTerms(**texts, cost_sheet=sheet if isinstance(sheet, dict) else {})


def key_terms(body: Json) -> KeyTerms:
    """Return the terms of a key's body, as it was proposed or tried.

    Raises:
        ContractError: It is none.
    """
    parts = Part(body, "key").names()
    model, efficiency = None, ""
    if parts["battery"].value is not None:
        battery = parts["battery"].names()
        model = battery["model"].choice(BatteryModel)
        efficiency = str(battery["efficiency"].value)
    return KeyTerms(
        parts["key"].value,
        parts["self_rule"].choice(SelfRule),
        parts["tie"].choice(Tie),
        parts["rounding"].choice(Rounding),
        model,
        efficiency,
    )


def _tariff(terms: TariffTerms) -> dict[str, Json]:
    texts: dict[str, Json] = {name: getattr(terms, name) for name in _TEXTS}
    return {**texts, "cost_sheet": dict(terms.cost_sheet)}


def _key(terms: KeyTerms) -> dict[str, Json]:
    battery: Json = None
    if terms.battery_model is not None:
        battery = {"model": terms.battery_model.value, "efficiency": terms.efficiency}
    return {
        "key": terms.definition,
        "self_rule": terms.self_rule.value,
        "tie": terms.tie.value,
        "rounding": terms.rounding.value,
        "battery": battery,
    }


def _texts(value: Json) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
