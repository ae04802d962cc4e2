"""One power split over many: from what each one does anyway, all move alike until one can no more.

Whoever has twice the room moves twice as far. That is the split with the least sum of
``move ** 2 / weight``, found without a solver: by filling, in whole watts, and the parts add up to
the whole exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kwartier.units import Watt


@dataclass(frozen=True, slots=True)
class Part:
    """One that takes a part.

    Attributes:
        name: Decides who takes an odd watt among those that are alike.
        base_w: What it does where nothing has to be split; put inside its bounds first [W].
        least_w: The least it can do [W].
        most_w: The most it can do; not below ``least_w`` [W].
        weight: How far it moves compared with the others; at least 1.
    """

    name: str
    base_w: Watt
    least_w: Watt
    most_w: Watt
    weight: int = 1


def split(total_w: Watt, parts: Sequence[Part]) -> dict[str, Watt]:
    """Return what each one does, by name [W].

    The sum is ``total_w``, or as near to it as the bounds allow. The order of ``parts`` is of no
    matter.
    """
    done_w = {part.name: min(max(part.base_w, part.least_w), part.most_w) for part in parts}
    need_w = total_w - sum(done_w.values())
    if need_w == 0:
        return done_w
    sign = 1 if need_w > 0 else -1
    rooms = [
        (part.most_w - done_w[part.name] if sign > 0 else done_w[part.name] - part.least_w, part)
        for part in parts
    ]
    for name, move_w in _filled(abs(need_w), rooms).items():
        done_w[name] += sign * move_w
    return done_w


def _filled(need_w: Watt, rooms: Sequence[tuple[Watt, Part]]) -> dict[str, Watt]:
    """Return how far each one moves: in proportion to its weight, but for those at their end."""
    waiting = sorted(rooms, key=lambda one: (one[0] / one[1].weight, one[1].name))
    weights = sum(part.weight for _, part in waiting)
    moved_w: dict[str, Watt] = {}
    place = 0
    for room_w, part in waiting:
        if room_w * weights > need_w * part.weight:
            break
        moved_w[part.name] = room_w
        need_w -= room_w
        weights -= part.weight
        place += 1
    free = waiting[place:]
    for _, part in free:
        moved_w[part.name] = need_w * part.weight // weights
    odd_w = need_w - sum(moved_w[part.name] for _, part in free) if free else 0
    if odd_w:
        free.sort(key=lambda one: (-(need_w * one[1].weight % weights), one[1].name))
        able = [part.name for room_w, part in free if moved_w[part.name] < room_w]
        for name in able[:odd_w]:
            moved_w[name] += 1
    return moved_w
