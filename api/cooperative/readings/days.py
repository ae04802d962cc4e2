"""One connection's local day in one direction: 92, 96 or 100 quarters, and how each is known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from api.cooperative.canonical import digest
from kwartier.errors import ContractError
from kwartier.identity import checked_name
from kwartier.interval import QUARTER_S, Quarter, instant_text, local_day
from kwartier.units import Wh


class Direction(StrEnum):
    """Which register: two of a home, two of a battery."""

    IMPORT = "import"
    EXPORT = "export"
    CHARGE = "charge"
    DISCHARGE = "discharge"


class Source(StrEnum):
    """Where values come from."""

    P1 = "p1"
    """The customer's port, read by the house: provisional where it was estimated."""
    P4 = "p4"
    """The grid operator's validated quarters."""
    MANUAL = "manual"
    """A person, with a reason."""
    ESTIMATE = "estimate"
    """A method, with its author."""


MEASURED = "m"
ESTIMATED = "e"
MISSING = "-"
ORIGINS = {Source.P1: "1", Source.P4: "4", Source.MANUAL: "h", Source.ESTIMATE: "e"}
"""The letter of each source in the origins of a day; a missing quarter has ``-``."""


@dataclass(frozen=True, slots=True)
class DayValues:
    """One connection, direction and local day.

    Attributes:
        connection: Its name in the cooperative.
        direction: Which register.
        day: The local day.
        wh: Energy of each quarter, shape ``(92 | 96 | 100,)`` [Wh]; None where it is missing.
        quality: One letter a quarter: ``m`` measured, ``e`` estimated, ``-`` missing.
        source: Where the newest of it comes from.
        reason: Why, in words; needed from a person.
        method: How it was estimated; empty unless it was.
        mixed: The origins, where quarters of other sources stand among those of ``source``.

    Raises:
        ContractError: It breaks one of these rules; the message names place and value.
    """

    connection: str
    direction: Direction
    day: date
    wh: tuple[Wh | None, ...]
    quality: str
    source: Source
    reason: str = ""
    method: str = ""
    mixed: str = ""

    def __post_init__(self) -> None:
        checked_name(self.connection, "connection")
        self._refuse_a_wrong_length()
        for place, (energy_wh, quality) in enumerate(zip(self.wh, self.quality, strict=True)):
            if not _fits(energy_wh, quality):
                raise ContractError(f"{self} {self.quarter(place)}: {_wrong(energy_wh, quality)}")
        if self.source is Source.MANUAL and not self.reason.strip():
            raise ContractError(f"{self}: a value by hand needs a reason")

    def __str__(self) -> str:
        return f"{self.connection} {self.direction} {self.day}"

    @property
    def origins(self) -> str:
        """One letter a quarter: ``1`` P1, ``4`` P4, ``h`` hand, ``e`` estimate, ``-`` missing."""
        return self.mixed or origins_of(self.source, self.quality)

    def quarter(self, place: int) -> Quarter:
        """Return the quarter at a place in the lists."""
        return Quarter(local_day(self.day)[0] + place * QUARTER_S)

    @property
    def wh_text(self) -> str:
        """The energies as a JSON list, null where one is missing."""
        return json.dumps(self.wh, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """The SHA-256 of all that settlement can see of it."""
        return digest(
            {
                "connection": self.connection,
                "direction": self.direction.value,
                "day": self.day.isoformat(),
                "wh": self.wh_text,
                "quality": self.quality,
                "origins": self.origins,
            }
        )

    def _refuse_a_wrong_length(self) -> None:
        start_s, end_s = local_day(self.day)
        quarters = (end_s - start_s) // QUARTER_S
        for name, length in (
            ("values", len(self.wh)),
            ("quality letters", len(self.quality)),
            ("origins", len(self.origins)),
        ):
            if length != quarters:
                raise ContractError(
                    f"{self}: {length} {name}, and the day has {quarters} quarter-hours"
                )


def origins_of(source: Source, quality: str) -> str:
    """Return the origins of a day whose quarters all come from one source."""
    letter = ORIGINS[source]
    return quality.replace(ESTIMATED, letter).replace(MEASURED, letter)


def quarter_place(at_s: int, day: date) -> int:
    """Return the place of a quarter in its local day.

    Raises:
        ContractError: The instant is off the grid or on another day.
    """
    start_s, end_s = local_day(day)
    if not start_s <= at_s < end_s:
        raise ContractError(f"{instant_text(at_s)} does not lie on {day} in Amsterdam")
    return (Quarter(at_s).start_s - start_s) // QUARTER_S


def _fits(energy_wh: Wh | None, quality: str) -> bool:
    if quality == MISSING:
        return energy_wh is None
    return quality in (MEASURED, ESTIMATED) and type(energy_wh) is int and energy_wh >= 0


def _wrong(energy_wh: Wh | None, quality: str) -> str:
    """Return what is wrong with a value that does not fit."""
    if quality not in (MEASURED, ESTIMATED, MISSING):
        return f"quality {quality!r}: use m, e or -"
    if energy_wh is None or quality == MISSING:
        return f"{energy_wh!r} is marked {quality!r}: missing has no number"
    return f"{energy_wh!r}: energy is whole watt-hours, 0 or more"
