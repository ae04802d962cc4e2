"""Numbers as meters write them: exact, with a unit that may be missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hardware.obis import UNIT_FACTORS, Base

_NUMBER = re.compile(r"\s*(-?\d{1,12})(?:\.(\d{0,12}))?\s*\*?\s*([A-Za-z]*3?)\s*", re.ASCII)
_MOST_DIGITS = 12
_TENS = tuple(int("1" + "0" * power) for power in range(_MOST_DIGITS + 1))


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as sent, exactly: ``digits / 10 ** decimals`` in ``unit``."""

    digits: int
    decimals: int
    unit: str

    def whole(self, base: Base) -> int | None:
        """Return it in whole base units, cut off as a counter does, or None in a foreign unit."""
        return self.whole_in(UNIT_FACTORS[base])

    def whole_in(self, factors: Mapping[str, int]) -> int | None:
        """Return it in whole base units, by a table of ``hardware.obis.UNIT_FACTORS``."""
        factor = _factor(factors, self.unit, self.decimals)
        return None if factor is None else self.digits * factor // _TENS[self.decimals]

    def number(self, base: Base, per: int) -> float | None:
        """Return it for show in units of ``per`` base units, the nearest float there is."""
        factor = _factor(UNIT_FACTORS[base], self.unit, self.decimals)
        return None if factor is None else self.digits * factor / (per * _TENS[self.decimals])


def quantity_of(text: str) -> Quantity | None:
    """Return the number and unit of a value such as ``000123.456*kWh``, with or without ``*``."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    whole, decimals, unit = match[1], match[2] or "", match[3]
    return Quantity(int(whole + decimals), len(decimals), unit)


def whole_of(text: str, factors: Mapping[str, int]) -> int | None:
    """Return a value in whole base units, cut off, or None: no number, or a foreign unit.

    Args:
        text: Such as ``000123.456*kWh``; that usual shape needs no regular expression.
        factors: Base units in one unit, of ``hardware.obis.UNIT_FACTORS``.
    """
    number, _, unit = text.partition("*")
    whole, _, decimals = number.partition(".")
    digits = whole + decimals
    factor = factors.get(unit)
    if factor and whole and digits.isdecimal() and text.isascii() and len(number) <= _MOST_DIGITS:
        return int(digits) * factor // _TENS[len(decimals)]
    quantity = quantity_of(text)
    return None if quantity is None else quantity.whole_in(factors)


def count_of(text: str) -> int | None:
    """Return a plain count such as ``0003``, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _factor(factors: Mapping[str, int], unit: str, decimals: int) -> int | None:
    """Return base units in one unit; a number with three decimals and no unit is in thousands."""
    if unit or "" in factors:
        return factors.get(unit.lower())
    return factors.get("kwh", factors.get("kw")) if decimals == 3 else None
