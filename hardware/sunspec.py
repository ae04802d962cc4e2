"""SunSpec: which models a device holds, and what their points say.

A device that speaks SunSpec keeps the letters ``SunS`` at a fixed address; a chain of models
follows, each with its id and length, up to the id 0xFFFF. A model may stand there twice (a
meter behind an inverter brings a second Common model), so a device is a list, not a table.

Source:
    SunSpec Device Information Model Specification 1.1, sections 4 (types, not-implemented
    codes, scale factors) and 6 (discovery).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from hardware.registers import (
    MOST_PER_READ,
    Number,
    RegisterSource,
    RegistersRefusedError,
    Words,
    floating,
    scaled,
    signed,
    text,
    unsigned,
)
from hardware.sunspec_models import Group, models

BASES = (40000, 0, 50000)
"""Where the letters ``SunS`` may stand."""

PointValue: TypeAlias = "Number | str | Points | list[Points] | None"
"""A point's meaning with its scale applied; a group is a table, a repeated group a list."""
Points: TypeAlias = dict[str, PointValue]
"""Points and groups by name; None is what the device does not implement."""

_MARKER = (0x5375, 0x6E53)
_END = 0xFFFF
LARGEST_EXPONENT = 10
"""Scale factors are powers of ten from minus this to this; any other is none."""
_MOST_MODELS = 200
_MOST_REFUSALS = 64
"""How often a device may refuse parts of one model before the rest counts as not served."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one model stands.

    Attributes:
        id: Which model it is; not unique in a device.
        address: Of its id register.
        length: Registers after its id and length.
    """

    id: int
    address: int
    length: int


@dataclass(frozen=True, slots=True)
class Chain:
    """The models of one device, in order.

    Attributes:
        places: At least the Common model in a healthy device.
        ended: Whether the end marker was seen; some devices and all cut recordings lack it.
    """

    places: tuple[Place, ...]
    ended: bool

    def first(self, *ids: int) -> Place | None:
        """Return the first model that has one of these ids."""
        return next((place for place in self.places if place.id in ids), None)


@dataclass(frozen=True, slots=True)
class Model:
    """One model as it was read.

    Attributes:
        place: Where it stands.
        name: As SunSpec names it; None for a model that is not in our table.
        points: By name, scaled; empty for a model that is not in our table.
        whole: Whether the device served all of its registers.
    """

    place: Place
    name: str | None
    points: Points
    whole: bool

    def number(self, point: str) -> Number | None:
        """Return one top-level point as a number; None when it is missing."""
        value = self.points.get(point)
        return None if isinstance(value, (str, dict, list)) else value


def find_chain(source: RegisterSource) -> Chain | None:
    """Return the chain of models, or None where no base address holds ``SunS``.

    Raises:
        TemporaryError: The device cannot be reached, or is busy.
    """
    for base in BASES:
        if _is_marked(source, base):
            return _walk(source, base + 2)
    return None


def read_model(source: RegisterSource, place: Place) -> Model:
    """Return one model, read in as few requests as can be, each with its scale factors.

    A model of more than 125 registers takes several requests; in all of SunSpec's, the scale
    factors of the leading points stand within the first.

    Raises:
        TemporaryError: The device cannot be reached, or is busy.
    """
    words = _words(source, place.address, place.length + 2)
    whole = len(words) == place.length + 2 and None not in words
    group = models().get(place.id)
    if group is None:
        return Model(place, None, {}, whole)
    return Model(place, group.name, decode(group, place.length, words), whole)


def decode(group: Group, length: int, words: Sequence[int | None]) -> Points:
    """Return the points of a model from its registers, the id register first.

    Args:
        group: The model's table.
        length: Registers after its id and length, as the device states it.
        words: What was read; points that lie beyond it are None.
    """
    points, _ = _Decoder(words, length + 2).group(group, 0, {})
    return points


def raw_value(kind: str, words: Words) -> int | float | str | None:
    """Return what registers of a SunSpec type hold, unscaled; None for not implemented."""
    value = unsigned(words)
    ones = (1 << 16 * len(words)) - 1
    match kind:
        case "int16" | "int32" | "int64" | "sunssf":
            return None if value == 1 << (16 * len(words) - 1) else signed(words)
        case "acc16" | "acc32" | "acc64":
            return value or None
        case "float32" | "float64":
            number = floating(words)
            return number if math.isfinite(number) else None
        case "string":
            return text(words) if value else None
        case "ipaddr":
            return str(IPv4Address(value)) if value else None
        case "ipv6addr":
            return str(IPv6Address(value)) if value else None
        case "eui48":
            return None if value in (0, 0xFFFF_FFFF_FFFF, ones) else _eui48(value)
        case _:
            return None if value == ones else value


