"""Meter stamps: ``YYMMDDhhmmss`` with or without its letter for summer or winter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from kwartier.interval import Zone
from kwartier.units import EpochS

_DAY_S = 86_400
_QUARTER_S = 900
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
    digits, letter = text[:12], text[12:].upper()
    if len(digits) < 12 or not (digits.isascii() and digits.isdigit()) or letter not in _LETTERS:
        return None
    midnight_s = _midnight_s(digits[:6])
    hour, minute, second = int(digits[6:8]), int(digits[8:10]), int(digits[10:])
    if midnight_s is None or hour > 23 or minute > 59 or second > 59:
        return None
    local_s = midnight_s + hour * 3600 + minute * 60 + second
    if not letter:
        return Stamp(_utc_s(local_s, zone), contradicts=False)
    offset_s = _winter_s(zone, digits[:2]) + (3600 if letter == "S" else 0)
    at_s = local_s - offset_s
    return Stamp(at_s, contradicts=_offset_s(zone, at_s // _QUARTER_S) != offset_s)


_LETTERS = {"", "S", "W"}


def _year(digits: str) -> int:
    year = 1900 + int(digits)
    return year if year >= _FIRST_YEAR else year + 100


@lru_cache(maxsize=64)
def _midnight_s(digits: str) -> EpochS | None:
    try:
        found = date(_year(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None
    return (found.toordinal() - date(_FIRST_YEAR, 1, 1).toordinal()) * _DAY_S


@lru_cache(maxsize=256)
def _offset_s(zone: Zone, quarter: int) -> int:
    offset = datetime.fromtimestamp(quarter * _QUARTER_S, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@lru_cache(maxsize=64)
def _winter_s(zone: Zone, digits: str) -> int:
    """Return the zone's winter time in a year: the smaller of its two offsets [s]."""
    firsts = (datetime(_year(digits), month, 1, tzinfo=UTC) for month in (1, 7))
    return min(_offset_s(zone, int(first.timestamp()) // _QUARTER_S) for first in firsts)


def _utc_s(local_s: int, zone: Zone) -> EpochS:
    return int(datetime.fromtimestamp(local_s, UTC).replace(tzinfo=zone).timestamp())
