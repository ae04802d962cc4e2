"""Forms in which a tariff or a key is tried: what was typed, read into exact terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.cooperative.canonical import text_digest
from api.cooperative.errors import BooksError
from api.cooperative.law import Decision, DecisionKind, KeyTerms, Result, TariffTerms
from api.cooperative.whatif import Against, Candidate, Draft, key_terms, tariff_terms
from kwartier.identity import checked_name
from kwartier.interval import local_day
from kwartier.units import EpochS
from kwartier.wire import Json
from optimizer.as_json.key_json import KeyType
from optimizer.balance import SelfRule
from optimizer.settling.battery_models import BatteryModel
from optimizer.settling.rounding import Tie

MOST_LETTERS = 4_000
"""A form brings no more of one field."""
PRICES = ("buy", "sell", "levy", "grid_sell", "fee_per_month", "reference")
"""The fields of a tariff that hold an amount, in the order of the form."""
_SPLIT = re.compile(r"[\s,;]+")
BASES = (KeyType.PROPORTIONAL, KeyType.EQUAL, KeyType.STATIC, KeyType.HYBRID, KeyType.CASCADE)
"""What may stand under a solidarity key in the form."""


class NoSharesError(BooksError):
    """A key of fixed parts names no home; pages have words of their own for it."""

    def __init__(self) -> None:
        """Say which field is empty, and what belongs there."""
        super().__init__("shares: nothing stands there: write a home and its part on each line")


@dataclass(frozen=True, slots=True)
class Typed:
    """A form that was sent, as text: what is shown again where something was refused."""

    fields: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        """Return what was typed in a field."""
        return self.fields.get(name, default).strip()

    def amount(self, name: str, default: str = "0") -> str:
        """Return an amount with a point, also where a comma was typed."""
        return self.text(name).replace(",", ".").replace("€", "").strip() or default

    def names(self, name: str) -> list[str]:
        """Return the names in a field, however they were parted."""
        return [each for each in _SPLIT.split(self.whole(name)) if each]

    def lines(self, name: str) -> list[str]:
        """Return the lines of a field that hold something."""
        return [line.strip() for line in self.whole(name).splitlines() if line.strip()]

    def whole(self, name: str) -> str:
        """Return a long field; one that may have been cut off is refused.

        Raises:
            BooksError: It is as long as a field can be.
        """
        text = self.fields.get(name, "")
        if len(text) >= MOST_LETTERS:
            raise BooksError(
                f"{name}: more than {MOST_LETTERS} letters: use `kwartier coop key add` for that"
            )
        return text


def tariff_draft(typed: Typed) -> Draft:
    """Return the tariff that was typed.

    Raises:
        InputError: A value is none; the message names it.
    """
    terms = TariffTerms(
        typed.amount("buy", ""),
        typed.amount("sell", ""),
        typed.amount("levy"),
        typed.amount("grid_sell"),
        typed.amount("fee_per_month"),
        typed.text("vat_code", "high"),
        typed.amount("reference"),
    )
    return _draft(typed, "tariff", Candidate(terms, _against(typed)))


def key_draft(typed: Typed, connections: Sequence[str]) -> Draft:
    """Return the key that was typed.

    Args:
        typed: The form.
        connections: Every connection there is, by name.

    Raises:
        InputError: A value is none; the message names it.
    """
    model = typed.text("battery")
    terms = KeyTerms(
        _definition(typed, connections),
        SelfRule(_one_of(typed, "self_rule", SelfRule)),
        Tie(_one_of(typed, "tie", Tie)),
        battery_model=BatteryModel(_one_of(typed, "battery", BatteryModel)) if model else None,
        efficiency=typed.amount("efficiency", "") if model else "",
    )
    return _draft(typed, "key", Candidate(terms, _against(typed)))


def decision_of(typed: Typed) -> Decision:
    """Return the decision that was typed; of its text the books keep the fingerprint.

    Raises:
        InputError: A value is none, or there is neither a text nor a fingerprint.
    """
    text = "\n".join(typed.whole("text").splitlines()).strip()
    fingerprint = typed.text("fingerprint").lower()
    if not text and not fingerprint:
        raise BooksError("text: paste what was decided, or give the SHA-256 of its file")
    voted = [typed.text(name, "0") for name in ("turnout", "eligible")]
    if not all(each.isdecimal() and len(each) < 8 for each in voted):
        raise BooksError("votes: write how many had a vote, and how many used it, as whole numbers")
    return Decision(
        typed.text("number"),
        DecisionKind(_one_of(typed, "kind", DecisionKind)),
        typed.text("title"),
        fingerprint or text_digest(text),
        _day(typed.text("decided")),
        int(voted[1]),
        int(voted[0]),
        Result(_one_of(typed, "result", Result)),
        _midnight(typed.text("from")),
    )


def tariff_form(body: Json) -> dict[str, str]:
    """Return the fields of the tariff that holds now, for a form to begin with."""
    terms = tariff_terms(body)
    return {name: getattr(terms, name) for name in PRICES} | {"vat_code": terms.vat_code}


def key_form(body: Json) -> dict[str, str]:
    """Return the fields of the key that holds now, for a form to begin with."""
    terms = key_terms(body)
    fields = {
        "self_rule": terms.self_rule.value,
        "tie": terms.tie.value,
        "battery": terms.battery_model.value if terms.battery_model else "",
        "efficiency": terms.efficiency,
    }
    definition = terms.definition if isinstance(terms.definition, dict) else {}
    if definition.get("type") == KeyType.SOLIDARITY:
        fields["part"] = str(definition.get("share", ""))
        fields["beneficiaries"] = _listed(definition.get("beneficiaries"))
        fields["solidarity"] = "yes"
        base = definition.get("base")
        definition = base if isinstance(base, dict) else {}
    fields["type"] = str(definition.get("type", KeyType.PROPORTIONAL.value))
    for name in ("rounds", "second", "within"):
        if isinstance(definition.get(name), str):
            fields[name] = str(definition[name])
    shares = definition.get("shares")
    if isinstance(shares, dict):
        fields["shares"] = "\n".join(f"{name} {part}" for name, part in shares.items())
    fields["participants"] = _listed(definition.get("participants"))
    tiers = definition.get("tiers")
    if isinstance(tiers, list):
        fields["tiers"] = "\n".join(_listed(tier, " ") for tier in tiers)
    return fields


def _definition(typed: Typed, connections: Sequence[str]) -> Json:
    kind = KeyType(_one_of(typed, "type", BASES))
    key = _BUILD[kind](typed, connections)
    if not typed.text("solidarity"):
        return key
    return {
        "type": KeyType.SOLIDARITY.value,
        "share": typed.amount("part", ""),
        "beneficiaries": [*typed.names("beneficiaries")],
        "base": key,
    }


def _proportional(_: Typed, __: Sequence[str]) -> dict[str, Json]:
    return {"type": KeyType.PROPORTIONAL.value}


def _equal(typed: Typed, connections: Sequence[str]) -> dict[str, Json]:
    named: list[Json] = [*(typed.names("participants") or connections)]
    rounds = typed.text("rounds", "single")
    return {"type": KeyType.EQUAL.value, "participants": named, "rounds": rounds}


def _static(typed: Typed, _: Sequence[str]) -> dict[str, Json]:
    rounds = typed.text("rounds", "single")
    return {"type": KeyType.STATIC.value, "shares": _shares(typed), "rounds": rounds}


def _hybrid(typed: Typed, _: Sequence[str]) -> dict[str, Json]:
    second = typed.text("second", "residual")
    return {"type": KeyType.HYBRID.value, "shares": _shares(typed), "second": second}


def _cascade(typed: Typed, _: Sequence[str]) -> dict[str, Json]:
    tiers: list[Json] = [
        [each for each in _SPLIT.split(line) if each] for line in typed.lines("tiers")
    ]
    within = typed.text("within", "proportional")
    return {"type": KeyType.CASCADE.value, "tiers": tiers, "within": within}


_BUILD = {
    KeyType.PROPORTIONAL: _proportional,
    KeyType.EQUAL: _equal,
    KeyType.STATIC: _static,
    KeyType.HYBRID: _hybrid,
    KeyType.CASCADE: _cascade,
}


def _shares(typed: Typed) -> dict[str, Json]:
    """Return a part for each name: one on a line, such as ``huis-1 0,25``."""
    shares: dict[str, Json] = {}
    for line in typed.lines("shares"):
        name, _, part = line.replace("=", " ").replace(":", " ").partition(" ")
        if name in shares:
            raise BooksError(f"shares: {name[:40]!r} stands there twice: name it once")
        shares[name] = part.strip().replace(",", ".")
    if not shares:
        raise NoSharesError
    return shares


def _listed(names: Json, between: str = "\n") -> str:
    return between.join(map(str, names)) if isinstance(names, list) else ""


def _draft(typed: Typed, what: str, candidate: Candidate) -> Draft:
    name = checked_name(typed.text("name"), what)
    return Draft(name, typed.text("decision"), _midnight(typed.text("from")), candidate)


def _against(typed: Typed) -> Against:
    return Against(_one_of(typed, "against", Against, Against.THEN.value))


def _one_of(typed: Typed, name: str, known: Iterable[str], default: str = "") -> str:
    text = typed.text(name, default)
    names = [str(each) for each in known]
    if text not in names:
        raise BooksError(f"{name} {text[:20]!r}: use one of {', '.join(names)}")
    return text


def day_start(text: str) -> EpochS:
    """Return the first instant of a day that was typed [s].

    Raises:
        BooksError: It is no day.
    """
    return _midnight(text)


def _midnight(text: str) -> EpochS:
    return local_day(_day(text))[0]


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 2000 <= day.year < 2100:
        raise BooksError(f"day {text[:20]!r}: write it as 2027-01-01")
    return day
