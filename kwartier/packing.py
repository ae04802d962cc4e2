"""The inside of a payload: JSON, deflated where that helps, and every part checked when read.

Whatever arrives, reading it ends in a value of the right kind or in a ``ContractError`` of bounded
length: sizes are checked before anything is inflated or parsed, numbers are whole and fit an
eight-byte float, texts are printable.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from itertools import accumulate
from typing import TypeAlias, TypeGuard

from kwartier.errors import ContractError

VERSION = 1
"""The version of every payload, in its key ``v`` and in the topic."""
MAX_PAYLOAD_BYTES = 64 * 1024
"""The most that travels in one message [bytes]."""
MAX_JSON_BYTES = 512 * 1024
"""The most it may inflate to [bytes]."""
MAX_TEXT = 200
LAST_INSTANT_S = 253_402_214_399
"""9999-12-30T23:59:59Z [s]: the last instant that a date can name in every zone."""
_MAX_INTEGER = 2**53
_DEFLATE_ABOVE_BYTES = 256
_DEFLATED = b"z"
_SERIES = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Column: TypeAlias = tuple[int | None, ...]


def plain(body: Mapping[str, Json]) -> bytes:
    """Return a body as JSON without blanks."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def packed(body: Mapping[str, Json]) -> bytes:
    """Return a body as JSON, deflated behind a ``z`` when it is long."""
    text = plain(body)
    if len(text) <= _DEFLATE_ABOVE_BYTES:
        return text
    return _DEFLATED + zlib.compress(text, 6)


def unpacked(payload: bytes) -> dict[str, Json]:
    """Return the JSON object of a payload, whatever its size claims to be.

    Raises:
        ContractError: It is too large, no JSON object, or of another version.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ContractError(f"payload of {len(payload)} bytes: at most {MAX_PAYLOAD_BYTES}")
    try:
        body = json.loads(_inflated(payload) if payload[:1] == _DEFLATED else payload)
    except (ValueError, zlib.error, RecursionError) as error:
        raise ContractError(f"payload is no JSON: {shown(error)}") from error
    if not isinstance(body, dict):
        raise ContractError("payload is no JSON object")
    if body.get("v") != VERSION:
        raise ContractError(f"payload version {shown(body.get('v'))}: {VERSION} is known here")
    return body


def differences(column: Column) -> list[Json]:
    """Return a column as its first value and the difference from row to row."""
    told: list[Json] = []
    before = 0
    for value in column:
        if value is None:
            told.append(None)
        else:
            told.append(value - before)
            before = value
    return told


def sums(name: str, column: Json, most: int) -> Column:
    """Return the column whose differences these are; the inverse of ``differences``."""
    if not isinstance(column, list) or len(column) > most:
        raise ContractError(f"block {name!r} must be a list of at most {most} numbers")
    if _is_whole(column):
        return _totals(name, column)
    steps = [step for step in column if type(step) is int]
    if len(steps) + column.count(None) != len(column):
        raise ContractError(f"block {name!r} holds something else than whole numbers")
    rest = iter(_totals(name, steps))
    return tuple(None if step is None else next(rest) for step in column)


def is_complete(column: Column) -> TypeGuard[tuple[int, ...]]:
    """Return whether a column has a value in every row."""
    return None not in column


def whole(value: Json, name: str) -> int:
    """Return a whole number that an eight-byte float can hold."""
    if type(value) is not int or not -_MAX_INTEGER <= value <= _MAX_INTEGER:
        raise ContractError(f"{name} must be a whole number, not {shown(value)}")
    return value


def integer(body: Mapping[str, Json], name: str, default: int | None = None) -> int:
    """Return a whole number of a body."""
    value = body.get(name, default)
    return whole(value, repr(name))


def positive(body: Mapping[str, Json], name: str) -> int:
    """Return a whole number from 1."""
    value = integer(body, name)
    if value < 1:
        raise ContractError(f"{name!r} must be 1 or more, not {value}")
    return value


def instant(body: Mapping[str, Json], name: str) -> int:
    """Return an instant [s] that a date can name."""
    value = integer(body, name)
    if not 0 <= value <= LAST_INSTANT_S:
        raise ContractError(f"{name!r} must be an instant from 1970 to 9999, not {value}")
    return value


def text(body: Mapping[str, Json], name: str) -> str:
    """Return a printable text; it may be empty."""
    value = body.get(name)
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise ContractError(f"{name!r} must be a printable text of at most {MAX_TEXT} characters")
    return value


def printable(value: str) -> str:
    """Return a text as ``text`` takes it: cut, with blanks for what cannot be printed."""
    return "".join(letter if letter.isprintable() else " " for letter in value[:MAX_TEXT])


def series_name(name: str) -> str:
    """Return the name of a series, whether or not this version knows it."""
    if _SERIES.fullmatch(name) is None:
        raise ContractError(f"series {shown(name)}: use 1 to 40 of a-z, 0-9 and '_'")
    return name


def choice(body: Mapping[str, Json], name: str, choices: list[str]) -> str:
    """Return one of some texts."""
    value = text(body, name)
    if value not in choices:
        raise ContractError(f"{name!r} is {value!r}: one of {', '.join(choices)} is known here")
    return value


def shown(value: object) -> str:
    """Return a value for a message, cut to what can be read."""
    told = str(value) if isinstance(value, Exception) else ascii(value)
    return told if len(told) <= 80 else told[:77] + "..."


def _is_whole(column: list[Json]) -> TypeGuard[list[int]]:
    return set(map(type, column)) <= {int}


def _totals(name: str, steps: list[int]) -> tuple[int, ...]:
    totals = tuple(accumulate(steps))
    if totals and not -_MAX_INTEGER <= min(totals) <= max(totals) <= _MAX_INTEGER:
        raise ContractError(f"block {name!r} leaves the range of whole numbers")
    return totals


def _inflated(payload: bytes) -> bytes:
    inflater = zlib.decompressobj()
    text = inflater.decompress(payload[1:], MAX_JSON_BYTES)
    if inflater.unconsumed_tail or not inflater.eof:
        raise ContractError(f"payload inflates past {MAX_JSON_BYTES} bytes or is cut off")
    return text
