"""A battery or a roof on a page: the form, what it says in words, what it does to the street."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from api.cooperative.errors import BooksError
from api.cooperative.whatif import (
    ASSUMED_BATTERY,
    MONTHS,
    BatteryTerms,
    Candidate,
    Draft,
    Replay,
    RoofTerms,
    StreetEffect,
    StreetSums,
    StreetTerms,
    street_terms,
)
from api.cooperative.whatif.roofs import ROOFS, USUAL_KWH_PER_KWP
from api.pages.language import Language
from api.pages.rules.forms import Typed, day_start
from api.pages.rules.words import Fact, percent
from kwartier.identity import checked_name
from kwartier.model import Community
from kwartier.wire import Json
from optimizer.as_json.strict_json import Part
from optimizer.settling.rounding import half_away_from_zero

BEGIN = {
    "efficiency": "0.9",
    "years": "15",
    "yield": str(USUAL_KWH_PER_KWP),
    "outside_sell": "0.05",
    "way": "beside",
}
"""What the form begins with."""


def street_form(community: Community) -> dict[str, str]:
    """Return what the form begins with in a street."""
    return {**BEGIN, "outside_buy": str(community.tariff.reference_eur_per_kwh)}


def street_draft(typed: Typed) -> Draft:
    """Return the battery and the roof that were typed.

    Raises:
        InputError: A value is none; the message names it.
    """
    terms = StreetTerms(
        _battery(typed) if typed.text("kwh") or typed.text("kw") else None,
        _roof(typed) if typed.text("home") or typed.text("kwp") else None,
        typed.amount("outside_buy", ""),
        typed.amount("outside_sell", ""),
    )
    name = checked_name(typed.text("name"), "proposal")
    return Draft(name, "", day_start(typed.text("from")), Candidate(terms))


def street_facts(body: Json, lang: Language) -> list[Fact]:
    """Return what is tried, line by line."""
    terms = street_terms(body)
    facts: list[Fact] = []
    if terms.battery is not None:
        one = terms.battery
        size = lang.say(
            "asset.battery.size", kwh=lang.kwh(one.capacity_wh), kw=lang.kw(one.power_w)
        )
        way = lang.say("asset.battery.instead" if one.instead else "asset.battery.beside")
        facts += [
            (lang.say("asset.battery"), size),
            (lang.say("asset.battery.way"), way),
            (lang.say("asset.battery.efficiency"), percent(one.round_trip, lang)),
            (lang.say("asset.battery.price"), lang.cents(one.price_cents)),
            (lang.say("asset.battery.years"), lang.count("asset.years", one.life_years)),
        ]
    if terms.roof is not None:
        roof = terms.roof
        size = lang.say("asset.roof.size", kw=lang.number(roof.peak_w / 1000), home=roof.connection)
        facts += [
            (lang.say("asset.roof"), size),
            (lang.say("asset.roof.yield"), f"{lang.whole(roof.year_kwh_per_kwp)} kWh"),
        ]
    for label, text in (
        (lang.say("asset.outside_buy"), terms.outside_buy),
        (lang.say("asset.outside_sell"), terms.outside_sell),
    ):
        price = lang.exact_euro(Fraction(text))
        facts.append((label, lang.say("rules.per_kwh", price=price)))
    return facts


def asset_facts(body: Mapping[str, Json], lang: Language) -> list[Fact]:
    """Return what a proposal of a battery or a roof says."""
    return street_facts(body.get("terms"), lang)


def street_lines(found: Replay, lang: Language) -> list[Fact]:
    """Return the street in both worlds; nothing where a tariff or a key was tried."""
    street = found.street
    if street is None:
        return []
    old, new = (_told(each, lang) for each in (street.old, street.new))
    return [
        (lang.say(f"asset.sum.{name}"), lang.say("asset.pair", old=old[name], new=new[name]))
        for name in old
    ]


def street_notes(found: Replay, lang: Language) -> list[str]:
    """Return what the figures rest on, a sentence each."""
    street = found.street
    if street is None:
        return []
    notes = [_payback(found, street, lang)]
    if len(found.months) < MONTHS:
        notes.append(lang.count("asset.scaled", len(found.months)))
    notes += [lang.say("asset.how"), lang.say("asset.bill")]
    if street.unagreed:
        notes.append(_assumed(street.unagreed, lang))
    if street.roof_by:
        notes.append(lang.say(f"asset.by.{street.roof_by}", kwh=lang.kwh(street.roof_wh, 0)))
        if street.roof_by != ROOFS or len(found.months) < MONTHS:
            notes.append(lang.say("asset.part"))
    if street.fixed_price:
        part = _part(1000 * street.fixed_price // street.quarters, lang)
        notes.append(lang.say("asset.fixed", part=part))
    if street.unread:
        notes.append(lang.count("asset.unread", street.unread))
    return notes


def own_settled(found: Replay, member: str, lang: Language) -> str:
    """Return how a member's own statements alone would change; empty without any."""
    street = found.street
    held = None if street is None else street.settled.get(member)
    if held is None:
        return ""
    return lang.say("asset.own", old=lang.cents(held[0]), new=lang.cents(held[1]))


