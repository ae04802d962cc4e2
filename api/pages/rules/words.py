"""Rules in words: what a tariff or a key says, line by line, for people who decide on it."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from api.cooperative.whatif import key_terms, tariff_terms
from api.pages.language import Language
from kwartier.interval import day_of, epoch_s, parse_instant
from kwartier.units import EpochS
from kwartier.wire import Json

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_PART = re.compile(r"[0-9]+/[1-9][0-9]*", re.ASCII)
Fact = tuple[str, str]
"""A name and a value in words."""


def tariff_facts(body: Json, lang: Language) -> list[Fact]:
    """Return what a tariff says."""
    terms = tariff_terms(body)
    facts = [
        (lang.say(f"rules.tariff.{name}"), lang.say("rules.per_kwh", price=_price(text, lang)))
        for name, text in (("buy", terms.buy), ("sell", terms.sell), ("levy", terms.levy))
    ]
    if Fraction(terms.grid_sell):
        told = lang.say("rules.per_kwh", price=_price(terms.grid_sell, lang))
        facts.append((lang.say("rules.tariff.grid_sell"), told))
    fee = lang.say("rules.per_month", price=_price(terms.fee_per_month, lang))
    facts.append((lang.say("rules.tariff.fee_per_month"), fee))
    facts.append((lang.say("rules.tariff.vat_code"), vat_name(terms.vat_code, lang)))
    if Fraction(terms.reference):
        told = lang.say("rules.per_kwh", price=_price(terms.reference, lang))
        facts.append((lang.say("rules.tariff.reference"), told))
    return facts


def key_facts(body: Json, lang: Language) -> list[Fact]:
    """Return what a key says."""
    terms = key_terms(body)
    definition = terms.definition if isinstance(terms.definition, dict) else {}
    facts = [(lang.say("rules.key.type"), key_name(definition, lang))]
    facts += _definition_facts(definition, lang)
    facts.append((lang.say("rules.key.self"), lang.say(f"rules.key.self.{terms.self_rule}")))
    facts.append((lang.say("rules.key.tie"), lang.say(f"rules.key.tie.{terms.tie}")))
    battery = "none" if terms.battery_model is None else terms.battery_model.value
    facts.append((lang.say("rules.key.battery"), lang.say(f"rules.key.battery.{battery}")))
    if terms.efficiency:
        facts.append((lang.say("rules.key.efficiency"), percent(terms.efficiency, lang)))
    return facts


def key_name(definition: Json, lang: Language) -> str:
    """Return what kind of key it is, in a sentence."""
    kind = definition.get("type") if isinstance(definition, dict) else ""
    return lang.say(f"rules.key.type.{kind}")


def vat_name(code: str, lang: Language) -> str:
    """Return the name of a VAT code."""
    return lang.say(f"rules.vat.{code}") if lang.knows(f"rules.vat.{code}") else code


def percent(part: str, lang: Language, decimals: int | None = None) -> str:
    """Return an exact part such as ``21/100`` or ``0.9`` as per cent."""
    exact = Fraction(part) * 100
    places = decimals
    if places is None:
        places = next((n for n in range(3) if (exact * 10**n).denominator == 1), 2)
    return f"{lang.number(round(float(exact), places), places)} %"


def from_day(from_s: EpochS, lang: Language) -> str:
    """Return the local day on which something begins; what always held has none."""
    return lang.full_date(day_of(from_s)) if from_s > 0 else lang.say("rules.always")


def value_words(value: str, lang: Language) -> str:
    """Return the value of a rule of law: a yes, a number as people write it, or its own text."""
    if lang.knows(f"rules.value.is.{value}"):
        return lang.say(f"rules.value.is.{value}")
    if _NUMBER.fullmatch(value):
        return lang.number(Decimal(value), len(value.partition(".")[2]))
    return percent(value, lang) if _PART.fullmatch(value) else value or "\N{EN DASH}"


def from_text(body: Json, lang: Language) -> str:
    """Return the local day from which a body is to hold; empty where it does not say."""
    text = body.get("from") if isinstance(body, dict) else None
    return from_day(epoch_s(parse_instant(text)), lang) if isinstance(text, str) else ""


def _definition_facts(definition: dict[str, Json], lang: Language) -> list[Fact]:
    facts: list[Fact] = []
    for name in ("rounds", "second", "within"):
        if isinstance(definition.get(name), str):
            told = lang.say(f"rules.key.{name}.{definition[name]}")
            facts.append((lang.say(f"rules.key.{name}"), told))
    shares = definition.get("shares")
    if isinstance(shares, dict):
        named = ", ".join(f"{name}: {percent(str(part), lang)}" for name, part in shares.items())
        facts.append((lang.say("rules.key.shares"), named))
    for name in ("participants", "beneficiaries"):
        listed = definition.get(name)
        if isinstance(listed, list):
            facts.append((lang.say(f"rules.key.{name}"), ", ".join(map(str, listed))))
    tiers = definition.get("tiers")
    if isinstance(tiers, list):
        for place, tier in enumerate(tiers, 1):
            names = ", ".join(map(str, tier)) if isinstance(tier, list) else ""
            facts.append((lang.say("rules.key.tier", number=place), names))
    if "share" in definition:
        part = percent(str(definition["share"]), lang)
        facts.append((lang.say("rules.key.share"), part))
    base = definition.get("base")
    if isinstance(base, dict):
        facts.append((lang.say("rules.key.base"), key_name(base, lang)))
        facts += _definition_facts(base, lang)
    return facts


def _price(text: str, lang: Language) -> str:
    return lang.exact_euro(Fraction(text))
