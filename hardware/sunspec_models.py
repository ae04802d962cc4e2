"""The SunSpec models: a table of points, read from ``sunspec_models.txt``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

REGISTERS = {
    "int16": 1,
    "uint16": 1,
    "count": 1,
    "acc16": 1,
    "enum16": 1,
    "bitfield16": 1,
    "pad": 1,
    "sunssf": 1,
    "int32": 2,
    "uint32": 2,
    "acc32": 2,
    "enum32": 2,
    "bitfield32": 2,
    "float32": 2,
    "ipaddr": 2,
    "int64": 4,
    "uint64": 4,
    "acc64": 4,
    "float64": 4,
    "eui48": 4,
    "ipv6addr": 8,
}
"""How many registers each type takes; ``string`` says so itself."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a model.

    Attributes:
        name: As the model names it, such as ``W``.
        type: As SunSpec names it, such as ``uint16``.
        size: Registers it takes.
        scale: The name of the point that holds its power of ten, that power itself, or nothing.
    """

    name: str
    type: str
    size: int
    scale: str | int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Points that stand together, and the groups that follow them.

    Attributes:
        name: As the model names it.
        points: In the order of their registers.
        groups: In the order of their registers, after the points.
        count: How often it stands there: once (None), as often as the named point says,
            or until the model's length is used up (the empty name).
    """

    name: str
    points: tuple[Point, ...]
    groups: tuple[Group, ...] = ()
    count: str | None = None

    def offset(self, point: str) -> int:
        """Return where a point of this group stands, counted from the group's first register.

        Raises:
            KeyError: The group has no such point.
        """
        place = 0
        for candidate in self.points:
            if candidate.name == point:
                return place
            place += candidate.size
        raise KeyError(point)

    def point(self, name: str) -> Point:
        """Return the point of a name.

        Raises:
            KeyError: The group has no such point.
        """
        for candidate in self.points:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    @property
    def size(self) -> int:
        """Registers that its own points take."""
        return sum(point.size for point in self.points)


@cache
def models() -> dict[int, Group]:
    """Return every model we know by its id; offsets count from the model's id register."""
    table = files("hardware").joinpath("sunspec_models.txt").read_text("utf-8")
    return dict(_parsed(table))


def _parsed(table: str) -> Iterator[tuple[int, Group]]:
    lines = (line for line in table.splitlines() if not line.startswith("#"))
    for chunk in "\n".join(lines).split("= ")[1:]:
        head, _, body = chunk.partition("\n")
        number, name = head.split()
        words = iter(["ID:uint16", "L:uint16", *body.split()])
        yield int(number), _group(name, None, words)


def _group(name: str, count: str | None, words: Iterator[str]) -> Group:
    points: list[Point] = []
    groups: list[Group] = []
    for word in words:
        if word == ")":
            break
        if word.endswith("("):
            inner, bracket, times = word[:-1].partition("[")
            groups.append(_group(inner, times.rstrip("]") if bracket else None, words))
        else:
            points.append(_point(word))
    return Group(name, tuple(points), tuple(groups), count)


def _point(word: str) -> Point:
    name, _, rest = word.partition(":")
    kind, _, scale = rest.partition("@")
    kind, star, size = kind.partition("*")
    power = int(scale) if scale.lstrip("-").isdigit() else scale or None
    return Point(name, kind, int(size) if star else REGISTERS[kind], power)