def _told(sums: StreetSums, lang: Language) -> dict[str, str]:
    return {
        "cost": lang.cents(sums.cost_cents),
        "shared": lang.kwh(sums.shared_wh, 0),
        "kept": _part(sums.kept_permille, lang),
        "taken": lang.kwh(sums.taken_wh, 0),
        "given": lang.kwh(sums.given_wh, 0),
        "peak": lang.kw(sums.peak_w),
        "battery": lang.kwh(sums.battery_wh, 0),
    }


def _payback(found: Replay, street: StreetEffect, lang: Language) -> str:
    terms = street_terms(found.candidate.get("terms"))
    amount = lang.cents(abs(street.saved_cents))
    if street.saved_cents >= 0:
        told = lang.say("asset.saves", amount=amount)
    else:
        told = lang.say("asset.costs", amount=amount)
    battery = terms.battery
    if battery is None or terms.roof is not None:
        return told
    if street.payback_tenths is None:
        return f"{told} {lang.say('asset.payback.never')}"
    years = lang.number(street.payback_tenths / 10)
    life = lang.whole(battery.life_years)
    if street.payback_tenths <= 10 * battery.life_years:
        return f"{told} {lang.say('asset.payback', years=years, life=life)}"
    return f"{told} {lang.say('asset.payback.late', years=years, life=life)}"


def _assumed(months: int, lang: Language) -> str:
    """Return what was taken to hold of a battery in months in which nothing was agreed."""
    model = lang.say(f"rules.key.battery.{ASSUMED_BATTERY.model}")
    part = percent(str(ASSUMED_BATTERY.efficiency), lang)
    told = lang.say("asset.assumed", model=model, part=part)
    return f"{lang.count('asset.unagreed', months)} {told}"


def _battery(typed: Typed) -> BatteryTerms:
    return BatteryTerms(
        _thousandths(typed, "kwh", 1000),
        _thousandths(typed, "kw", 1000),
        typed.amount("efficiency", ""),
        _way(typed) == "instead",
        _thousandths(typed, "price", 100),
        _thousandths(typed, "years", 1),
    )


def _roof(typed: Typed) -> RoofTerms:
    return RoofTerms(
        checked_name(typed.text("home"), "roof: home"),
        _thousandths(typed, "kwp", 1000),
        _thousandths(typed, "yield", 1),
    )


def _way(typed: Typed) -> str:
    way = typed.text("way", "beside")
    if way not in ("beside", "instead"):
        raise BooksError(f"way {way[:20]!r}: use one of beside, instead")
    return way


def _thousandths(typed: Typed, name: str, unit: int) -> int:
    """Return what was typed in whole units, so many to one of what was typed."""
    told = Part(typed.amount(name, ""), name).fraction("12.5")
    return half_away_from_zero(min(told, Fraction(10**9)) * unit)


def _part(permille: int | None, lang: Language) -> str:
    return "\N{EN DASH}" if permille is None else percent(f"{permille}/1000", lang)
