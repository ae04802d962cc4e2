"""Words, numbers and times in the reader's language; each language is a folder of catalogues."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

from kwartier.interval import HOME_ZONE
from kwartier.units import EpochS, Watt, Wh

LANGUAGES = {"nl": "nl_NL", "en": "en_GB"}
"""The languages that are whole, and whose formats each uses."""
BEGUN = {"tr": "tr_TR", "ar": "ar", "pl": "pl_PL", "uk": "uk_UA"}
"""Languages in which the residents' pages are begun; what they lack is said in Dutch."""
SPOKEN = LANGUAGES | BEGUN
"""All languages one can choose."""
FIRST = "nl"
"""The language for whoever asks for none of them."""


class Language:
    """Speaks one language.

    Attributes:
        tag: Its name in HTML, such as ``nl``.
    """

    def __init__(self, tag: str, words: GNUTranslations) -> None:
        """Speak with these words and the formats of CLDR."""
        self.tag = tag
        self._words = words
        self._locale = Locale.parse(SPOKEN[tag])

    @property
    def direction(self) -> str:
        """``ltr``, or ``rtl`` for who reads from right to left."""
        return self._locale.text_direction

    @property
    def has_papers(self) -> bool:
        """Whether all pages and papers are in it, and not the residents' pages only."""
        return self.tag in LANGUAGES

    def knows(self, key: str) -> bool:
        """Return whether a key has words."""
        return self._words.gettext(key) != key

    def say(self, key: str, **values: object) -> str:
        """Return the words of a key, filled in; a key without words is a mistake of ours."""
        text = self._words.gettext(key)
        assert text != key, f"{key!r} has no words in {self.tag}"
        if self.direction == "rtl":
            return text.format(**{name: _apart(value) for name, value in values.items()})
        return text.format(**values)

    def count(self, key: str, n: int) -> str:
        """Return the words of a key for a number of things, as the language counts."""
        text = self._words.ngettext(key, key, n)
        assert text != key, f"{key!r} has no words in {self.tag}"
        return text.format(n=self.whole(n))

    def number(self, value: float | Decimal, decimals: int = 1) -> str:
        """Return a number with a fixed count of decimals; never ``-0``, and never no number."""
        exact = round(_finite(Decimal(str(value))), decimals)
        pattern = "#,##0." + "0" * decimals if decimals else "#,##0"
        told = abs(exact) if exact == 0 else exact
        return self._signed(format_decimal(told, pattern, self._locale))

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

    def axis_energy(self, energy_wh: Wh, top_wh: float) -> str:
        """Return a mark on an axis that reaches to ``top_wh``, in kWh with its unit."""
        decimals = 0 if energy_wh % 1000 == 0 else 1 if top_wh >= 1000 else 2
        return f"{self.kwh(energy_wh, decimals)} kWh"

    def euro(self, amount: Decimal) -> str:
        """Return an amount of money, rounded to the cent."""
        cents = round(_finite(amount), 2)
        return self._money(Fraction(cents), 2)

    def cents(self, cents: int) -> str:
        """Return an amount of money that is told in cents."""
        return self.euro(Decimal(cents) / 100)

    def exact_euro(self, amount: Fraction) -> str:
        """Return an amount with all its decimals, or with six and an ellipsis if they go on."""
        decimals = next((n for n in range(10) if (amount * 10**n).denominator == 1), None)
        if decimals is not None:
            return self._money(amount, max(2, decimals))
        cut = Fraction(int(amount * 10**6), 10**6)
        return re.sub(r"(\d)(?=\D*$)", "\\1\N{HORIZONTAL ELLIPSIS}", self._money(cut, 6))

    def clock(self, at_s: float) -> str:
        """Return the time of day in Amsterdam, such as ``16.30`` or ``16:30``."""
        text = datetime.fromtimestamp(at_s, UTC).astimezone(HOME_ZONE).strftime("%H:%M")
        return text.replace(":", ".") if self.tag == "nl" else text

    def moment(self, at_s: float) -> str:
        """Return date and time of day in Amsterdam, such as ``1 juli 13.50``."""
        day = datetime.fromtimestamp(at_s, UTC).astimezone(HOME_ZONE).date()
        return f"{format_date(day, 'd MMMM', self._locale)} {self.clock(at_s)}"

    def quarter_name(self, start_s: EpochS) -> str:
        """Return when a quarter starts; in the hour that comes twice, which of the two it is."""
        local = datetime.fromtimestamp(start_s, UTC).astimezone(HOME_ZONE)
        text = self.clock(start_s)
        if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
            return text
        return self.say("double.second" if local.fold else "double.first", time=text)

    def day_name(self, day: date) -> str:
        """Return a date in words, such as ``woensdag 1 juli``."""
        return format_date(day, self._ordered("EEEE", "MMMM"), self._locale)

    def month_name(self, day: date) -> str:
        """Return the month of a date with its year, such as ``juli 2026``."""
        return format_date(day, "LLLL y", self._locale)

    def short_day(self, day: date) -> str:
        """Return a date for a narrow table, such as ``wo 1 jul``."""
        return format_date(day, self._ordered("EEE", "MMM"), self._locale)

    def day_and_number(self, day: date) -> str:
        """Return a date for the narrowest table, such as ``wo 1``."""
        return format_date(day, "EEE d", self._locale)

    def full_date(self, day: date) -> str:
        """Return a date with its year, such as ``1 juli 2026``."""
        return format_date(day, "d MMMM y", self._locale)

    def short_date(self, day: date) -> str:
        """Return a date without its year, such as ``1 juli``."""
        return format_date(day, "d MMMM", self._locale)

    def short_weekday(self, day: date) -> str:
        """Return the name of a date's day in few letters, such as ``wo``."""
        return format_date(day, "EEE", self._locale)

    def short_month(self, day: date) -> str:
        """Return the name of a date's month in few letters, such as ``jul``."""
        return format_date(day, "LLL", self._locale).rstrip(".")

    def weekday(self, day: date) -> str:
        """Return the name of a date's day."""
        return format_date(day, "EEEE", self._locale)

    def _money(self, amount: Fraction, decimals: int) -> str:
        """Return an amount with a fixed count of decimals, which it has exactly."""
        scaled = Decimal(round(amount * 10**decimals)).scaleb(-decimals)
        pattern = self._locale.currency_formats["standard"].pattern
        # CLDR's narrow sign is the same everywhere; the usual one is EUR in some languages.
        wanted = pattern.replace("0.00", "0." + "0" * decimals).replace("\N{CURRENCY SIGN}", "€")
        return self._signed(
            format_currency(scaled, "EUR", wanted, locale=self._locale, currency_digits=False)
        )

    def _signed(self, text: str) -> str:
        """Return a number whose minus stays before it, also where words run from the right."""
        if self.direction == "ltr":
            return text
        return text.replace("-", "\N{LEFT-TO-RIGHT MARK}-")

    def _ordered(self, weekday: str, month: str) -> str:
        """Return the pattern of a day with its weekday, in the order of the language."""
        pattern = self._locale.datetime_skeletons["MMMEd"].pattern
        return re.sub("E+", weekday, re.sub("[LM]+", month, pattern))


