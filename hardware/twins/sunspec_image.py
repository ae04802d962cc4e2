"""Registers of a virtual SunSpec device, written by the same table that reads real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hardware.registers import signed, unsigned, words_of, words_of_text
from hardware.sunspec_models import Group, Point, models

MARKER = [0x5375, 0x6E53]
"""The letters ``SunS``."""
END = [0xFFFF, 0]
"""What stands behind the last model."""


class ModelRegisters:
    """The registers of one model, whose points can be set one by one.

    Attributes:
        words: Its registers, id and length first.
    """

    def __init__(self, model: int, values: Mapping[str, int | str | None]) -> None:
        """Set raw numbers and texts by point name, before scaling.

        What is not given is not implemented. A point of a group that stands there once goes by
        its path, such as ``PFWInj.PF``; repeated groups stay empty.
        """
        group = models()[model]
        self._points: dict[str, tuple[int, Point]] = {}
        offset = 0
        for name, point in _once(group):
            self._points[name] = (offset, point)
            offset += point.size
        given = {**values, "ID": model, "L": offset - 2}
        self.words = [
            word
            for name, (_, point) in self._points.items()
            for word in point_words(point, given.get(name))
        ]

    def put(self, point: str, value: int | str | None) -> None:
        """Set one point to a raw number or a text; None is not implemented."""
        offset, found = self._points[point]
        self.words[offset : offset + found.size] = point_words(found, value)

    def number(self, point: str) -> int:
        """Return the raw number a point holds."""
        offset, found = self._points[point]
        words = self.words[offset : offset + found.size]
        return signed(words) if found.type.startswith(("int", "sunssf")) else unsigned(words)


def model_words(model: int, values: Mapping[str, int | str | None]) -> list[int]:
    """Return a model's registers, as ``ModelRegisters`` sets them."""
    return ModelRegisters(model, values).words


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


def _once(group: Group, path: str = "") -> Iterator[tuple[str, Point]]:
    for point in group.points:
        yield path + point.name, point
    for member in group.groups:
        if member.count is None:
            yield from _once(member, f"{path}{member.name}.")


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
