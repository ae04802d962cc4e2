"""Months of UTC, by which single readings are put away, and what their files are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from kwartier.units import EpochS

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_NAME = re.compile(r"(.{7})\.readings\.(\d+)\.parquet", re.ASCII)
_YEARS = range(1970, 9999)
"""Those that readings can lie in, and whose months all end in a year that a date can name."""


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

    @classmethod
    def told_by(cls, text: str) -> Month | None:
        """Return what a text such as ``2026-10`` tells; None when it is no month."""
        told = _MONTH.fullmatch(text)
        if told is None or int(told[1]) not in _YEARS:
            return None
        return cls(int(told[1]), int(told[2]))


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
        month = None if told is None else Month.told_by(told[1])
        if told is None or month is None:
            return None
        return cls(month, int(told[2]))
