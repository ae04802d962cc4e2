"""Meter stamps: ``YYMMDDhhmmss`` with or without its letter for summer or winter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from kwartier.interval import Zone
from kwartier.units import EpochS

_FIRST_YEAR = 1970


@dataclass(frozen=True, slots=True)
class Stamp:
    """An instant as a meter tells it.

    Attributes:
        at_s: The instant [s since 1970-01-01T00:00Z].
        contradicts: The letter says another season than the date does; the letter was followed.
    """

    at_s: EpochS
    contradicts: bool


def stamp_of(text: str, zone: Zone) -> Stamp | None:
    """Return the instant of a stamp, or None where no such instant exists.

    The letter is the offset: ``W`` is the zone's winter time and ``S`` an hour more, all year
    round, because only the letter tells the repeated hour in October apart. Without a letter the
    zone decides, and the repeated hour is taken as its first. Two digits from 70 are of the last
    century.

    Source:
        DSMR P1 companion standard 5.0.2, section 6.4, TST; design of editions 2.2 and 3.0, which
        send twelve digits in local time.
    """
    hour = _hour(text[:8], text[12:], zone)
    below = text[8:12]
    if hour is None or len(below) < 4 or not (below.isascii() and below.isdigit()):
        return None
    minute, second = int(below[:2]), int(below[2:])
    if minute > 59 or second > 59:
        return None
    return Stamp(hour.at_s + minute * 60 + second, hour.contradicts)


@lru_cache(maxsize=256)
def _hour(digits: str, letter: str, zone: Zone) -> Stamp | None:
    """Return the start of the hour ``YYMMDDhh``; a clock is put on or back on the hour."""
    if len(digits) < 8 or not (digits.isascii() and digits.isdigit()):
        return None
    years, month, day, hour = (int(digits[place : place + 2]) for place in (0, 2, 4, 6))
    year = years + (1900 if years + 1900 >= _FIRST_YEAR else 2000)
    try:
        local = datetime(year, month, day, hour, tzinfo=zone)
    except ValueError:
        return None
    if not letter:
        return Stamp(int(local.timestamp()), contradicts=False)
    if letter not in {"S", "W"}:
        return None
    offset = _winter(year, zone) + (timedelta(hours=1) if letter == "S" else timedelta(0))
    instant = local.replace(tzinfo=timezone(offset))
    told = instant.astimezone(zone).utcoffset()
    return Stamp(int(instant.timestamp()), contradicts=told != offset)


def _winter(year: int, zone: Zone) -> timedelta:
    """Return the zone's winter time in a year: the smaller of its two offsets."""
    firsts = (datetime(year, month, 1, tzinfo=zone).utcoffset() for month in (1, 7))
    return min(offset or timedelta(0) for offset in firsts)
