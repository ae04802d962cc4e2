"""Values out of the JSON of a problem or a plan, each of the kind that must stand there."""

from __future__ import annotations

import math

from kwartier.wire import Json
from tests.optimizer.neighbourhood_problems import Document


def number(value: Json) -> float:
    assert isinstance(value, int | float)
    return float(value)


def number_of(part: Document, key: str, default: float | None = None) -> float:
    """Return a number of a part; the default where it is left out or null."""
    value = part.get(key)
    if value is None:
        assert default is not None, key
        return default
    return number(value)


def numbers(value: Json) -> list[float]:
    assert isinstance(value, list)
    return [number(one) for one in value]


def each(value: Json, steps: int) -> list[float]:
    """Return a value per step, of a list or of one number for all."""
    return numbers(value) if isinstance(value, list) else [number(value)] * steps


def or_infinite(value: Json) -> Json:
    return math.inf if value is None else value


def table(value: Json) -> Document:
    assert isinstance(value, dict)
    return value


def tables(whole: Document, key: str) -> list[Document]:
    values = whole.get(key) or []
    assert isinstance(values, list)
    return [table(one) for one in values]


def names(value: Json) -> list[str]:
    assert isinstance(value, list)
    return [str(one) for one in value]
