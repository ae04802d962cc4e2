"""Numbers and stamps of weather answers, as text or JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from collectors.answers import AnswerError, Told, shown
from kwartier.units import EpochS

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:\.[0-9]{0,20})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)


def number_of(told: Told, who: str) -> float | None:
    """Return a number, or None where nothing is told.

    Raises:
        AnswerError: It is no number.
    """
    if told is None or told == "":
        return None
    if not isinstance(told, str) or _NUMBER.fullmatch(told) is None:
        raise AnswerError(f"{who}'s answer: {shown(told)} is no number")
    return float(told)


def wall_time(told: Told, pattern: str, who: str) -> datetime:
    """Return a stamp without zone, as it stands there.

    Raises:
        AnswerError: It is no such stamp.
    """
    try:
        return datetime.strptime(told if isinstance(told, str) else "", pattern)  # noqa: DTZ007
    except ValueError:
        raise AnswerError(f"{who}'s answer: {shown(told)} is no stamp like {pattern}") from None


def utc_s(wall: datetime, offset_s: int = 0) -> EpochS:
    """Return the instant of a wall time whose clock is ``offset_s`` ahead of UTC [s]."""
    return int(wall.replace(tzinfo=UTC).timestamp()) - offset_s


def table_of(told: Mapping[str, Told], name: str, who: str) -> dict[str, Told]:
    """Return an object inside an answer.

    Raises:
        AnswerError: It is away or no object.
    """
    found = told.get(name)
    if not isinstance(found, dict):
        raise AnswerError(f"{who}'s answer has no object {name!r} but {shown(found)}")
    return found


def list_of(told: Mapping[str, Told], name: str, who: str, most: int) -> list[Told]:
    """Return a list inside an answer.

    Raises:
        AnswerError: It is away, no list, or longer than ``most``.
    """
    found = told.get(name)
    if not isinstance(found, list) or len(found) > most:
        raise AnswerError(f"{who}'s answer: {name!r} must be a list of at most {most} values")
    return found
