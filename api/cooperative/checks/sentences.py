"""A finding as a sentence for the board, in Dutch and English."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime

from api.cooperative.checks.finding import Code, Fact, Finding
from api.cooperative.papers.wording import wording
from kwartier.interval import HOME_ZONE, Quarter
from kwartier.units import kwh_text

LANGUAGES = ("nl", "en")
"""The languages a finding speaks."""

SENTENCES: Mapping[tuple[Code, str], Mapping[str, str]] = {
    (Code.MISSING, "gap"): {
        "nl": "Bij {connection} ontbreken {missing} van {expected} kwartieren (aantal gaten: "
        "{gaps}). Het langste gat duurt {longest} kwartieren.",
        "en": "{missing} of {expected} quarter-hours of {connection} are missing (gaps: {gaps}). "
        "The longest gap lasts {longest} quarter-hours.",
    },
    (Code.MISSING, "estimated"): {
        "nl": "Bij {connection} zijn {estimated} kwartieren geschat.",
        "en": "{estimated} quarter-hours of {connection} are estimated.",
    },
    (Code.REGISTER, "went_back"): {
        "nl": "De meterstand ({register}) van meter {serial} bij {connection} liep terug van "
        "{before_wh} naar {after_wh} kWh. Is de meter vervangen, of is een stand verkeerd?",
        "en": "The {register} register of meter {serial} at {connection} went back from "
        "{before_wh} to {after_wh} kWh. Was the meter replaced, or is a reading wrong?",
    },
    (Code.REGISTER, "no_closing"): {
        "nl": "Meter {serial} bij {connection} is vervangen, maar de eindstand ({register}) "
        "ontbreekt.",
        "en": "Meter {serial} at {connection} was replaced, and its closing reading ({register}) "
        "is missing.",
    },
    (Code.REGISTER, "no_opening"): {
        "nl": "Meter {serial} bij {connection} is nieuw, maar de beginstand ({register}) "
        "ontbreekt.",
        "en": "Meter {serial} at {connection} is new, and its opening reading ({register}) is "
        "missing.",
    },
    (Code.REGISTER, "off_register"): {
        "nl": "De kwartieren ({register}) van {connection} zijn samen {quarters_wh} kWh, maar de "
        "meterstand steeg met {register_wh} kWh.",
        "en": "The quarter-hours ({register}) of {connection} add up to {quarters_wh} kWh, and "
        "the register rose by {register_wh} kWh.",
    },
    (Code.LIMIT, "above_limit"): {
        "nl": "{connection} ging in {quarters} kwartieren boven de aansluiting ({direction}): "
        "tot {highest_w} W, en {limit_w} W mag.",
        "en": "{connection} went above its connection in {quarters} quarter-hours ({direction}): "
        "up to {highest_w} W where {limit_w} W is allowed.",
    },
    (Code.SUM, "statements"): {
        "nl": "De afrekeningen zijn samen {members_wh} kWh ({what}), de wijk is {community_wh} "
        "kWh. Het verschil is {difference_wh} kWh.",
        "en": "The statements add up to {members_wh} kWh ({what}), the community to "
        "{community_wh} kWh. The difference is {difference_wh} kWh.",
    },
    (Code.SUM, "run"): {
        "nl": "De kwartieren zijn samen {members_wh} kWh ({what}), de wijk is {community_wh} kWh. "
        "Het verschil is {difference_wh} kWh.",
        "en": "The quarter-hours add up to {members_wh} kWh ({what}), the community to "
        "{community_wh} kWh. The difference is {difference_wh} kWh.",
    },
    (Code.SUM, "quarter"): {
        "nl": "In {quarters} kwartieren is gekocht niet gelijk aan verkocht plus batterij. "
        "Het verschil is {difference_wh} kWh.",
        "en": "In {quarters} quarter-hours what was bought is not what was sold plus the battery. "
        "The difference is {difference_wh} kWh.",
    },
    (Code.SUM, "later_claims"): {
        "nl": "De tegoeden in de batterij zijn nu {difference_wh} kWh anders dan waarmee {month} "
        "begon. Corrigeer ook, in deze volgorde: {months}.",
        "en": "Claims on the battery now differ by {difference_wh} kWh from those with which "
        "{month} began. Correct these too, in this order: {months}.",
    },
    (Code.ALLOCATION, "bought"): {
        "nl": "{connection} kreeg in {quarters} kwartieren {excess_wh} kWh meer toegedeeld dan er "
        "is gebruikt.",
        "en": "{connection} was allocated {excess_wh} kWh more than it used, in {quarters} "
        "quarter-hours.",
    },
    (Code.ALLOCATION, "sold"): {
        "nl": "Van {connection} is in {quarters} kwartieren {excess_wh} kWh meer gedeeld dan er "
        "is teruggeleverd.",
        "en": "{excess_wh} kWh more was shared of {connection} than it exported, in {quarters} "
        "quarter-hours.",
    },
    (Code.ALLOCATION, "supply"): {
        "nl": "In {quarters} kwartieren is {excess_wh} kWh meer toegedeeld dan er was.",
        "en": "In {quarters} quarter-hours {excess_wh} kWh more was allocated than there was.",
    },
    (Code.ALLOCATION, "battery"): {
        "nl": "In {quarters} kwartieren ging {excess_wh} kWh meer de batterij in of uit dan de "
        "batterijmeter telde.",
        "en": "In {quarters} quarter-hours {excess_wh} kWh more went into or out of the battery "
        "than its meter counted.",
    },
    (Code.SIGN, "turned"): {
        "nl": "Het gebruik van {connection} stijgt als de zon schijnt. Zijn afname ({import_wh} "
        "kWh) en teruglevering ({export_wh} kWh) verwisseld?",
        "en": "The use of {connection} rises when the sun shines. Are import ({import_wh} kWh) "
        "and export ({export_wh} kWh) swapped?",
    },
    (Code.LIKENESS, "twice"): {
        "nl": "{days} dagen ({direction}) van {connection} zijn precies gelijk aan die van "
        "{other}.",
        "en": "{days} days ({direction}) of {connection} are exactly those of {other}.",
    },
    (Code.LIKENESS, "repeated"): {
        "nl": "{days} dagen ({direction}) van {connection} zijn precies gelijk aan een eerdere "
        "dag van hetzelfde huis.",
        "en": "{days} days ({direction}) of {connection} are exactly an earlier day of the same "
        "home.",
    },
    (Code.LIKENESS, "hour_off"): {
        "nl": "{days} dagen ({direction}) van {connection} zijn die van {other}, een uur "
        "verschoven.",
        "en": "{days} days ({direction}) of {connection} are those of {other}, an hour off.",
    },
    (Code.LIKENESS, "shifted"): {
        "nl": "De zon van {connection} loopt {minutes} minuten {side} op die van de wijk. Loopt "
        "een klok verkeerd, of mist de zomertijd?",
        "en": "The sun of {connection} is {minutes} minutes {side} of the neighbourhood's. Is a "
        "clock wrong, or was summer time missed?",
    },
    (Code.IN_FORCE, "no_tariff"): {
        "nl": "In {quarters} kwartieren is er geen tarief.",
        "en": "No tariff is in force in {quarters} quarter-hours.",
    },
    (Code.IN_FORCE, "no_key"): {
        "nl": "In {quarters} kwartieren is er geen verdeelsleutel.",
        "en": "No sharing key is in force in {quarters} quarter-hours.",
    },
    (Code.IN_FORCE, "no_contract"): {
        "nl": "{connection} heeft in {quarters} kwartieren geen contract.",
        "en": "{connection} has no contract in {quarters} quarter-hours.",
    },
    (Code.MOVE, "moved_in"): {
        "nl": "{coming} kwam op {day} op {connection}. Klopt de datum?",
        "en": "{coming} moved in at {connection} on {day}. Is the date right?",
    },
    (Code.MOVE, "moved_out"): {
        "nl": "{leaving} ging op {day} weg van {connection}. Klopt de datum?",
        "en": "{leaving} moved out of {connection} on {day}. Is the date right?",
    },
    (Code.MOVE, "handed_over"): {
        "nl": "{connection} ging op {day} over van {leaving} naar {coming}. Klopt de datum?",
        "en": "{connection} passed from {leaving} to {coming} on {day}. Is the date right?",
    },
    (Code.HISTORY, "use"): {
        "nl": "{connection} telde {now_wh} kWh ({direction}). Gewoon is {usual_wh} kWh.",
        "en": "{connection} counted {now_wh} kWh ({direction}). Usual is {usual_wh} kWh.",
    },
    (Code.HISTORY, "amount"): {
        "nl": "Het bedrag van {member} is {to_pay_cents}. Boven {limit_cents} kijkt iemand mee.",
        "en": "The amount of {member} is {to_pay_cents}. Above {limit_cents} somebody looks at it.",
    },
}
"""One sentence for every kind of finding; names in braces are its facts."""

_WORDS = {
    "nl": {
        "import": "afname",
        "export": "teruglevering",
        "charge": "laden",
        "discharge": "ontladen",
        "bought": "gekocht",
        "sold": "verkocht",
        "to_battery": "naar de batterij",
        "ahead": "voor",
        "behind": "achter",
    },
    "en": {"to_battery": "to the battery"},
}


def sentence(finding: Finding, language: str = "nl") -> str:
    """Return what a finding says, in ``nl`` or ``en``; kWh, euros, days and months in words."""
    named = {"connection": finding.connection, "member": finding.member, **finding.facts}
    shown = {name: _shown(name, fact, language) for name, fact in named.items()}
    return SENTENCES[finding.code, finding.kind][language].format_map(shown)


def place_text(finding: Finding) -> str:
    """Return from when to when one should look, on the clock at home; empty without a place."""
    if finding.first is None or finding.last is None:
        return ""
    return f"{_clock(finding.first)} - {_clock(finding.last)}"


def _clock(quarter: Quarter) -> str:
    return datetime.fromtimestamp(quarter.start_s, HOME_ZONE).strftime("%Y-%m-%d %H:%M%z")


def _month(text: str, language: str) -> str:
    first = date.fromisoformat(f"{text}-01")
    last = first.replace(day=monthrange(first.year, first.month)[1])
    return wording(language).period(first, last)


def _shown(name: str, fact: Fact, language: str) -> str:
    if isinstance(fact, str):
        if name == "day":
            return wording(language).day(date.fromisoformat(fact))
        if name in ("month", "months"):
            return ", ".join(_month(each, language) for each in fact.split())
        return _WORDS[language].get(fact, fact)
    if name.endswith("_wh"):
        text = kwh_text(fact)
    elif name.endswith("_cents"):
        text = f"€ {'-' if fact < 0 else ''}{abs(fact) // 100}.{abs(fact) % 100:02d}"
    else:
        return str(fact)
    return text.replace(".", ",") if language == "nl" else text
