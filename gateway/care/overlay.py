"""What may be changed from afar: addresses, profiles, intervals; no limit, no broker, no key.

The home's own file stays as it is. A wish is laid over it: a key that stands on the list below
takes the place of the home's, everything else stays the home's, and a key that does not stand on
the list refuses the whole wish. New keys of gateway.toml are therefore the home's until somebody
puts them on the list.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from kwartier.errors import InputError
from kwartier.packing import shown

Toml: TypeAlias = Mapping[str, object]

_LINE = ("host", "port", "serial", "baud", "parity", "stop_bits", "unit")
_PACE = ("timeout_s", "connect_wait_s", "gap_s", "release_after_poll")
_FROM_AFAR = {
    "p1": frozenset({"device", "address", "line"}),
    "modbus": frozenset({"device", "profile", "every_s", *_LINE, *_PACE}),
    "battery": frozenset({"device", *_LINE, *_PACE}),
}
_ALSO_FROM_AFAR = frozenset({"live_every_s"})
_USUAL_NAME = {"p1": "p1", "battery": "battery"}
_MOST_ROWS = 64


class NotFromAfarError(InputError):
    """A wish touches what only the home decides."""


def laid_over(home: Toml, changes: str) -> dict[str, object]:
    """Return the settings of a home with the changes of a wish.

    ``[[p1]]`` and ``[[modbus]]`` name every device that is to be read; a ``[[battery]]`` changes
    where the battery of that name is found, and none is added or left out.

    Args:
        home: The settings that stand in the home, as parsed.
        changes: TOML.

    Raises:
        InputError: It is no TOML, or not of this shape.
        NotFromAfarError: It touches what only the home decides.
    """
    wished = _parsed(changes)
    for key in wished:
        if key not in _FROM_AFAR and key not in _ALSO_FROM_AFAR:
            raise NotFromAfarError(f"{shown(key)} can only be changed in the home")
    merged = dict(home)
    for key, value in wished.items():
        merged[key] = value if key in _ALSO_FROM_AFAR else _rows(key, home, value)
    return merged


def devices_changed(before: Toml, after: Toml) -> set[str]:
    """Return the devices of ``after`` that were found or read in another way before."""
    old = dict(_named_rows(before))
    return {name for name, row in _named_rows(after) if old.get(name) != row}


def batteries_named(changes: str) -> list[dict[str, object]]:
    """Return a battery for each that a wish names, as a desk that knows no home imagines them.

    Raises:
        InputError: It is no TOML, or not of this shape.
    """
    rows = _tables("battery", _parsed(changes).get("battery"))
    return [{"device": _name("battery", row)} for row in rows]


def devices(settings: Toml, kind: str) -> set[str]:
    """Return the names of the devices of one kind, such as ``p1``."""
    return {_name(kind, row) for row in _tables(kind, settings.get(kind))}


def _rows(kind: str, home: Toml, value: object) -> list[dict[str, object]]:
    local = {_name(kind, row): row for row in _tables(kind, home.get(kind))}
    wished = _tables(kind, value)
    for place, row in enumerate(wished):
        for key in row:
            if key not in _FROM_AFAR[kind]:
                raise NotFromAfarError(
                    f"{kind}[{place}].{shown(key)[1:-1]} can only be changed in the home"
                )
    merged = [_row(kind, local.get(_name(kind, row), {}), row) for row in wished]
    if kind != "battery":
        _check_nothing_of_the_home_goes(kind, local, merged)
        return merged
    _check_batteries(local, merged)
    moved = {_name(kind, row): row for row in merged}
    return [dict(moved.get(name, row)) for name, row in local.items()]


def _row(kind: str, local: Toml, wished: Toml) -> dict[str, object]:
    kept = {key: value for key, value in local.items() if key not in _FROM_AFAR[kind]}
    if kind == "battery":
        kept = dict(local)
        if {"host", "serial"} & set(wished):
            kept = {key: value for key, value in local.items() if key not in _LINE}
    return {**kept, **wished}


def _check_nothing_of_the_home_goes(
    kind: str, local: Mapping[str, Toml], wished: list[dict[str, object]]
) -> None:
    """Refuse to leave out a device on which the home has put a key of its own, such as a fuse."""
    named = {_name(kind, row) for row in wished}
    for name, row in local.items():
        own = sorted(set(row) - _FROM_AFAR[kind])
        if own and name not in named:
            raise NotFromAfarError(
                f"{kind} {shown(name)} has {own[0]} of the home: it can only be left out there"
            )


def _check_batteries(local: Mapping[str, Toml], wished: list[dict[str, object]]) -> None:
    """Refuse another battery, and the limits of one battery laid upon another."""
    for row in wished:
        name = _name("battery", row)
        if name not in local:
            raise NotFromAfarError(
                f"battery {shown(name)} has no limits here: it can only be added in the home"
            )
        for other, theirs in local.items():
            if other != name and _place(theirs) == _place(row):
                raise NotFromAfarError(
                    f"battery {shown(name)} would take the place of {shown(other)}, whose limits "
                    "are others: it can only be changed in the home"
                )


def _place(row: Toml) -> tuple[object, ...]:
    usual = (("host", ""), ("serial", ""), ("port", 502), ("unit", 1))
    return tuple(row.get(key, value) for key, value in usual)


def _parsed(changes: str) -> dict[str, object]:
    try:
        return tomllib.loads(changes)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"the changes are no TOML: {shown(error)}") from error


def _tables(kind: str, value: object) -> list[dict[str, object]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise InputError(f"{kind} must be a list of tables [[{kind}]]")
    if len(value) > _MOST_ROWS:
        raise InputError(f"{kind} has {len(value)} tables: at most {_MOST_ROWS}")
    return value


def _name(kind: str, row: Toml) -> str:
    return str(row.get("device", _USUAL_NAME.get(kind, "")))


def _named_rows(settings: Toml) -> Iterator[tuple[str, Toml]]:
    for kind in _FROM_AFAR:
        for row in _tables(kind, settings.get(kind)):
            yield _name(kind, row), row
