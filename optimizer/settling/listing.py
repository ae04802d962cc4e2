"""The readings of a period as they were listed, quarter by quarter, packed in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kwartier.interval import Quarter
from optimizer.balance import QuarterReadings, Registers
from optimizer.settling.matrix import WhArray
from optimizer.settling.period import refuse_twice

Marks: TypeAlias = NDArray[np.uint8]
"""What is known of two registers, as :class:`Mark`."""


class Mark(IntFlag):
    """How the registers of one connection are known; none of them when both were measured."""

    NO_IMPORT = 1
    NO_EXPORT = 2
    IMPORT_ESTIMATED = 4
    EXPORT_ESTIMATED = 8


MISSING = Mark.NO_IMPORT | Mark.NO_EXPORT
ESTIMATED = Mark.IMPORT_ESTIMATED | Mark.EXPORT_ESTIMATED


@dataclass(frozen=True, slots=True)
class ListedQuarter:
    """One quarter's readings, each array in the order of the list, ``(n,)``.

    Attributes:
        quarter: Which quarter.
        connections: Places of the connections in the names of the listing.
        taken: Import; 0 where it is missing [Wh].
        given: Export; 0 where it is missing [Wh].
        marks: What is missing or estimated; None when nothing is.
        battery: The battery's registers.
    """

    quarter: Quarter
    connections: NDArray[np.int32]
    taken: WhArray
    given: WhArray
    marks: Marks | None
    battery: Registers


@dataclass(frozen=True, slots=True)
class Listing:
    """The readings of a period.

    Attributes:
        names: The connections, in ascending order.
        quarters: In order of time, each once.
    """

    names: tuple[str, ...]
    quarters: tuple[ListedQuarter, ...]

    @classmethod
    def of(cls, quarters: Sequence[QuarterReadings]) -> Listing:
        """Return readings as a listing.

        Raises:
            ContractError: A quarter stands there twice.
        """
        listed = ListingInProgress()
        for readings in quarters:
            listed.add(readings)
        return listed.finished()


class ListingInProgress:
    """A listing to which quarters are added in any order.

    Attributes:
        readings: How many connection-quarters it has.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.readings = 0
        self._places: dict[str, int] = {}
        self._quarters: list[ListedQuarter] = []
        self._names: list[str] = []
        self._of_names = np.zeros(0, np.int32)

    @property
    def connections(self) -> int:
        """How many connections it has."""
        return len(self._places)

    def add(self, readings: QuarterReadings) -> None:
        """Add a quarter as the exact engine reads it."""
        rows = readings.connections.values()
        marks = np.array([_mark(row) for row in rows], np.uint8)
        self.add_arrays(
            readings.quarter,
            list(readings.connections),
            (
                np.array([row.import_wh or 0 for row in rows], np.int64),
                np.array([row.export_wh or 0 for row in rows], np.int64),
            ),
            marks if marks.any() else None,
            readings.battery,
        )

    def add_arrays(
        self,
        quarter: Quarter,
        names: list[str],
        taken_given: tuple[WhArray, WhArray],
        marks: Marks | None,
        battery: Registers,
    ) -> None:
        """Add a quarter whose registers are in the order of ``names``."""
        # Quarter after quarter lists the same names, and then shares one array of places.
        if names != self._names:
            places = [self._places.setdefault(name, len(self._places)) for name in names]
            self._names, self._of_names = names, np.array(places, np.int32)
        self.readings += len(names)
        self._quarters.append(ListedQuarter(quarter, self._of_names, *taken_given, marks, battery))

    def finished(self) -> Listing:
        """Return the listing.

        Raises:
            ContractError: A quarter stands there twice.
        """
        ordered = sorted(self._quarters, key=lambda listed: listed.quarter)
        refuse_twice([listed.quarter for listed in ordered])
        names = sorted(self._places)
        ranks = np.zeros(len(names), np.int32)
        ranks[[self._places[name] for name in names]] = np.arange(len(names))
        ranked = {id(listed.connections): ranks[listed.connections] for listed in ordered}
        quarters = [
            replace(listed, connections=ranked[id(listed.connections)]) for listed in ordered
        ]
        return Listing(tuple(names), tuple(quarters))


def _mark(registers: Registers) -> Mark:
    mark = Mark(0)
    for applies, each in (
        (registers.import_wh is None, Mark.NO_IMPORT),
        (registers.export_wh is None, Mark.NO_EXPORT),
        (registers.import_estimated, Mark.IMPORT_ESTIMATED),
        (registers.export_estimated, Mark.EXPORT_ESTIMATED),
    ):
        mark |= each if applies else Mark(0)
    return mark
