"""A statement as plain values and back: one walk over its parts, whatever parts it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

from api.cooperative.statement import Statement
from kwartier.errors import ContractError
from kwartier.wire import Json

_KINDS: dict[type[object], dict[str, object]] = {}
"""The fields of each part and what they hold, worked out once."""


def plain_of(value: object) -> Json:
    """Return a part of a statement as JSON: days and fractions as text, parts as objects."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, tuple):
        return [plain_of(inner) for inner in value]
    assert is_dataclass(value), value
    return {part.name: plain_of(getattr(value, part.name)) for part in fields(value)}


def statement_of(body: Mapping[str, Json]) -> Statement:
    """Return the statement that plain values describe.

    Raises:
        ContractError: Something is missing, too many, or of another kind; the message says where.
    """
    made = _built(Statement, dict(body), "statement")
    assert isinstance(made, Statement)
    return made


def _built(kind: object, value: Json, place: str) -> object:
    """Return a value of a kind."""
    if get_origin(kind) in {Union, UnionType}:
        if value is None:
            return None
        (kind,) = (inner for inner in get_args(kind) if inner is not type(None))
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _wrong(place, value, "a list")
        inner = get_args(kind)[0]
        return tuple(_built(inner, one, f"{place}[{at}]") for at, one in enumerate(value))
    if kind is bool or kind is int:
        if type(value) is not kind:
            raise _wrong(place, value, "true or false" if kind is bool else "a whole number")
        return value
    if isinstance(kind, type) and is_dataclass(kind):
        return _part(kind, value, place)
    if not isinstance(value, str):
        raise _wrong(place, value, "text")
    return _from_text(kind, value, place)


def _part(kind: type[object], value: Json, place: str) -> object:
    if not isinstance(value, dict):
        raise _wrong(place, value, "an object")
    kinds = _kinds(kind)
    if value.keys() != kinds.keys():
        strange = sorted(value.keys() ^ kinds.keys())
        raise ContractError(f"{place}: missing or unknown: {', '.join(strange)}")
    return kind(**{name: _built(kinds[name], value[name], f"{place}.{name}") for name in kinds})


def _from_text(kind: object, value: str, place: str) -> object:
    if kind is str:
        return value
    try:
        if kind is date:
            return date.fromisoformat(value)
        if kind is Fraction:
            return Fraction(value)
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return kind(value)
    except (ValueError, ZeroDivisionError) as error:
        raise _wrong(place, value, "its kind") from error
    raise AssertionError(kind)


def _wrong(place: str, value: Json, wanted: str) -> ContractError:
    return ContractError(f"{place}: {str(value)[:60]!r} is not {wanted}")


def _kinds(kind: type[object]) -> dict[str, object]:
    if kind not in _KINDS:
        _KINDS[kind] = dict(get_type_hints(kind))
    return _KINDS[kind]
