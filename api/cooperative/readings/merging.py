"""What becomes of a day when more is told about it: the better known quarter stays.

A measurement is never replaced by an estimate. Among equals the grid operator's validated value
goes before the one read at home, and what a person wrote with a reason goes before all.
"""

from __future__ import annotations

from dataclasses import dataclass

from api.cooperative.readings.days import (
    ESTIMATED,
    MISSING,
    ORIGINS,
    DayValues,
    Source,
    origins_of,
)

_RANK = {
    (MISSING, MISSING): 0,
    (ORIGINS[Source.P1], ESTIMATED): 1,
    (ORIGINS[Source.ESTIMATE], ESTIMATED): 2,
    (ORIGINS[Source.P4], ESTIMATED): 3,
    (ORIGINS[Source.P1], "m"): 4,
    (ORIGINS[Source.P4], "m"): 5,
    (ORIGINS[Source.MANUAL], ESTIMATED): 6,
    (ORIGINS[Source.MANUAL], "m"): 6,
}
"""How much a quarter is believed, by origin and quality."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A day after something was told about it.

    Attributes:
        values: The day as it is believed now.
        changed: Places whose energy, quality or origin is new.
        made_final: Places that were missing or estimated and are measured now.
        kept: Places where a better known value stayed and was another one.
    """

    values: DayValues
    changed: tuple[int, ...]
    made_final: tuple[int, ...]
    kept: tuple[int, ...]


def merged(known: DayValues | None, told: DayValues) -> Merged:
    """Return a day after it was told again, whole or in part; missing in it tells nothing."""
    if known is None:
        places = tuple(place for place, letter in enumerate(told.quality) if letter != MISSING)
        final = tuple(place for place in places if told.quality[place] == "m")
        return Merged(told, places, final, ())
    assert (known.connection, known.direction, known.day) == (
        told.connection,
        told.direction,
        told.day,
    )
    wh, quality, origins = list(known.wh), list(known.quality), list(known.origins)
    changed, made_final, kept = [], [], []
    for place, (was, new) in enumerate(zip(_quarters(known), _quarters(told), strict=True)):
        if new[1] == MISSING or was == new:
            continue
        if _RANK[new[2], new[1]] < _RANK[was[2], was[1]]:
            if was[0] != new[0]:
                kept.append(place)
            continue
        wh[place], quality[place], origins[place] = new
        changed.append(place)
        if was[1] != "m" and new[1] == "m":
            made_final.append(place)
    if not changed:
        return Merged(known, (), (), tuple(kept))
    letters = "".join(quality)
    mixed = "".join(origins)
    values = DayValues(
        told.connection,
        told.direction,
        told.day,
        tuple(wh),
        letters,
        told.source,
        told.reason,
        told.method,
        "" if mixed == origins_of(told.source, letters) else mixed,
    )
    return Merged(values, tuple(changed), tuple(made_final), tuple(kept))


def _quarters(values: DayValues) -> list[tuple[int | None, str, str]]:
    return list(zip(values.wh, values.quality, values.origins, strict=True))
