"""Accounting periods: local months such as ``2026-07``; a locked one takes no entry any more."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import bindparam, insert, select

from api.cooperative.chain import record
from api.cooperative.database import Desk
from api.cooperative.errors import BooksError, StateError
from api.cooperative.officers import Role
from api.cooperative.tables.base import Base
from api.cooperative.tables.ledger import LockRow

_PERIOD = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII)
_MOST_MONTHS = 120
_LOCKED = Base.metadata.tables[LockRow.__tablename__].c.period
_LOCK = select(_LOCKED).where(bindparam("period") == _LOCKED)
_LOCKS = select(_LOCKED).order_by(_LOCKED)


def checked_period(text: str) -> str:
    """Return a month such as ``2026-07``, or refuse it."""
    if _PERIOD.fullmatch(text) is None:
        raise BooksError(f"period {text!r}: write a month as 2026-07")
    return text


def period_of(day: date) -> str:
    """Return the month a day lies in."""
    return f"{day:%Y-%m}"


def lock(desk: Desk, period: str) -> None:
    """Let nothing be written in a month any more; twice is the same as once.

    Raises:
        NotAllowedError: The officer is neither treasurer nor board.
    """
    desk.officer.need(Role.TREASURER, Role.BOARD)
    if is_locked(desk, checked_period(period)):
        return
    desk.session.execute(
        insert(LockRow).values(period=period, officer=desk.officer.id, at_s=desk.at_s)
    )
    record(desk, "period.lock", period, {})


def is_locked(desk: Desk, period: str) -> bool:
    """Return whether a month takes no entry any more."""
    return desk.session.scalar(_LOCK, {"period": checked_period(period)}) is not None


def locked_periods(desk: Desk) -> list[str]:
    """Return the months that take no entry any more, the first first."""
    return list(desk.session.scalars(_LOCKS))


def open_day(desk: Desk, wanted: date) -> date:
    """Return a day, or the first day after it of a month that is not locked.

    Raises:
        StateError: Ten years on there is none.
    """
    locked = set(locked_periods(desk))
    day = wanted
    for _ in range(_MOST_MONTHS):
        if period_of(day) not in locked:
            return day
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    raise StateError(f"every month from {wanted} on is locked: look at what was locked")