@cache
def language(tag: str) -> Language:
    """Return one of the languages there are."""
    words = _catalogue(tag)
    if tag in BEGUN:
        words.add_fallback(_catalogue(FIRST))
    return Language(tag, words)


def catalogues(tag: str) -> dict[str, Catalog]:
    """Return a language's catalogues by their names, as they stand in ``words``."""
    folder = files("api.pages").joinpath("words", tag)
    found = sorted(each.name for each in folder.iterdir() if each.name.endswith(".po"))
    return {
        name.removesuffix(".po"): read_po(BytesIO(folder.joinpath(name).read_bytes()), locale=tag)
        for name in found
    }


def _apart(value: object) -> object:
    """Return a value whose parts keep their order among words that run from the right.

    Without it ``2026-10/1`` would read ``10/1-2026``. A link is left as it is: marks beside it
    would be taken for a part of it.
    """
    if not isinstance(value, str) or "://" in value:
        return value
    return f"\N{FIRST STRONG ISOLATE}{value}\N{POP DIRECTIONAL ISOLATE}"


def _finite(value: Decimal) -> Decimal:
    """Return a number; no number at all is a mistake of ours, and is never shown."""
    assert value.is_finite(), f"{value} is no number to show"
    return value


def _catalogue(tag: str) -> GNUTranslations:
    """Return all words of a language together; one key has its words in one place."""
    whole = Catalog(locale=tag)
    for name, part in catalogues(tag).items():
        for message in part:
            if message.id and message.string:
                assert message.id not in whole, f"{message.id!r} stands twice in {tag}: see {name}"
                whole.add(message.id, message.string)
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return GNUTranslations(compiled)


def chosen(
    asked: str | None, remembered: Sequence[str | None], accepted: str, *, whole: bool = False
) -> Language:
    """Return the language for a reader.

    Args:
        asked: The language in the address, or None.
        remembered: The languages chosen before, the nearest first; each empty where none was.
        accepted: The browser's ``Accept-Language``.
        whole: Whether the page is in the whole languages only; a reader of a language that
            is begun gets it in Dutch, all of it, and not half and half.
    """
    tag = next((tag for tag in (asked, *remembered) if tag in SPOKEN), None)
    if tag is None:
        wanted = [part.partition(";")[0].strip() for part in accepted[:200].split(",")]
        known = negotiate_locale([each for each in wanted if each], list(SPOKEN), sep="-")
        tag = known or FIRST
    return language(FIRST if whole and tag in BEGUN else tag)
