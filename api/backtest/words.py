"""What the page of a backtest says, in Dutch and English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

Language = Literal["nl", "en"]

POLICY_NAMES: Mapping[str, tuple[str, str]] = {
    "none": ("geen batterij", "no battery"),
    "self-use": ("eigen zon eerst", "own sun first"),
    "daily": ("plan per dag", "plan a day"),
    "daily-tracking": ("plan per dag, volgt meter", "plan a day, follows meter"),
    "rolling": ("plan per kwartier", "plan a quarter"),
    "tracking": ("plan, volgt meter", "plan, follows meter"),
    "exchange": ("plan, houdt uitwisseling", "plan, holds exchange"),
    "perfect": ("alles vooraf geweten", "all known before"),
    "scenarios": ("plan voor tien mogelijke dagen", "plan for ten possible days"),
    "cautious": ("plan dat dure dagen vreest", "plan that fears dear days"),
    "reserve": ("plan met ruimte bij grenzen", "plan with room at limits"),
    "bound": ("het minst mogelijke", "the least possible"),
}
"""Each way of steering in a few words, Dutch and English."""

_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Wat de batterij had bespaard", "What the battery would have saved"),
    "lead": (
        (
            "De wijk is kwartier voor kwartier nagespeeld, met alleen wat toen bekend was: prijzen "
            "van morgen vanaf 13 uur, en meters tot het laatste kwartier. Bedragen zijn een "
            "verwachting, geen rekening."
        ),
        (
            "The neighbourhood was played again quarter by quarter, with only what was known then: "
            "tomorrow's prices from 13:00, and meters up to the last quarter. Amounts are an "
            "estimate, not a bill."
        ),
    ),
    "days": ("{first} tot en met {last}", "{first} to {last}"),
    "homes": ("{count} aansluitingen", "{count} connections"),
    "battery": (
        "batterij van {kwh} kWh bruikbaar, {kw} kW",
        "battery of {kwh} kWh usable, {kw} kW",
    ),
    "shifted": (
        "Prijzen van {weeks} weken later, op dezelfde weekdag en tijd.",
        "Prices of {weeks} weeks later, on the same weekday and time.",
    ),
    "earlier": (
        "Prijzen van {weeks} weken eerder, op dezelfde weekdag en tijd.",
        "Prices of {weeks} weeks earlier, on the same weekday and time.",
    ),
    "own_time": ("Prijzen van de dagen zelf.", "Prices of the days themselves."),
    "no_price": (
        "Voor {count} kwartieren was er geen prijs: daar telt die van een dag eerder.",
        "For {count} quarters there was no price: that of a day earlier counts there.",
    ),
    "not_measured": (
        "{count} kwartieren zijn niet gemeten en tellen niet mee.",
        "{count} quarters were not measured and do not count.",
    ),
    "headline": (
        "{name}: {saving} bespaard, {part} van wat met alles vooraf geweten kon.",
        "{name}: {saving} saved, {part} of what could be with all known before.",
    ),
    "table": ("De manieren van sturen", "The ways of steering"),
    "way": ("manier", "way"),
    "cost": ("kosten", "cost"),
    "saving": ("bespaard", "saved"),
    "part": ("van perfect", "of perfect"),
    "peak": ("hoogste afname", "highest import"),
    "self_use": ("eigen zon benut", "own sun used"),
    "sufficiency": ("zelf gedekt", "self covered"),
    "cycles": ("keer leeg", "cycles"),
    "age": ("plan oud", "plan age"),
    "savings_plot": ("Bespaard in de hele tijd", "Saved in all"),
    "months_plot": ("Bespaard per maand", "Saved by month"),
    "day_plot": ("Een gemiddelde dag", "An average day"),
    "week_plot": (
        "De week met de grootste besparing: prijs",
        "The week that saved most: price",
    ),
    "stored_plot": ("Die week: in de batterij", "That week: in the battery"),
    "exchange_plot": ("Die week: van en naar het net", "That week: from and to the grid"),
    "peaks_plot": ("De hoogste kwartieren", "The highest quarters"),
    "eur": ("€", "€"),
    "price_axis": ("€ per kWh", "€ per kWh"),
    "kw": ("kW", "kW"),
    "kwh": ("kWh", "kWh"),
    "clock": ("uur van de dag", "hour of the day"),
    "month": ("maand", "month"),
    "date": ("dag", "day"),
    "rank": ("kwartieren, hoogste eerst", "quarters, highest first"),
    "use": ("gebruik", "use"),
    "sun": ("zon", "sun"),
    "buy": ("kopen", "buying"),
    "sell": ("verkopen", "selling"),
    "net_without": ("van het net, zonder batterij", "from the grid, no battery"),
    "net_with": ("van het net, {name}", "from the grid, {name}"),
    "foreseen": ("Wat werd voorzien", "What was foreseen"),
    "foreseen_use": (
        "Gebruik: {ahead} naast een dag vooruit, {hour} naast een uur vooruit.",
        "Use: {ahead} off a day ahead, {hour} off an hour ahead.",
    ),
    "foreseen_sun": (
        "Zon: {ahead} naast een dag vooruit, {hour} naast een uur vooruit.",
        "Sun: {ahead} off a day ahead, {hour} off an hour ahead.",
    ),
    "what_if": ("Wat als? ({name})", "What if? ({name})"),
    "change": ("anders", "changed"),
    "difference": ("verschil", "difference"),
    "hours": ("uur", "h"),
}

_MONTHS = (
    ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"],
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
)


def word(key: str, lang: Language, **values: str) -> str:
    """Return a text of the page."""
    return _WORDS[key][_column(lang)].format(**values)


def policy_name(name: str, lang: Language) -> str:
    """Return a way of steering in a few words."""
    return POLICY_NAMES[name][_column(lang)] if name in POLICY_NAMES else name


def number(value: float, lang: Language, digits: int = 0) -> str:
    """Return a number as people write it: 1.234,5 or 1,234.5."""
    text = f"{value:,.{digits}f}".replace("-", "\u2212")
    return text.translate(str.maketrans(",.", ".,")) if lang == "nl" else text


def euros(value: float, lang: Language, digits: int = 0) -> str:
    """Return an amount as people write it."""
    return f"€\u00a0{number(value, lang, digits)}"


def percent(part: float | None, lang: Language, digits: int = 0) -> str:
    """Return a part of a whole; a dash where there is none."""
    return "\u2013" if part is None else f"{number(100 * part, lang, digits)}\u00a0%"


def month_name(month: str, lang: Language) -> str:
    """Return a month of ``2016-05`` in three letters."""
    return _MONTHS[_column(lang)][int(month.split("-")[1]) - 1]


def day_name(day: date, lang: Language) -> str:
    """Return a day as people write it."""
    return f"{day.day} {_MONTHS[_column(lang)][day.month - 1]} {day.year}"


def _column(lang: Language) -> int:
    return 0 if lang == "nl" else 1
