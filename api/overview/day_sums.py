"""What is kept of a local day: one home's sums, its quarters, and the neighbourhood's."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kwartier.units import EpochS, Wh

MicroEur: TypeAlias = int
"""Money in millionths of a euro: days add up without rounding what a page shows in cents."""
Energies: TypeAlias = NDArray[np.int64]
"""Whole watt-hours."""
_ROWS = 8


class Origin(IntEnum):
    """Where a day's numbers come from."""

    RECORD = 0
    """Settled from the record as it is now: provisional."""
    RUN = 1
    """From a run that is in the cooperative's books."""


@dataclass(frozen=True, slots=True)
class HomeDay:
    """One home on one local day.

    Attributes:
        home: Which home.
        day: Which local day.
        origin: Where the numbers come from.
        quarters: How long the day is: 92, 96 or 100.
        ended: How many of them had ended when it was looked at.
        known: How many of those are known.
        estimated: How many of the known ones are estimated in part.
        import_wh: From the grid, as the meter counted [Wh].
        export_wh: To the grid, as the meter counted [Wh].
        roof_wh: Made on the roof, as far as is known [Wh].
        use_wh: Used [Wh].
        bought_wh: How much of the import neighbours and the battery gave [Wh].
        sold_wh: How much of the export neighbours used [Wh].
        charged_wh: How much of the export charged the battery [Wh].
        paid_ueur: What the shared energy cost, levy included [millionths of EUR].
        earned_ueur: What neighbours and the battery paid for the export [millionths of EUR].
        saved_ueur: What the shared energy cost less than a supplier's [millionths of EUR].
    """

    home: str
    day: date
    origin: Origin
    quarters: int
    ended: int
    known: int
    estimated: int
    import_wh: Wh
    export_wh: Wh
    roof_wh: Wh
    use_wh: Wh
    bought_wh: Wh
    sold_wh: Wh
    charged_wh: Wh
    paid_ueur: MicroEur
    earned_ueur: MicroEur
    saved_ueur: MicroEur

    @property
    def is_whole(self) -> bool:
        """Whether every quarter of the day is known."""
        return self.known == self.quarters


@dataclass(frozen=True, slots=True)
class AreaDay:
    """The neighbourhood on one local day, over quarters in which enough homes are known.

    Attributes:
        day: Which local day.
        looked_s: When it was last looked at [s].
        quarters: How long the day is.
        counted: How many of its quarters are in the sums.
        homes: The most homes that are known in one of them.
        solar_wh: Made on all roofs [Wh].
        use_wh: Used by all homes [Wh].
        shared_wh: What neighbours and the battery gave to homes [Wh].
        grid_in_wh: What the neighbourhood took from the grid, quarter by quarter [Wh].
        grid_out_wh: What the neighbourhood gave to the grid, quarter by quarter [Wh].
        charged_wh: What the batteries took [Wh].
        discharged_wh: What the batteries gave [Wh].
        peak_in_wh: The most taken from the grid in one quarter [Wh].
        peak_in_s: In which [s]; 0 for none.
        peak_out_wh: The most given to the grid in one quarter [Wh].
        peak_out_s: In which [s]; 0 for none.
        saved_ueur: What sharing saved all homes together [millionths of EUR].
        levy_ueur: What it brought to the fund [millionths of EUR].
    """

    day: date
    looked_s: EpochS
    quarters: int
    counted: int = 0
    homes: int = 0
    solar_wh: Wh = 0
    use_wh: Wh = 0
    shared_wh: Wh = 0
    grid_in_wh: Wh = 0
    grid_out_wh: Wh = 0
    charged_wh: Wh = 0
    discharged_wh: Wh = 0
    peak_in_wh: Wh = 0
    peak_in_s: EpochS = 0
    peak_out_wh: Wh = 0
    peak_out_s: EpochS = 0
    saved_ueur: MicroEur = 0
    levy_ueur: MicroEur = 0


@dataclass(frozen=True, slots=True, eq=False)
class HomeQuarters:
    """A home's day by quarter, each shape ``(Q,)`` [Wh]; what is not known holds 0.

    Attributes:
        import_wh: From the grid.
        export_wh: To the grid.
        roof_wh: Made on the roof.
        bought_wh: Shared energy that was used.
        sold_wh: Export that neighbours used.
        charged_wh: Export that charged the battery.
        kind: 0 not known, 1 measured, 2 estimated in part.
        kept_wh: What its own battery took, less what it gave.
    """

    import_wh: Energies
    export_wh: Energies
    roof_wh: Energies
    bought_wh: Energies
    sold_wh: Energies
    charged_wh: Energies
    kind: Energies
    kept_wh: Energies

    @property
    def use_wh(self) -> Energies:
        """What the home used, ``(Q,)`` [Wh]; two meters read apart never make it negative."""
        passed = self.import_wh + self.roof_wh - self.export_wh - self.kept_wh
        used: Energies = np.maximum(0, passed)
        return used

    def packed(self) -> bytes:
        """Return it as few bytes."""
        rows = (
            self.import_wh,
            self.export_wh,
            self.roof_wh,
            self.bought_wh,
            self.sold_wh,
            self.charged_wh,
            self.kind,
            self.kept_wh,
        )
        return zlib.compress(np.stack(rows).astype("<i8").tobytes(), 1)

    @classmethod
    def unpacked(cls, packed: bytes) -> HomeQuarters:
        """Return what was packed."""
        rows = np.frombuffer(zlib.decompress(packed), "<i8").astype(np.int64)
        return cls(*rows.reshape(_ROWS, -1))


@dataclass(frozen=True, slots=True)
class LineSum:
    """What a booked run charged for one home of one member under one charge.

    Attributes:
        month: Its month, such as ``2026-07``.
        home: The home.
        party: The member.
        charge: What it is about, such as ``buy``.
        energy_wh: Energy [Wh].
        cents: What stands on the statement [cent], excluding VAT.
    """

    month: str
    home: str
    party: str
    charge: str
    energy_wh: Wh
    cents: int


@dataclass(frozen=True, slots=True)
class BookedMonth:
    """A month whose settlement is in the books.

    Attributes:
        month: Such as ``2026-07``.
        run: The run, such as ``2026-07/1``.
        computation: Its number in the books.
        is_corrected: Whether it takes the place of an earlier one.
    """

    month: str
    run: str
    computation: int
    is_corrected: bool
