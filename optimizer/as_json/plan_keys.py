"""The values of a planning problem in JSON, each read under its own name or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from kwartier.errors import InputError
from kwartier.wire import Json
from optimizer.model.neighbourhood import FloatArray, Limit
from optimizer.model.nonsense import MAX_STEPS

JsonObject: TypeAlias = "Mapping[str, Json]"

MAX_NAMES = 10_000
"""The longest list of names."""


def read_entries(
    top: JsonObject, key: str, known: tuple[str, ...], most: int
) -> list[tuple[str, JsonObject]]:
    """Return the objects of a list with their names; an absent list is empty.

    Raises:
        InputError: It is no list, too long, or an object has no name or an unknown key.
    """
    entries = top.get(key)
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise InputError(f"{key} is {kind_of(entries)}: give a list of objects")
    if len(entries) > most:
        raise InputError(f"{key} has {len(entries)} entries: at most {most} are planned together")
    found = []
    for place, entry in enumerate(entries):
        one = read_object(f"{key}[{place}]", entry, known)
        name = one.get("id")
        if not isinstance(name, str) or not 1 <= len(name) <= 100:
            raise InputError(
                f"{key}[{place}].id is {kind_of(name)}: give a name of 1 to 100 letters"
            )
        if not name.isprintable():
            raise InputError(
                f"{key}[{place}].id is {name!a}: give a name of letters that can be printed"
            )
        found.append((name, one))
    return found


def read_object(place: str, value: Json, known: tuple[str, ...]) -> JsonObject:
    """Return an object all of whose keys are known.

    Raises:
        InputError: It is none, or a key is not.
    """
    if not isinstance(value, dict):
        raise InputError(f"{place} is {kind_of(value)}: give an object with {', '.join(known)}")
    for key in value:
        if key not in known:
            raise InputError(
                f"{place} has an unknown key {key[:60]!r}: there are {', '.join(known)}"
            )
    return value


def read_number(place: str, body: JsonObject, key: str, default: float | None = None) -> float:
    """Return a finite number, or the default where it is absent.

    Raises:
        InputError: It is missing, or no finite number.
    """
    value = body.get(key)
    if value is None and default is not None:
        return default
    refuse_missing(place, body, key, "a number")
    return _finite(place + key, value)


def _finite(place: str, value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{place} is {kind_of(value)}: give a finite number")
    try:
        number = float(value)
    except OverflowError:
        number = np.inf
    if not np.isfinite(number):
        raise InputError(f"{place} is {number}: give a finite number")
    return number


def read_series(place: str, body: JsonObject, key: str) -> FloatArray:
    """Return a list of finite numbers.

    Raises:
        InputError: It is missing, empty, too long, or holds something else.
    """
    refuse_missing(place, body, key, "a list of numbers, one a step")
    values = body[key]
    if not isinstance(values, list):
        raise InputError(f"{place}{key} is {kind_of(values)}: give a list of numbers, one a step")
    if not 1 <= len(values) <= MAX_STEPS:
        raise InputError(
            f"{place}{key} has {len(values)} values: give one a step, 1 to {MAX_STEPS}"
        )
    return np.array([_finite(f"{place}{key}[{step}]", one) for step, one in enumerate(values)])


def read_limit(place: str, body: JsonObject, key: str, default: float | None = None) -> Limit:
    """Return a number or a list of them, or the default where it is absent.

    Raises:
        InputError: It is missing, or neither.
    """
    value = body.get(key)
    if value is None and default is not None:
        return default
    refuse_missing(place, body, key, "a number, or a list with one a step")
    return read_series(place, body, key) if isinstance(value, list) else _finite(place + key, value)


def read_step(place: str, body: JsonObject, key: str) -> int:
    """Return the number of a step.

    Raises:
        InputError: It is missing or no whole number.
    """
    refuse_missing(place, body, key, "the number of a step")
    value = body[key]
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_STEPS:
        raise InputError(f"{place}{key} is {kind_of(value)}: give the number of a step")
    return value


def read_name(place: str, body: JsonObject, key: str) -> str | None:
    """Return the name of something else, or None where it is absent.

    Raises:
        InputError: It is no name.
    """
    value = body.get(key)
    if value is None or (isinstance(value, str) and 1 <= len(value) <= 100):
        return value
    raise InputError(f"{place}{key} is {kind_of(value)}: give a name of 1 to 100 letters")


def read_names(place: str, body: JsonObject, key: str) -> list[str]:
    """Return a list of names; an absent list is empty.

    Raises:
        InputError: It is no list of names, or holds one twice.
    """
    values = body.get(key)
    if values is None:
        return []
    if not isinstance(values, list):
        raise InputError(f"{place}{key} is {kind_of(values)}: give a list of names")
    if len(values) > MAX_NAMES:
        raise InputError(f"{place}{key} has {len(values)} names: at most {MAX_NAMES}")
    names: list[str] = []
    for row, value in enumerate(values):
        if not isinstance(value, str):
            raise InputError(f"{place}{key}[{row}] is {kind_of(value)}: give a name")
        names.append(value)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{place}{key} has {twice[:60]!r} twice: give each once")
    return names


def read_flag(place: str, body: JsonObject, key: str) -> bool:
    """Return true or false; false where it is absent.

    Raises:
        InputError: It is neither.
    """
    value = body.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise InputError(f"{place}{key} is {kind_of(value)}: give true or false")
    return value


def refuse_missing(place: str, body: JsonObject, key: str, remedy: str) -> None:
    """Refuse an object without a key.

    Raises:
        InputError: The message says what to give.
    """
    if body.get(key) is None:
        raise InputError(f"{place}{key} is missing: give {remedy}")


def kind_of(value: Json) -> str:
    """Return what a value is, in words."""
    if value is None:
        return "missing"
    names = {bool: "true or false", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), f"the number {value!s:.40}")
