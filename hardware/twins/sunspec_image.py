"""Registers of a virtual SunSpec device, written by the same table that reads real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hardware.registers import words_of, words_of_text
from hardware.sunspec_models import Group, Point, models

MARKER = [0x5375, 0x6E53]
"""The letters ``SunS``."""
END = [0xFFFF, 0]
"""What stands behind the last model."""


def model_words(model: int, values: Mapping[str, int | str | None]) -> list[int]:
    """Return a model's registers, id and length first; what is not given is not implemented.

    Args:
        model: Its id; it must have no repeated groups, which stay empty.
        values: Raw numbers and texts by point name, before scaling.
    """
    group = models()[model]
    length = sum(member.size for member in _once(group)) - 2
    given = {**values, "ID": model, "L": length}
    return [
        word
        for member in _once(group)
        for point in member.points
        for word in point_words(point, given.get(point.name))
    ]


def device_words(parts: Sequence[Sequence[int]]) -> list[int]:
    """Return a whole device: the letters, its models in order, and the end marker."""
    return [*MARKER, *(word for part in parts for word in part), *END]


def point_words(point: Point, value: int | str | None) -> list[int]:
    """Return one point's registers; None becomes the type's code for not implemented."""
    if isinstance(value, str):
        return words_of_text(value, point.size)
    if value is None:
        return _absent(point)
    return words_of(value, point.size)


def watt_scale(most_w: int) -> int:
    """Return the power of ten with which a power fits a signed register."""
    exponent = 0
    while most_w > 32_000 * 10**exponent:
        exponent += 1
    return exponent


def _once(group: Group) -> list[Group]:
    inner = [part for member in group.groups if member.count is None for part in _once(member)]
    return [group, *inner]


def _absent(point: Point) -> list[int]:
    match point.type:
        case "int16" | "int32" | "int64" | "sunssf":
            return [0x8000] + [0] * (point.size - 1)
        case "float32" | "float64":
            return [0x7FC0] + [0] * (point.size - 1)
        case "acc16" | "acc32" | "acc64" | "string" | "ipaddr" | "ipv6addr":
            return [0] * point.size
        case _:
            return [0xFFFF] * point.size
