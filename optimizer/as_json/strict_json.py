"""JSON read strictly: every value knows its place, and nothing is guessed or ignored."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from kwartier.errors import ContractError
from kwartier.interval import Quarter, epoch_s, parse_instant
from kwartier.units import EpochS, Wh, wh_from_kwh
from kwartier.wire import Json

MAX_TEXT = 64 * 1024 * 1024
"""The longest document that is read [characters]."""
MAX_NAME = 200
"""The longest name [characters]."""

_FRACTION = re.compile(r"[0-9]{1,1000}(?:/[0-9]{1,1000}|\.[0-9]{1,1000})?", re.ASCII)

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a document.

    Attributes:
        value: The value as it was parsed.
        place: Where it stands, such as ``readings.A.import``; empty for the whole document.
    """

    value: Json
    place: str = ""

    def wrong(self, why: str) -> ContractError:
        """Return the error that refuses this value: place, then why."""
        return ContractError(f"{self.place}: {why}" if self.place else why)

    def object(self, known: Collection[str], needed: Collection[str] = ()) -> dict[str, Part]:
        """Return the values of an object whose keys are known, or refuse it."""
        parts = self.names()
        for key in parts:
            if key not in known:
                raise self.wrong(f"key {key!r} is not known here: use {', '.join(known)}")
        for key in needed:
            if key not in parts:
                raise self.wrong(f"key {key!r} is missing: add it")
        return parts

    def told(self, known: Collection[str], needed: Collection[str] = ()) -> dict[str, Part]:
        """Return the same, without the keys that need not be there and are null."""
        parts = self.object(known, needed)
        return {key: part for key, part in parts.items() if part.value is not None or key in needed}

    def names(self) -> dict[str, Part]:
        """Return the values of an object whose keys are names, or refuse it."""
        if not isinstance(self.value, dict):
            raise self.wrong(f"{_shown(self.value)} is not an object in braces")
        for key in self.value:
            Part(key, self.place).name()
        return {key: Part(value, self._under(key)) for key, value in self.value.items()}

    def list(self) -> list[Part]:
        """Return the values of a list, or refuse it."""
        if not isinstance(self.value, list):
            raise self.wrong(f"{_shown(self.value)} is not a list in brackets")
        return [Part(value, f"{self.place}[{row}]") for row, value in enumerate(self.value)]

    def name(self) -> str:
        """Return a name, or refuse it."""
        name = self.value
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
            raise self.wrong(
                f"{_shown(name)} is no name: use a text of 1 to {MAX_NAME} printable characters"
            )
        return name

    def choice(self, choices: type[Choice]) -> Choice:
        """Return one of some words, or refuse it."""
        for one in choices:
            if self.value == one.value:
                return one
        raise self.wrong(f"{_shown(self.value)} is not known: use {_words(list(choices))}")

    def whole(self, low: int, high: int) -> int:
        """Return a whole number in a range, or refuse it."""
        if type(self.value) is not int or not low <= self.value <= high:
            raise self.wrong(f"{_shown(self.value)} is no whole number from {low} to {high}")
        return self.value

    def fraction(self, example: str) -> Fraction:
        """Return an exact number of 0 or more: a fraction or a decimal as text, or refuse it."""
        return self._exact(self.value, "exact number of 0 or more", example)

    def signed_fraction(self, example: str) -> Fraction:
        """Return an exact number of either sign, as text, or refuse it."""
        if isinstance(self.value, str) and self.value.startswith("-"):
            return -self._exact(self.value[1:], "exact number", example)
        return self._exact(self.value, "exact number", example)

    def quarter(self) -> Quarter:
        """Return the quarter-hour named by its start, or refuse it."""
        text = self.name()
        try:
            return Quarter.parse(text)
        except ContractError as error:
            raise self.wrong(str(error)) from error

    def day(self) -> date:
        """Return a calendar day, or refuse it."""
        try:
            return date.fromisoformat(self.name())
        except ValueError:
            raise self.wrong(f"{_shown(self.value)} is no day: write it as 2026-03-29") from None

    def instant_s(self) -> EpochS:
        """Return an instant of whole seconds written with its offset [s], or refuse it."""
        text = self.name()
        try:
            instant = parse_instant(text)
        except ContractError as error:
            raise self.wrong(str(error)) from error
        if instant.microsecond:
            raise self.wrong(f"{text!r} lies between two seconds: use a whole one")
        return epoch_s(instant)

    def energy_wh(self) -> Wh:
        """Return energy that is written as kWh text, or refuse it (C1)."""
        if not isinstance(self.value, str):
            raise self.wrong(
                f"{_shown(self.value)} is not text: write kWh between quotes, "
                'with at most three decimals, such as "0.250"'
            )
        try:
            return wh_from_kwh(self.value)
        except ContractError as error:
            raise self.wrong(str(error)) from error

    def _exact(self, digits: Json, kind: str, example: str) -> Fraction:
        """Return what some digits say exactly, or refuse this value as not of its kind."""
        if type(digits) is int and digits >= 0:
            return Fraction(digits)
        if not isinstance(digits, str) or _FRACTION.fullmatch(digits) is None:
            raise self.wrong(
                f"{_shown(self.value)} is no {kind}: use text, such as {json.dumps(example)}"
            )
        try:
            return Fraction(digits)
        except ZeroDivisionError:
            raise self.wrong(f"{_shown(self.value)} divides by zero") from None

    def _under(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key


def parsed(text: str) -> Part:
    """Return the document of a text.

    Raises:
        ContractError: It is too long, no JSON, or an object holds one key twice.
    """
    if len(text) > MAX_TEXT:
        raise ContractError(f"{len(text)} characters: at most {MAX_TEXT} are read")
    try:
        return Part(json.loads(text, object_pairs_hook=once))
    except json.JSONDecodeError as error:
        raise ContractError(
            f"line {error.lineno}, column {error.colno}: is no JSON: {error.msg}"
        ) from error
    except (RecursionError, ValueError) as error:
        raise no_json(error) from error


def no_json(error: Exception) -> ContractError:
    """Return the error that refuses a text that is too deep, or holds too long a number."""
    if isinstance(error, RecursionError):
        return ContractError("is no JSON that can be read: it is nested too deep")
    return ContractError("is no JSON that can be read: a number has thousands of digits")


def once(pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
    """Return the object of some keys with their values, or refuse it when a key stands twice."""
    read = dict(pairs)
    if len(read) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ContractError(f"key {twice!r} stands twice in one object: keep one")
    return read


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _words(choices: Sequence[StrEnum]) -> str:
    return ", ".join(f'"{choice.value}"' for choice in choices)
