"""The book of calls: windows in which the grid carries less, as its operator announced them.

A contract for limited capacity is called on the day before, at 08.00 at the latest. Whoever is told
writes it down with ``kwartier calls add``; the planner looks here every few seconds. Nothing is
ever wiped out: a call that was dropped stays, as what it once was.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from kwartier.errors import InputError, StoreBusyError
from kwartier.identity import checked_name
from kwartier.interval import HOME_ZONE, QUARTER_S, Quarter, day_of, instant_text
from kwartier.units import EpochS, Watt

ANNOUNCED_BY = time(8)
"""A call is announced by this time on the day before, on the wall clock."""
LONGEST_S = 7 * 86_400
LAST_S = 4_102_444_800
"""2100-01-01T00:00Z: no call is later [s]."""
MOST_CALLS = 2_000
MOST_LIMIT_W = 1_000_000_000
MOST_REWARD_EUR = 100.0
BOOK = "calls.db"
"""The book's file in the server's folder."""

_TABLE = """
create table if not exists call (
    id text primary key, start_s integer not null, end_s integer not null,
    import_limit_w integer, export_limit_w integer, of_group text,
    reward_eur_per_kwh real not null, entered_s integer not null, dropped_s integer
);
"""


@dataclass(frozen=True, slots=True)
class PutCall:
    """A call as it was written down.

    Attributes:
        id: Its name, such as the operator's reference.
        start_s: The first quarter's start [s].
        end_s: The last quarter's end [s].
        import_limit_w: The most that may be taken [W]; None for what it always is.
        export_limit_w: The most that may be given [W]; None for what it always is.
        group: The group it is for; None for the neighbourhood.
        reward_eur_per_kwh: Paid for each kWh of room that is left to others [EUR/kWh].
        entered_s: When it was written down [s].
        dropped_s: When it was taken back [s]; None where it stands.
    """

    id: str
    start_s: EpochS
    end_s: EpochS
    import_limit_w: Watt | None
    export_limit_w: Watt | None
    group: str | None
    reward_eur_per_kwh: float
    entered_s: EpochS
    dropped_s: EpochS | None = None

    @property
    def is_in_time(self) -> bool:
        """Whether it was known by 08.00 on the day before."""
        day = day_of(self.start_s) - timedelta(days=1)
        return self.entered_s <= datetime.combine(day, ANNOUNCED_BY, HOME_ZONE).timestamp()


class CallBook:
    """Calls in one small file; several processes may use it at once."""

    def __init__(self, path: Path) -> None:
        """Use the book at ``path``; it and its folder begin with the first call."""
        self._path = path

    def add(self, call: PutCall) -> None:
        """Write down a call.

        Raises:
            InputError: It makes no sense, or there is one of that name.
            StoreBusyError: The file cannot be written now.
        """
        _refuse_odd(call)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=5)) as book, book:
                book.execute(_TABLE)
                (count,) = book.execute("select count(*) from call").fetchone()
                if count >= MOST_CALLS:
                    raise InputError(f"there are {count} calls already: the book is full")
                book.execute(
                    "insert into call values (?, ?, ?, ?, ?, ?, ?, ?, null)",
                    (
                        call.id,
                        call.start_s,
                        call.end_s,
                        call.import_limit_w,
                        call.export_limit_w,
                        call.group,
                        call.reward_eur_per_kwh,
                        call.entered_s,
                    ),
                )
        except sqlite3.IntegrityError as error:
            raise InputError(
                f"call {call.id!r} was written down before: give another name"
            ) from error
        except (sqlite3.Error, OSError) as error:
            raise _busy(self._path, error) from error

    def drop(self, name: str, now_s: EpochS) -> None:
        """Take a call back.

        Raises:
            InputError: There is none of that name that stands.
            ContractError: It is no name.
            StoreBusyError: The file cannot be written now.
        """
        checked_name(name, "id")
        if not self._path.exists():
            raise InputError(f"there is no call {name[:60]!r}: 'kwartier calls list' shows them")
        try:
            with closing(sqlite3.connect(self._path, timeout=5)) as book, book:
                book.execute(_TABLE)
                found = book.execute(
                    "update call set dropped_s = ? where id = ? and dropped_s is null",
                    (now_s, name),
                )
                if not found.rowcount:
                    raise InputError(
                        f"there is no call {name[:60]!r} in force: 'kwartier calls list' shows them"
                    )
        except sqlite3.Error as error:
            raise _busy(self._path, error) from error

    def every(self) -> tuple[PutCall, ...]:
        """Return all calls in order of time, also those that were dropped.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        return self._read("1 = 1", ())

    def between(self, start_s: EpochS, end_s: EpochS) -> tuple[PutCall, ...]:
        """Return the calls that stand and touch ``[start_s, end_s)``, in order of time.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        return self._read("dropped_s is null and start_s < ? and end_s > ?", (end_s, start_s))

    def _read(self, where: str, values: tuple[int, ...]) -> tuple[PutCall, ...]:
        if not self._path.exists():
            return ()
        try:
            with closing(sqlite3.connect(self._path, timeout=5)) as book:
                rows = book.execute(
                    f"select * from call where {where} order by start_s, id",  # noqa: S608 - ours
                    values,
                ).fetchall()
        except sqlite3.Error as error:
            raise _busy(self._path, error) from error
        return tuple(PutCall(*row) for row in rows)


def _refuse_odd(call: PutCall) -> None:
    checked_name(call.id, "id")
    for word, at_s in (("--from", call.start_s), ("--to", call.end_s)):
        if at_s % QUARTER_S:
            raise InputError(
                f"{word} {instant_text(at_s)} is not the start of a quarter-hour: "
                "use minute 00, 15, 30 or 45"
            )
    if not 0 < call.end_s - call.start_s <= LONGEST_S:
        raise InputError(
            f"--to {instant_text(call.end_s)} is not after --from, or more than a week after it: "
            "give the end of the window"
        )
    if call.end_s > LAST_S:
        raise InputError(
            f"--to {instant_text(call.end_s)} is after {instant_text(LAST_S)}: give the right year"
        )
    if call.end_s <= call.entered_s:
        raise InputError(
            f"--to {instant_text(call.end_s)} is past: only what is to come can be planned"
        )
    limits = [one for one in (call.import_limit_w, call.export_limit_w) if one is not None]
    if not limits:
        raise InputError("give --import-limit-w, --export-limit-w, or both: a call lowers a limit")
    odd = [one for one in limits if not 0 <= one <= MOST_LIMIT_W]
    if odd:
        raise InputError(f"a limit is {odd[0]} W: give 0 to {MOST_LIMIT_W}")
    if not 0 <= call.reward_eur_per_kwh <= MOST_REWARD_EUR:
        raise InputError(
            f"--reward is {call.reward_eur_per_kwh:g} EUR/kWh: give 0 to {MOST_REWARD_EUR:g}"
        )


def _busy(path: Path, error: sqlite3.Error | OSError) -> StoreBusyError:
    return StoreBusyError(f"the book of calls {path} cannot be used now: {error}")


def steps_of(call: PutCall, start: Quarter, count: int) -> tuple[int, int]:
    """Return the first and the last step of a horizon that a call holds in."""
    first = max(0, (call.start_s - start.start_s) // QUARTER_S)
    last = min(count, (call.end_s - start.start_s) // QUARTER_S) - 1
    return first, last