def every_point(points: Points, path: str = "") -> Iterator[tuple[str, Number | str | None]]:
    """Yield every point with its path, such as ``('Crv[0].Pt[1].V', Decimal('0.95'))``."""
    for name, value in points.items():
        if isinstance(value, dict):
            yield from every_point(value, f"{path}{name}.")
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                yield from every_point(inner, f"{path}{name}[{number}].")
        else:
            yield path + name, value


def _is_marked(source: RegisterSource, base: int) -> bool:
    try:
        return tuple(source.read(base, len(_MARKER))) == _MARKER
    except RegistersRefusedError:
        return False


def _walk(source: RegisterSource, address: int) -> Chain:
    places: list[Place] = []
    while len(places) < _MOST_MODELS:
        head = _words(source, address, 2)
        if head[:1] == [_END]:
            return Chain(tuple(places), ended=True)
        id_and_length = [word for word in head if word is not None]
        if len(id_and_length) < 2 or id_and_length[0] == 0:
            break
        model, length = id_and_length
        if address + 2 + length > 0x10000:
            break
        places.append(Place(model, address, length))
        address += 2 + length
    return Chain(tuple(places), ended=False)


def _words(source: RegisterSource, address: int, count: int) -> list[int | None]:
    """Return the registers, None where the device serves none; cut off where it serves no more.

    A stretch that is refused is halved until what is served has been found, within a bounded
    number of refusals; what is then still in doubt counts as not served.
    """
    words: list[int | None] = []
    refusals = _MOST_REFUSALS
    spans = [
        (start, min(MOST_PER_READ, address + count - start))
        for start in range(address, min(address + count, 0x10000), MOST_PER_READ)
    ][::-1]
    while spans:
        start, length = spans.pop()
        served = _served(source, start, min(length, 0x10000 - start)) if refusals else None
        if served is not None:
            words += served
            continue
        refusals = max(0, refusals - 1)
        if length == 1 or not refusals:
            words += [None] * length
        else:
            half = length // 2
            spans += [(start + half, length - half), (start, half)]
    while words and words[-1] is None:
        words.pop()
    return words


def _served(source: RegisterSource, address: int, count: int) -> Words | None:
    """Return registers, or None when the device refuses one of them."""
    try:
        return source.read(address, count)
    except RegistersRefusedError:
        return None


class _Decoder:
    """Reads points from one model's registers; nothing beyond ``limit`` is the model's.

    A scale factor that reads 0x8000, makes no sense or lies beyond what was read leaves its points
    without a value: what they mean cannot be told, and a device that starts up may fill it later.
    """

    def __init__(self, words: Sequence[int | None], limit: int) -> None:
        self._words = words[:limit]
        self._limit = limit

    def group(self, group: Group, at: int, outer: Mapping[str, int]) -> tuple[Points, int]:
        """Return a group's points, and where the registers after it begin."""
        raw: dict[str, Number | str | None] = {}
        scope = dict(outer)
        for point in group.points:
            words = [word for word in self._words[at : at + point.size] if word is not None]
            at += point.size
            served = len(words) == point.size
            value = raw[point.name] = raw_value(point.type, words) if served else None
            if isinstance(value, int):
                scope[point.name] = value
        points: Points = {
            point.name: _scaled(raw[point.name], point.scale, scope)
            for point in group.points
            if point.type != "pad"
        }
        for inner in group.groups:
            if inner.count is None:
                points[inner.name], at = self.group(inner, at, scope)
            else:
                points[inner.name], at = self._repeated(inner, at, scope)
        return points, at

    def _repeated(
        self, group: Group, at: int, scope: Mapping[str, int]
    ) -> tuple[list[Points], int]:
        times = scope.get(group.count, 0) if group.count else self._limit
        found: list[Points] = []
        while len(found) < times and group.size and at + group.size <= self._limit:
            points, at = self.group(group, at, scope)
            found.append(points)
        return found, at


def _scaled(
    value: Number | str | None, scale: str | int | None, scope: Mapping[str, int]
) -> Number | str | None:
    """Apply a scale factor; without one that was read and makes sense there is no value."""
    if scale is None or not isinstance(value, int):
        return value
    exponent = scale if isinstance(scale, int) else scope.get(scale)
    if exponent is None or abs(exponent) > LARGEST_EXPONENT:
        return None
    return scaled(value, exponent)


def _eui48(value: int) -> str:
    return ":".join(f"{byte:02X}" for byte in value.to_bytes(8, "big")[2:])
