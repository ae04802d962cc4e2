"""Words, amounts and dates of papers in the member's language; each language is one file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from kwartier.units import Wh

LOCALES = {"nl": "nl_NL", "en": "en_GB"}
"""The languages there are, and whose formats each uses."""
FIRST = "nl"
"""The language of a member whose own one is not there."""
MOST_DECIMALS = 12
"""How many decimals a price is printed with at the most; beyond it the fraction is printed."""


class Wording:
    """Speaks one language on paper.

    Attributes:
        tag: Its name in a PDF, such as ``nl-NL``.
    """

    def __init__(self, language: str, words: Mapping[str, str]) -> None:
        """Speak with these words and the formats of CLDR."""
        self.tag = LOCALES[language].replace("_", "-")
        self._words = words
        self._locale = Locale.parse(LOCALES[language])

    def say(self, key: str, /, **values: object) -> str:
        """Return the words of a key, filled in; a key without words is a mistake of ours."""
        return self._words[key].format(**values)

    def knows(self, key: str) -> bool:
        """Return whether a key has words."""
        return key in self._words

    def euro(self, cents: int) -> str:
        """Return an amount, such as ``€ 6,14``."""
        return self._money(Decimal(cents).scaleb(-2), 2)

    def price(self, text: str) -> str:
        """Return an exact price with all its decimals, at least two."""
        return self.exact_euro(Fraction(text))

    def exact_euro(self, amount: Fraction) -> str:
        """Return an amount in euro with all its decimals, at least two."""
        decimals = _decimals(amount)
        if decimals is None:
            return f"€\N{NO-BREAK SPACE}{amount}"
        return self._money(_decimal(amount, decimals), max(2, decimals))

    def kwh(self, energy_wh: Wh) -> str:
        """Return energy to the watt-hour, with its unit."""
        number = format_decimal(Decimal(energy_wh).scaleb(-3), "#,##0.000", self._locale)
        return f"{number}\N{NO-BREAK SPACE}kWh"

    def kwh_number(self, energy_wh: Wh) -> str:
        """Return energy to the watt-hour, for a column whose head names the unit."""
        return str(format_decimal(Decimal(energy_wh).scaleb(-3), "#,##0.000", self._locale))

    def mark(self, energy_wh: Wh) -> str:
        """Return a round energy beside a chart in kWh, with no more decimals than it needs."""
        return str(format_decimal(Decimal(energy_wh).scaleb(-3), "#,##0.###", self._locale))

    def whole(self, value: int) -> str:
        """Return a whole number."""
        return str(format_decimal(value, "#,##0", self._locale))

    def percent(self, part: Fraction) -> str:
        """Return a part as percentage: whole where it is, else with one decimal, never 0 for some.

        A share that is there but rounds to nothing is told as less than a tenth.
        """
        of_hundred = part * 100
        if of_hundred.denominator == 1:
            return self.say("percent", n=self.whole(of_hundred.numerator))
        tenths = round(of_hundred * 10)
        less = "<\N{NO-BREAK SPACE}" if tenths == 0 else ""
        number = format_decimal(Decimal(max(1, tenths)).scaleb(-1), "#,##0.0", self._locale)
        return less + self.say("percent", n=number)

    def day(self, day: date) -> str:
        """Return a date in words, such as ``5 augustus 2026``."""
        return format_date(day, "d MMMM y", self._locale)

    def short_day(self, day: date) -> str:
        """Return a date for a table, such as ``wo 1 juli``; the year stands above it."""
        return format_date(day, "EEE d MMM", self._locale)

    def period(self, first: date, last: date) -> str:
        """Return ``juli 2026`` for a whole month, else from when until when."""
        whole_month = first.day == 1 and (last.toordinal() + 1) == _next_month(first).toordinal()
        if whole_month:
            return format_date(first, "MMMM y", self._locale)
        return self.say("period.between", first=self.day(first), last=self.day(last))

    def count(self, key: str, number: int) -> str:
        """Return ``key.one`` or ``key.other``, as the language counts."""
        return self.say(f"{key}.{self._locale.plural_form(number)}", n=self.whole(number))

    def _money(self, amount: Decimal, decimals: int) -> str:
        pattern = self._locale.currency_formats["standard"].pattern
        wanted = pattern.replace("0.00", "0." + "0" * decimals)
        told = abs(amount) if amount == 0 else amount
        return format_currency(told, "EUR", wanted, locale=self._locale, currency_digits=False)


@cache
def wording(language: str) -> Wording:
    """Return the words for a member's language, Dutch where there are none."""
    known = language if language in LOCALES else FIRST
    text = files("api.cooperative.papers").joinpath("words", f"{known}.toml").read_text("utf-8")
    return Wording(known, tomllib.loads(text))


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _decimals(amount: Fraction) -> int | None:
    """Return how many decimals an amount needs; None when they never end or are too many."""
    for decimals in range(MOST_DECIMALS + 1):
        if (amount * 10**decimals).denominator == 1:
            return decimals
    return None


def _decimal(amount: Fraction, decimals: int) -> Decimal:
    scaled = amount * 10**decimals
    return Decimal(scaled.numerator).scaleb(-decimals)
