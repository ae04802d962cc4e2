"""Reads a planning problem from JSON, strictly: what it does not know, it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from kwartier.errors import InputError
from kwartier.wire import Json
from optimizer.nonsense import MAX_STEPS
from optimizer.problem import Battery, FloatArray, Grid, Home, Limit, Problem, problem_of

JsonObject: TypeAlias = "Mapping[str, Json]"

MAX_HOMES = 10_000
MAX_BATTERIES = 10_000
_TOP = (
    "interval_hours", "buy_eur_per_kwh", "sell_eur_per_kwh", "homes", "batteries", "grid",
    "exclusive", "end_value_eur_per_kwh",
)  # fmt: skip
_HOME = ("id", "load_kw", "pv_kw", "pv_curtailable")
_BATTERY = (
    "id", "soc_min_kwh", "soc_max_kwh", "soc_start_kwh", "soc_end_kwh", "charge_max_kw",
    "discharge_max_kw", "charge_efficiency", "discharge_efficiency", "wear_eur_per_kwh",
    "end_value_eur_per_kwh",
)  # fmt: skip
_GRID = ("import_limit_kw", "export_limit_kw", "peak_price_eur_per_kw")


def problem_from_json(body: Json) -> Problem:
    """Return the problem of a JSON object, as CONTRACTS section 4 describes it.

    A key that may be left out may also be null. ``end_value_eur_per_kwh`` stands with a battery,
    or at the top for all batteries that do not name their own.

    Raises:
        InputError: A key is missing, unknown, of the wrong kind or length, or its value makes no
            sense; the message names the key and the remedy.
    """
    top = _object("the problem", body, _TOP)
    buy = _series("", top, "buy_eur_per_kwh")
    end_value = _number("", top, "end_value_eur_per_kwh", 0.0)
    homes = _entries(top, "homes", _HOME, MAX_HOMES)
    batteries = _entries(top, "batteries", _BATTERY, MAX_BATTERIES)
    grid = top.get("grid")
    return problem_of(
        _number("", top, "interval_hours"),
        buy,
        _series("", top, "sell_eur_per_kwh"),
        [_home(name, home) for name, home in homes],
        [_battery(name, battery, end_value) for name, battery in batteries],
        None if grid is None else _grid(_object("grid", grid, _GRID)),
        exclusive=_flag("", top, "exclusive"),
    )


def _home(name: str, home: JsonObject) -> Home:
    place = f"homes.{name}."
    return Home(
        name,
        _series(place, home, "load_kw"),
        None if home.get("pv_kw") is None else _series(place, home, "pv_kw"),
        _flag(place, home, "pv_curtailable"),
    )


def _battery(name: str, battery: JsonObject, end_value: float) -> Battery:
    place = f"batteries.{name}."
    end = battery.get("soc_end_kwh")
    return Battery(
        id=name,
        soc_min_kwh=_limit(place, battery, "soc_min_kwh"),
        soc_max_kwh=_limit(place, battery, "soc_max_kwh"),
        soc_start_kwh=_number(place, battery, "soc_start_kwh"),
        charge_max_kw=_limit(place, battery, "charge_max_kw"),
        discharge_max_kw=_limit(place, battery, "discharge_max_kw"),
        charge_efficiency=_number(place, battery, "charge_efficiency"),
        discharge_efficiency=_number(place, battery, "discharge_efficiency"),
        soc_end_kwh=None if end is None else _number(place, battery, "soc_end_kwh"),
        end_value_eur_per_kwh=_number(place, battery, "end_value_eur_per_kwh", end_value),
        wear_eur_per_kwh=_number(place, battery, "wear_eur_per_kwh", 0.0),
    )


def _grid(grid: JsonObject) -> Grid:
    return Grid(
        _limit("grid.", grid, "import_limit_kw", np.inf),
        _limit("grid.", grid, "export_limit_kw", np.inf),
        _number("grid.", grid, "peak_price_eur_per_kw", 0.0),
    )


def _entries(
    top: JsonObject, key: str, known: tuple[str, ...], most: int
) -> list[tuple[str, JsonObject]]:
    entries = top.get(key)
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise InputError(f"{key} is {_kind(entries)}: give a list of objects")
    if len(entries) > most:
        raise InputError(f"{key} has {len(entries)} entries: at most {most} are planned together")
    found = []
    for place, entry in enumerate(entries):
        one = _object(f"{key}[{place}]", entry, known)
        name = one.get("id")
        if not isinstance(name, str) or not 1 <= len(name) <= 100:
            raise InputError(f"{key}[{place}].id is {_kind(name)}: give a name of 1 to 100 letters")
        found.append((name, one))
    return found


def _object(place: str, value: Json, known: tuple[str, ...]) -> JsonObject:
    if not isinstance(value, dict):
        raise InputError(f"{place} is {_kind(value)}: give an object with {', '.join(known)}")
    for key in value:
        if key not in known:
            raise InputError(
                f"{place} has an unknown key {key[:60]!r}: there are {', '.join(known)}"
            )
    return value


def _number(place: str, body: JsonObject, key: str, default: float | None = None) -> float:
    value = body.get(key)
    if value is None and default is not None:
        return default
    _refuse_missing(place, body, key, "a number")
    return _finite(place + key, value)


def _finite(place: str, value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{place} is {_kind(value)}: give a finite number")
    try:
        number = float(value)
    except OverflowError:
        number = np.inf
    if not np.isfinite(number):
        raise InputError(f"{place} is {number}: give a finite number")
    return number


def _series(place: str, body: JsonObject, key: str) -> FloatArray:
    _refuse_missing(place, body, key, "a list of numbers, one a step")
    values = body[key]
    if not isinstance(values, list):
        raise InputError(f"{place}{key} is {_kind(values)}: give a list of numbers, one a step")
    if not 1 <= len(values) <= MAX_STEPS:
        raise InputError(
            f"{place}{key} has {len(values)} values: give one a step, 1 to {MAX_STEPS}"
        )
    return np.array([_finite(f"{place}{key}[{step}]", one) for step, one in enumerate(values)])


def _limit(place: str, body: JsonObject, key: str, default: float | None = None) -> Limit:
    value = body.get(key)
    if value is None and default is not None:
        return default
    _refuse_missing(place, body, key, "a number, or a list with one a step")
    return _series(place, body, key) if isinstance(value, list) else _finite(place + key, value)


def _flag(place: str, body: JsonObject, key: str) -> bool:
    value = body.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise InputError(f"{place}{key} is {_kind(value)}: give true or false")
    return value


def _refuse_missing(place: str, body: JsonObject, key: str, remedy: str) -> None:
    if body.get(key) is None:
        raise InputError(f"{place}{key} is missing: give {remedy}")


def _kind(value: Json) -> str:
    if value is None:
        return "missing"
    names = {bool: "true or false", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), f"the number {value!s:.40}")
