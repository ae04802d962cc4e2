"""A month that is settled, and the names of its runs."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from api.cooperative.errors import BooksError
from kwartier.interval import local_day
from kwartier.units import EpochS

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)
_RUN = re.compile(r"(20[0-9]{2}-(?:0[1-9]|1[0-2]))/([1-9][0-9]{0,3})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in local time; as text ``2026-07``."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Return the month of a text such as ``2026-07``, or refuse it."""
        match = _MONTH.fullmatch(text)
        if match is None:
            raise BooksError(f"month {text!r}: write it as 2026-07")
        return cls(int(match[1]), int(match[2]))

    @property
    def first(self) -> date:
        """Its first local day."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """Its last local day."""
        return date(self.year, self.number, monthrange(self.year, self.number)[1])

    @property
    def days(self) -> tuple[date, ...]:
        """Its local days."""
        return tuple(self.first + timedelta(days=place) for place in range(self.last.day))

    @property
    def start_s(self) -> EpochS:
        """Its first instant [s]."""
        return local_day(self.first)[0]

    @property
    def end_s(self) -> EpochS:
        """The first instant after it [s]."""
        return local_day(self.last)[1]

    def before(self) -> Month:
        """Return the month before it."""
        return self.plus(-1)

    def plus(self, months: int) -> Month:
        """Return the month some months later."""
        year, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, number + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


@dataclass(frozen=True, slots=True, order=True)
class RunName:
    """A version of a month's settlement; as text ``2026-07/1``."""

    month: Month
    version: int

    @classmethod
    def parse(cls, text: str) -> RunName:
        """Return the name of a run written as ``2026-07/1``, or refuse it."""
        match = _RUN.fullmatch(text)
        if match is None:
            raise BooksError(f"run {text!r}: write it as 2026-07/1")
        return cls(Month.parse(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.month}/{self.version}"
