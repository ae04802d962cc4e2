"""Words, numbers and times in the reader's language; each language is one file of words."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from kwartier.interval import HOME_ZONE
from kwartier.units import EpochS, Watt, Wh

LANGUAGES = {"nl": "nl_NL", "en": "en_GB"}
"""The languages there are, and whose formats each uses."""
FIRST = "nl"
"""The language for whoever asks for none of them."""


class Language:
    """Speaks one language.

    Attributes:
        tag: Its name in HTML, such as ``nl``.
    """

    def __init__(self, tag: str, words: Mapping[str, str]) -> None:
        """Speak with these words and the formats of CLDR."""
        self.tag = tag
        self._words = words
        self._locale = Locale.parse(LANGUAGES[tag])

    def say(self, key: str, **values: object) -> str:
        """Return the words of a key, filled in; a key without words is a mistake of ours."""
        return self._words[key].format(**values)

    def count(self, key: str, n: int) -> str:
        """Return ``key.one`` or ``key.other``, as the language counts."""
        return self.say(f"{key}.{self._locale.plural_form(n)}", n=self.whole(n))

    def number(self, value: float | Decimal, decimals: int = 1) -> str:
        """Return a number with a fixed count of decimals; never ``-0``."""
        exact = round(Decimal(str(value)), decimals)
        pattern = "#,##0." + "0" * decimals if decimals else "#,##0"
        told = abs(exact) if exact == 0 else exact
        return str(format_decimal(told, pattern, self._locale))

    def whole(self, value: int) -> str:
        """Return a whole number."""
        return self.number(value, 0)

    def kwh(self, energy_wh: Wh, decimals: int = 1) -> str:
        """Return energy in kWh, without the unit."""
        return self.number(Decimal(energy_wh) / 1000, decimals)

    def kw(self, power_w: Watt) -> str:
        """Return power in kW with one decimal, without the unit."""
        return self.number(Decimal(power_w) / 1000)

    def axis_power(self, power_w: Watt, top_w: Watt) -> str:
        """Return a mark on an axis that reaches to ``top_w``, with its unit."""
        if top_w < 1000:
            return f"{self.whole(power_w)} W"
        whole = power_w % 1000 == 0
        return f"{self.number(Decimal(power_w) / 1000, 0 if whole else 1)} kW"

    def euro(self, amount: Decimal) -> str:
        """Return an amount of money, rounded to the cent."""
        cents = round(amount, 2)
        return format_currency(abs(cents) if cents == 0 else cents, "EUR", locale=self._locale)

    def clock(self, at_s: float) -> str:
        """Return the time of day in Amsterdam, such as ``16.30`` or ``16:30``."""
        text = datetime.fromtimestamp(at_s, UTC).astimezone(HOME_ZONE).strftime("%H:%M")
        return text.replace(":", ".") if self.tag == "nl" else text

    def quarter_name(self, start_s: EpochS) -> str:
        """Return when a quarter starts; in the hour that comes twice, which of the two it is."""
        local = datetime.fromtimestamp(start_s, UTC).astimezone(HOME_ZONE)
        text = self.clock(start_s)
        if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
            return text
        return self.say("double.second" if local.fold else "double.first", time=text)

    def day_name(self, day: date) -> str:
        """Return a date in words, such as ``woensdag 1 juli``."""
        return format_date(day, "EEEE d MMMM", self._locale)

    def weekday(self, day: date) -> str:
        """Return the name of a date's day."""
        return format_date(day, "EEEE", self._locale)


@cache
def language(tag: str) -> Language:
    """Return one of the languages there are."""
    text = files("api.pages").joinpath("words", f"{tag}.toml").read_text("utf-8")
    return Language(tag, tomllib.loads(text))


def chosen(asked: str | None, remembered: str | None, accepted: str) -> Language:
    """Return the language for a reader.

    Args:
        asked: The language in the address, or None.
        remembered: The language in the cookie, or None.
        accepted: The browser's ``Accept-Language``.
    """
    for tag in (asked, remembered):
        if tag in LANGUAGES:
            return language(tag)
    wanted = [part.partition(";")[0].strip() for part in accepted[:200].split(",")]
    return language(
        negotiate_locale([tag for tag in wanted if tag], list(LANGUAGES), sep="-") or FIRST
    )
