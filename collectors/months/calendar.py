"""Months of UTC, by which single readings are put away, and what their files are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from kwartier.units import EpochS

_NAME = re.compile(r"(\d{4})-(\d\d)\.readings\.(\d+)\.parquet")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One month of UTC."""

    year: int
    number: int

    @classmethod
    def containing(cls, at_s: EpochS) -> Month:
        """Return the month an instant lies in."""
        at = datetime.fromtimestamp(at_s, UTC)
        return cls(at.year, at.month)

    @property
    def start_s(self) -> EpochS:
        """Its first instant [s]."""
        return int(datetime(self.year, self.number, 1, tzinfo=UTC).timestamp())

    @property
    def end_s(self) -> EpochS:
        """The first instant after it [s]."""
        return self.later(1).start_s

    def later(self, months: int) -> Month:
        """Return the month so many later; earlier when negative."""
        place = self.year * 12 + self.number - 1 + months
        return Month(place // 12, place % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"


@dataclass(frozen=True, slots=True, order=True)
class PartName:
    """One file of a month: the first holds nearly all, the next ones what came late."""

    month: Month
    part: int

    def __str__(self) -> str:
        return f"{self.month}.readings.{self.part}.parquet"

    @classmethod
    def told_by(cls, name: str) -> PartName | None:
        """Return what a file name tells; None when it is not one of ours."""
        told = _NAME.fullmatch(name)
        if told is None or not 1 <= int(told[2]) <= 12:
            return None
        return cls(Month(int(told[1]), int(told[2])), int(told[3]))
