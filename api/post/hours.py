"""When messages go: by day, and after a failure in growing pauses up to an end."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from api.people.wishes import Kind
from kwartier.interval import HOME_ZONE
from kwartier.units import EpochS

DAY_STARTS, DAY_ENDS = 8, 21
"""Between these hours in Amsterdam messages may come."""
ASKED_FOR = frozenset({Kind.TEST})
"""What the person waits for at this moment: it goes at any hour, and before everything else."""
PAUSES_S = (60, 300, 900, 3_600, 3 * 3_600, 6 * 3_600)
"""How long to wait before each further try [s]; the last one holds from there on."""
GIVE_UP_S = 3 * 86_400
"""After this a message is given up [s]."""
_SHORT_LIVED_S = {Kind.TEST: 3_600, Kind.SUN: 3 * 3_600}
"""What makes no sense any more after a while [s]."""
MOST_TRIES = 20


def is_day(at_s: float) -> bool:
    """Return whether messages may come at an instant."""
    return DAY_STARTS <= _local(at_s).hour < DAY_ENDS


def next_day_start(at_s: float) -> EpochS:
    """Return when messages may come again: at once by day, else at eight in the morning [s]."""
    if is_day(at_s):
        return int(at_s)
    local = _local(at_s)
    return eight(local.date() + timedelta(days=1 if local.hour >= DAY_ENDS else 0))


def eight(day: date) -> EpochS:
    """Return eight in the morning of a local day [s]."""
    return int(datetime.combine(day, time(DAY_STARTS), HOME_ZONE).timestamp())


def due_at(kind: Kind, at_s: EpochS) -> EpochS:
    """Return when a message of a kind that is made at an instant may go [s]."""
    return at_s if kind in ASKED_FOR else next_day_start(at_s)


def pause_s(tries: int) -> int:
    """Return how long to wait after so many tries [s]."""
    return PAUSES_S[min(max(tries, 1), len(PAUSES_S)) - 1]


def is_over(kind: Kind, due_first_s: EpochS, at_s: EpochS, tries: int) -> bool:
    """Return whether a message is given up: too many tries, or it comes too late.

    Args:
        kind: What it is about.
        due_first_s: When it might first go [s].
        at_s: When it would be tried next [s].
        tries: How often it was tried.
    """
    late_s = _SHORT_LIVED_S.get(kind, GIVE_UP_S)
    return tries >= MOST_TRIES or at_s - due_first_s > late_s


def is_stale(kind: Kind, due_first_s: EpochS, at_s: EpochS) -> bool:
    """Return whether a message makes no sense any more, such as 'tomorrow' on the day itself.

    Args:
        kind: What it is about.
        due_first_s: When it might first go [s].
        at_s: When it would go [s].
    """
    return kind in _SHORT_LIVED_S and at_s - due_first_s > _SHORT_LIVED_S[kind]


def _local(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC).astimezone(HOME_ZONE)
