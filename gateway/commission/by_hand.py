"""What somebody wrote in ``gateway.toml`` by hand stays when the installer's pages write it again.

The pages know some keys; those are theirs. Every other key, table and device is somebody's own: a
limit on what the connection gives, a fuse, a second meter, the door to the resident's own programs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from gateway.commission.device_settings import SMALLEST_W
from kwartier.settings import quoted

Row: TypeAlias = Mapping[str, object]

_OWN: Mapping[str, frozenset[str]] = {
    "": frozenset({"coop", "gateway", "commissioned_file"}),
    "broker": frozenset({"url", "ca_file", "certificate_file", "key_file"}),
    "identity": frozenset({"enrolled_folder", "server", "server_ca_file"}),
    "care": frozenset({"config_key_file", "slots", "trial_file"}),
}
_PLACE = frozenset({"device", "host", "port", "serial", "parity", "unit", "profile", "turned"})
_LIMITS = ("charge_max_w", "discharge_max_w")
_OWN_OF_ROWS: Mapping[str, frozenset[str]] = {
    "p1": frozenset({"device", "address", "line"}),
    "modbus": _PLACE,
    "battery": _PLACE | frozenset(_LIMITS),
}
_SERIAL_ONLY = frozenset({"baud", "stop_bits"})
_USUAL_NAME = {"p1": "p1", "battery": "battery"}
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def with_what_stood_there(text: str, before: str) -> str:
    """Return settings with all that stood there before and is none of the pages' own.

    Args:
        text: As the pages write it, TOML.
        before: What stands there, TOML.

    Raises:
        tomllib.TOMLDecodeError: ``before`` is none.
    """
    ours, old = tomllib.loads(text), tomllib.loads(before)
    merged = _merged(ours, old)
    if merged == ours:
        return text
    head = [line for line in text.splitlines() if line.startswith("#")]
    return "\n".join([*head, *_lines(merged)]) + "\n"


def _merged(ours: Row, old: Row) -> dict[str, object]:
    merged = {key: value for key, value in old.items() if key not in _OWN[""]} | dict(ours)
    names = {_name(kind, row) for kind in _OWN_OF_ROWS for row in _rows(ours, kind)}
    for key, own in _OWN.items():
        known = old.get(key)
        if key and isinstance(known, Mapping):
            now = ours.get(key)
            kept = {name: value for name, value in known.items() if name not in own}
            merged[key] = kept | dict(now if isinstance(now, Mapping) else {})
            if not merged[key]:
                del merged[key]
    for kind in _OWN_OF_ROWS:
        rows = _devices(kind, _rows(ours, kind), _rows(old, kind), names)
        if rows:
            merged[kind] = rows
        else:
            merged.pop(kind, None)
    return merged


def _devices(kind: str, ours: list[Row], old: list[Row], names: set[str]) -> list[Row]:
    """Return our devices with what else was said of them, and then those of somebody else."""
    rows: list[Row] = []
    left = list(old)
    for one in ours:
        known = _known(kind, one, left)
        if known is None:
            rows.append(one)
            continue
        left.remove(known)
        gone = _OWN_OF_ROWS[kind] | (_SERIAL_ONLY if "host" in one else frozenset())
        kept = {name: value for name, value in known.items() if name not in gone}
        if "device" in known:  # a name somebody gave it: its readings stand under that one
            kept["device"] = known["device"]
        rows.append({**one, **kept, **_lower(one, known)})
    return rows + [row for row in left if _name(kind, row) not in names]


def _known(kind: str, one: Row, old: list[Row]) -> Row | None:
    """Return what was said of a device: the one at its place, or else the one of its name."""
    at_place = (row for row in old if _is_at(kind, one, row))
    of_name = (row for row in old if _name(kind, one) == _name(kind, row))
    return next(at_place, None) or next(of_name, None)


def _is_at(kind: str, one: Row, other: Row) -> bool:
    where = ("address",) if kind == "p1" else ("host", "port", "serial", "unit")
    usual = {"port": 502, "unit": 1}
    return all(one.get(key, usual.get(key)) == other.get(key, usual.get(key)) for key in where)


def _lower(one: Row, known: Row) -> Row:
    """Return the limits that somebody set lower than the battery says it can."""
    found = {}
    for key in _LIMITS:
        now, was = one.get(key), known.get(key)
        if isinstance(now, int) and isinstance(was, int) and SMALLEST_W < was < now:
            found[key] = was
    return found


def _name(kind: str, row: Row) -> str:
    return str(row.get("device", _USUAL_NAME.get(kind, "")))


def _rows(values: Row, kind: str) -> list[Row]:
    rows = values.get(kind, [])
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _lines(values: Row) -> Iterator[str]:
    """Yield TOML: keys first, then tables, then tables that repeat."""
    for key, value in values.items():
        if not _is_table(value) and not _repeats(value):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from ("", f"[{_key(key)}]", *_pairs(value))
    for key, value in values.items():
        if isinstance(value, list) and _repeats(value):
            for row in value:
                yield from ("", f"[[{_key(key)}]]", *_pairs(row))


def _pairs(table: Row) -> Iterator[str]:
    for key, value in table.items():
        yield f"{_key(key)} = {_value(value)}"


def _value(value: object) -> str:
    match value:
        case str():
            return quoted(value)
        case bool():
            return "true" if value else "false"
        case list():
            return f"[{', '.join(_value(one) for one in value)}]"
        case Mapping():
            return f"{{ {', '.join(_pairs(value))} }}"
        case _:  # whole numbers, numbers, and instants
            return str(value)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _repeats(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_table, value))


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else quoted(key)
