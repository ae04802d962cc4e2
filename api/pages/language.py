"""Words, numbers and times in the reader's language; each language is a folder of catalogues."""

from __future__ import annotations

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
BEGUN: dict[str, str] = {}
"""Languages in which the residents' pages are begun; what they lack is said in Dutch."""
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
        self._locale = Locale.parse((LANGUAGES | BEGUN)[tag])

    @property
    def direction(self) -> str:
        """``ltr``, or ``rtl`` for who reads from right to left."""
        return self._locale.text_direction

    def knows(self, key: str) -> bool:
        """Return whether a key has words."""
        return self._words.gettext(key) != key

    def say(self, key: str, **values: object) -> str:
        """Return the words of a key, filled in; a key without words is a mistake of ours."""
        text = self._words.gettext(key)
        assert text != key, f"{key!r} has no words in {self.tag}"
        return text.format(**values)

    def count(self, key: str, n: int) -> str:
        """Return the words of a key for a number of things, as the language counts."""
        text = self._words.ngettext(key, key, n)
        assert text != key, f"{key!r} has no words in {self.tag}"
        return text.format(n=self.whole(n))

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

    def axis_energy(self, energy_wh: Wh, top_wh: float) -> str:
        """Return a mark on an axis that reaches to ``top_wh``, in kWh with its unit."""
        decimals = 0 if energy_wh % 1000 == 0 else 1 if top_wh >= 1000 else 2
        return f"{self.kwh(energy_wh, decimals)} kWh"

    def euro(self, amount: Decimal) -> str:
        """Return an amount of money, rounded to the cent."""
        cents = round(amount, 2)
        return format_currency(abs(cents) if cents == 0 else cents, "EUR", locale=self._locale)

    def cents(self, cents: int) -> str:
        """Return an amount of money that is told in cents."""
        return self.euro(Decimal(cents) / 100)

    def exact_euro(self, amount: Fraction) -> str:
        """Return an amount with all its decimals, or with six and an ellipsis if they go on."""
        decimals = next((n for n in range(10) if (amount * 10**n).denominator == 1), None)
        if decimals is not None:
            return self._money(amount, max(2, decimals))
        cut = Fraction(int(amount * 10**6), 10**6)
        return f"{self._money(cut, 6)}\N{HORIZONTAL ELLIPSIS}"

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
        return format_date(day, "EEEE d MMMM", self._locale)

    def month_name(self, day: date) -> str:
        """Return the month of a date with its year, such as ``juli 2026``."""
        return format_date(day, "LLLL y", self._locale)

    def short_day(self, day: date) -> str:
        """Return a date for a narrow table, such as ``wo 1 jul``."""
        return format_date(day, "EEE d MMM", self._locale)

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
        return format_currency(
            scaled,
            "EUR",
            pattern.replace("0.00", "0." + "0" * decimals),
            locale=self._locale,
            currency_digits=False,
        )


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


def chosen(asked: str | None, remembered: str | None, accepted: str) -> Language:
    """Return the language for a reader.

    Args:
        asked: The language in the address, or None.
        remembered: The language in the cookie, or None.
        accepted: The browser's ``Accept-Language``.
    """
    spoken = LANGUAGES | BEGUN
    for tag in (asked, remembered):
        if tag in spoken:
            return language(tag)
    wanted = [part.partition(";")[0].strip() for part in accepted[:200].split(",")]
    return language(
        negotiate_locale([tag for tag in wanted if tag], list(spoken), sep="-") or FIRST
    )
