"""Quarter-hours and the local days they tile: 92, 96 or 100 to a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from kwartier.errors import ContractError
from kwartier.units import EpochS

QUARTER_S = 900
"""The length of a quarter-hour [s]."""
HOME_ZONE = ZoneInfo("Europe/Amsterdam")
"""The zone in which the neighbourhood lives."""

Zone: TypeAlias = ZoneInfo


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """The quarter-hour ``[start, start + 15 min)``, named by its start in UTC."""

    start_s: EpochS

    def __post_init__(self) -> None:
        if self.start_s % QUARTER_S:
            raise ContractError(
                f"{instant_text(self.start_s)} is not the start of a quarter-hour: "
                "use minute 00, 15, 30 or 45"
            )

    @classmethod
    def containing(cls, at_s: float) -> Quarter:
        """Return the quarter-hour in which an instant [s] lies."""
        return cls(int(at_s // QUARTER_S) * QUARTER_S)

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Return the quarter-hour named by an ISO 8601 start with its offset."""
        start = parse_instant(text)
        if start.microsecond:
            raise ContractError(
                f"{text!r} is not the start of a quarter-hour: use minute 00, 15, 30 or 45"
            )
        return cls(epoch_s(start))

    @property
    def start(self) -> datetime:
        """The first instant, in UTC."""
        return datetime.fromtimestamp(self.start_s, UTC)

    @property
    def end_s(self) -> EpochS:
        """The first instant after the quarter [s]."""
        return self.start_s + QUARTER_S

    @property
    def number(self) -> int:
        """Quarters since 1970-01-01T00:00Z."""
        return self.start_s // QUARTER_S

    def next(self, count: int = 1) -> Quarter:
        """Return the quarter ``count`` places later."""
        return Quarter(self.start_s + count * QUARTER_S)

    def __str__(self) -> str:
        return instant_text(self.start_s)


def quarters_between(start_s: EpochS, end_s: EpochS) -> Iterator[Quarter]:
    """Yield each quarter that starts in ``[start_s, end_s)``, both on the grid."""
    for at_s in range(Quarter(start_s).start_s, Quarter(end_s).start_s, QUARTER_S):
        yield Quarter(at_s)


def local_day(day: date, zone: Zone = HOME_ZONE) -> tuple[EpochS, EpochS]:
    """Return the first instant of a local day and that of the next [s]."""
    start = datetime.combine(day, time(), zone)
    end = datetime.combine(day + timedelta(days=1), time(), zone)
    return epoch_s(start), epoch_s(end)


def quarters_of_day(day: date, zone: Zone = HOME_ZONE) -> list[Quarter]:
    """Return the quarters of a local day: 92, 96 or 100 in Amsterdam."""
    return list(quarters_between(*local_day(day, zone)))


def day_of(at_s: float, zone: Zone = HOME_ZONE) -> date:
    """Return the local day in which an instant [s] lies."""
    return datetime.fromtimestamp(at_s, zone).date()


def same_time_before(at_s: EpochS, days: int, zone: Zone = HOME_ZONE) -> EpochS:
    """Return the instant [s] some days earlier at the same time on the clock.

    A time that the clock shows twice is the first of the two; one that it skips is read with the
    offset from before the skip.
    """
    local = datetime.fromtimestamp(at_s, zone)
    return epoch_s((local - timedelta(days=days)).replace(fold=0))


def epoch_s(instant: datetime) -> EpochS:
    """Return the whole seconds of an aware instant."""
    if instant.tzinfo is None:
        raise ContractError(f"{instant.isoformat()} has no offset: say which zone it is in")
    return int(instant.timestamp())


def parse_instant(text: str) -> datetime:
    """Return the instant of an ISO 8601 text with its offset, in UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ContractError(
            f"{text[:60]!r} is not an instant: use ISO 8601 with an offset, "
            "such as '2026-07-01T09:45:00Z'"
        ) from error
    if instant.tzinfo is None:
        raise ContractError(f"{text[:60]!r} has no offset: end it with 'Z' or '+02:00'")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ContractError(f"{text[:60]!r} is outside the years 1 to 9999 in UTC") from error


def instant_text(at_s: float) -> str:
    """Return an instant [s] as ISO 8601 in UTC, such as ``'2026-07-01T09:45:00Z'``."""
    instant = datetime.fromtimestamp(at_s, UTC).replace(tzinfo=None)
    return instant.isoformat(timespec="seconds") + "Z"
