"""The one way in: what cannot be is set aside, what is better known stays, the rest is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import insert

from api.cooperative.database import Desk
from api.cooperative.readings.days import MISSING, DayValues, Direction, Source
from api.cooperative.readings.merging import Merged, merged
from api.cooperative.readings.record import newest_days, store_days
from api.cooperative.stamp import stamp
from api.cooperative.tables.readings import QuarantineRow
from kwartier.interval import instant_text
from kwartier.units import EpochS, Watt, Wh, kwh_text


class Why(StrEnum):
    """Why a value was set aside."""

    ABOVE_LIMIT = "above_limit"
    """More than the connection can carry."""
    REGISTER_BACK = "register_back"
    """A register would have run backwards."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A value that was not believed.

    Attributes:
        connection: Whose.
        direction: Which register.
        at_s: The quarter's start, or when the register was read [s].
        value: What was told, as text.
        why: Why not.
        source: Who told it.
    """

    connection: str
    direction: Direction
    at_s: EpochS
    value: str
    why: Why
    source: Source

    def __str__(self) -> str:
        words = {
            Why.ABOVE_LIMIT: "more than the connection can carry",
            Why.REGISTER_BACK: "the register would run backwards",
        }
        return (
            f"{self.connection} {self.direction} {instant_text(self.at_s)}: {self.value} was set "
            f"aside: {words[self.why]}"
        )


@dataclass(slots=True)
class Taken:
    """What taking in came to; it adds up over many days.

    Attributes:
        days: Days told, per connection and direction.
        versions: Days that became a new version.
        quarters: Quarters whose energy, quality or origin is new.
        made_final: Quarters that were missing or estimated and are measured now.
        kept: Quarters where a better known value stayed.
        missing: Quarters of the told days that nobody knows still.
        set_aside: Values that were not believed.
    """

    days: int = 0
    versions: int = 0
    quarters: int = 0
    made_final: int = 0
    kept: int = 0
    missing: int = 0
    set_aside: list[SetAside] = field(default_factory=list)

    def add(self, told: Merged) -> None:
        """Count one day."""
        self.days += 1
        self.versions += bool(told.changed)
        self.quarters += len(told.changed)
        self.made_final += len(told.made_final)
        self.kept += len(told.kept)
        self.missing += told.values.quality.count(MISSING)

    def counts(self) -> dict[str, int]:
        """Return the numbers, for a report and the audit log."""
        return {
            "days": self.days,
            "versions": self.versions,
            "quarters": self.quarters,
            "made_final": self.made_final,
            "kept": self.kept,
            "missing": self.missing,
            "set_aside": len(self.set_aside),
        }


def most_wh(limit_w: Watt) -> Wh:
    """Return the most a quarter can hold [Wh]: the connection's capacity and a tenth.

    Source:
        Rule 13 for imperfect data of docs/settlement.md: capacity x 0.25 h x 1.1.
    """
    return limit_w * 11 // 40


def take_in(
    desk: Desk, days: Sequence[DayValues], limits_w: Mapping[str, Watt], *, keep: bool = True
) -> Taken:
    """Record what is told about days, each connection, direction and day once.

    Args:
        desk: The books.
        days: What is told; a missing quarter tells nothing.
        limits_w: The most each connection carries [W]; one that is not named is not judged.
        keep: False to count only what would become of it.
    """
    taken = Taken()
    known = newest_days(desk, [(each.connection, each.direction, each.day) for each in days])
    new: list[DayValues] = []
    for each in days:
        believed, aside = _believed(each, limits_w.get(each.connection))
        taken.set_aside += aside
        held = known.get((each.connection, each.direction, each.day))
        told = merged(None if held is None else held.values, believed)
        taken.add(told)
        if told.changed:
            new.append(told.values)
    if keep:
        store_days(desk, new)
        set_aside(desk, taken.set_aside)
    return taken


def set_aside(desk: Desk, values: Sequence[SetAside]) -> None:
    """Keep values that were not believed, so that somebody can look at them."""
    if values:
        rows = [
            {
                "connection": each.connection,
                "direction": each.direction.value,
                "at_s": each.at_s,
                "value": each.value,
                "why": each.why.value,
                "source": each.source.value,
                **stamp(desk),
            }
            for each in values
        ]
        desk.session.execute(insert(QuarantineRow), rows)


def _believed(told: DayValues, limit_w: Watt | None) -> tuple[DayValues, list[SetAside]]:
    """Return a day without the quarters that no connection of that size can carry."""
    most = None if limit_w is None else most_wh(limit_w)
    above = [
        (place, energy_wh)
        for place, energy_wh in enumerate(told.wh)
        if energy_wh is not None and most is not None and energy_wh > most
    ]
    if not above:
        return told, []
    wh, quality = list(told.wh), list(told.quality)
    origins = list(told.origins)
    aside = []
    for place, energy_wh in above:
        wh[place], quality[place], origins[place] = None, MISSING, MISSING
        aside.append(
            SetAside(
                told.connection,
                told.direction,
                told.quarter(place).start_s,
                f"{kwh_text(energy_wh)} kWh",
                Why.ABOVE_LIMIT,
                told.source,
            )
        )
    mixed = "".join(origins) if told.mixed else ""
    return replace(told, wh=tuple(wh), quality="".join(quality), mixed=mixed), aside
