"""Who looks at numbers: which sums they may know, and whose home they may see when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from api.auth import own_home
from api.house import House
from api.people.looks import note_look
from api.people.visitor import Stay, Visitor
from collectors.disclosure import PUBLIC, Reader
from kwartier.interval import QUARTER_S


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Somebody who looks at numbers.

    Attributes:
        reader: Which sums they may know.
        home: The home whose own values they want; None for none.
        stays: When that home's values are theirs.
    """

    reader: Reader = PUBLIC
    home: str | None = None
    stays: tuple[Stay, ...] = ()

    def sees_home(self, start_s: float) -> bool:
        """Return whether the home's values of a quarter are theirs: of all of it."""
        return any(
            stay.holds(start_s) and stay.holds(start_s + QUARTER_S - 1) for stay in self.stays
        )


STRANGER = Onlooker()
"""Somebody who is not logged in."""


def onlooker(visitor: Visitor, now_s: float, asked: str | None = None) -> Onlooker:
    """Return what a visitor may see.

    Args:
        visitor: Who asks.
        now_s: What time it is [s].
        asked: The home they want to see; the present one when None.

    Raises:
        RefusedError: They never lived in the home that was asked for; for them there is none.
    """
    home = visitor.home if asked is None else own_home(visitor, asked)
    return Onlooker(
        Reader(
            visitor.on_board or any(stay.holds(now_s) for stay in visitor.stays),
            frozenset(stay.home for stay in visitor.stays),
        ),
        home,
        tuple(stay for stay in visitor.stays if stay.home == home),
    )


def note_helper(
    house: House, visitor: Visitor, home: str | None, first_day: date, last_day: date
) -> None:
    """Write down that a helper looks at a home's quarter-hours; the resident reads it on Hulp."""
    if visitor.companion is not None and home is not None:
        note_look(house.people, visitor, home, "quarters", first_day, last_day)
