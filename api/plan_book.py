"""The plan book kept in SQLite: one line of time, rewritten from each new plan's start on."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, replace
from pathlib import Path

from api.plans import MadeBecause, NeighbourhoodPlan, PlanBlock, PlannedQuarter, ToldBattery
from kwartier.errors import StoreBusyError
from kwartier.interval import QUARTER_S
from kwartier.model import Battery
from kwartier.units import EpochS

BOOK = "plans.db"
"""Its name in the server's folder."""
KEEP_S = 400 * 86_400
"""How long a planned quarter is remembered [s]: a year and a month."""
_DAMAGED = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})

_TABLES = """
create table if not exists plan (
    made_s integer not null, name text not null, status text not null, first_s integer not null,
    end_s integer not null, cost_eur real not null, cost_without_battery_eur real not null,
    made_because text not null default 'quarter',
    primary key (made_s, name)
) without rowid;
create table if not exists planned_quarter (
    start_s integer primary key, solar_wh integer not null, use_wh integer not null,
    battery_w integer not null, soc_permille integer not null, price_eur_per_kwh real not null
);
create table if not exists plan_block (
    start_s integer not null, end_s integer not null, battery text not null, action text not null,
    because text not null, text_nl text not null, text_en text not null,
    primary key (start_s, battery)
) without rowid;
create table if not exists command (
    only integer primary key check (only = 1), last integer not null
);
create table if not exists told_battery (
    battery text not null, gateway text not null, device text not null, home text,
    until_s integer not null, primary key (gateway, device)
) without rowid;
"""

_KEEP_TOLD = """
insert into told_battery values (?, ?, ?, ?, ?)
on conflict do update set battery = excluded.battery, home = excluded.home,
    until_s = max(until_s, excluded.until_s)
"""


class SqlitePlanBook:
    """A ``PlanBook`` in one small file; safe to share between threads."""

    def __init__(self, path: Path | str) -> None:
        """Open the book, or start one; ``:memory:`` keeps it in this process only.

        Raises:
            StoreBusyError: The file cannot be opened or written now, or is damaged.
        """
        self._lock = threading.Lock()
        self._path = path
        with _translated(path, "opened"):
            self._book = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._book.execute("pragma journal_mode = wal")
            self._book.execute("pragma busy_timeout = 5000")
            self._book.executescript(_TABLES)
            _catch_up(self._book)

    def keep(self, plan: NeighbourhoodPlan) -> None:
        """Write down a plan; what older plans say from its first quarter on is replaced.

        Raises:
            StoreBusyError: The file cannot be written now; nothing was changed.
        """
        assert plan.quarters, plan.name
        with self._writing() as cursor:
            _rewrite(cursor, plan)

    def next_command(self, at_least: int, count: int = 1) -> int:
        """Return the first of some numbers for commands, one after the other, in one write.

        All are above every one before, also after a restart.

        Raises:
            StoreBusyError: The file cannot be written now; no number was given.
        """
        with _translated(self._path, "written"), self._lock:
            (last,) = self._book.execute(
                "insert into command values (1, ?) on conflict do update"
                " set last = max(last + ?, excluded.last) returning last",
                (at_least + count - 1, count),
            ).fetchone()
        return int(last) - count + 1

    def keep_told(self, batteries: Sequence[Battery], until_s: EpochS) -> None:
        """Remember until when some batteries may follow what they are told [s], and where.

        Raises:
            StoreBusyError: The file cannot be written now; nothing was changed.
        """
        rows = [(one.id, one.gateway, one.device, one.home, until_s) for one in batteries]
        with self._writing() as cursor:
            cursor.executemany(_KEEP_TOLD, rows)

    def told_batteries(self) -> list[ToldBattery]:
        """Return every battery that was ever told anything, as it was then.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        with _translated(self._path, "read"), self._lock:
            return _told(self._book)

    def current(self) -> NeighbourhoodPlan | None:
        """Return the plan that was made last, or None.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        with _translated(self._path, "read"), self._lock:
            row = self._book.execute(
                "select first_s, end_s from plan order by made_s desc, name desc limit 1"
            ).fetchone()
        return None if row is None else self.covering(row[0], row[1])

    def covering(self, start_s: EpochS, end_s: EpochS) -> NeighbourhoodPlan | None:
        """Return what was last planned for each quarter of ``[start_s, end_s)``, or None.

        Raises:
            StoreBusyError: The file cannot be read now.
        """
        with _translated(self._path, "read"), self._lock:
            head = self._book.execute(
                "select name, made_s, status, cost_eur, cost_without_battery_eur, made_because"
                " from plan where first_s < ? and end_s > ?"
                " order by made_s desc, name desc limit 1",
                (end_s, start_s),
            ).fetchone()
            quarters = self._book.execute(
                "select * from planned_quarter where start_s >= ? and start_s < ? order by start_s",
                (start_s, end_s),
            ).fetchall()
            blocks = self._book.execute(
                "select * from plan_block where start_s < ? and end_s > ?"
                " order by battery, start_s",
                (end_s, start_s),
            ).fetchall()
        if head is None or not quarters:
            return None
        name, made_s, status, cost_eur, cost_without_battery_eur, because = head
        return NeighbourhoodPlan(
            name,
            made_s,
            status,
            tuple(PlannedQuarter(*row) for row in quarters),
            _joined([PlanBlock(*row) for row in blocks]),
            cost_eur,
            cost_without_battery_eur,
            MadeBecause(because),
        )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._book.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Cursor]:
        """Give one transaction: all of it is kept at the end, or nothing after an error."""
        with _translated(self._path, "written"), self._lock, closing(self._book.cursor()) as cursor:
            cursor.execute("begin immediate")
            try:
                yield cursor
                cursor.execute("commit")
            finally:
                if self._book.in_transaction:
                    cursor.execute("rollback")


def told_in(path: Path) -> list[ToldBattery]:
    """Return what a book that may be in use, or away, says of batteries; its file stays as it is.

    Raises:
        StoreBusyError: The file cannot be read, or is damaged.
    """
    if not path.is_file():
        return []
    address = f"{path.absolute().as_uri()}?mode=ro"
    with _translated(path, "read"), closing(sqlite3.connect(address, uri=True)) as book:
        said = book.execute("select 1 from sqlite_master where name = 'told_battery'").fetchone()
        return _told(book) if said else []  # a book of an earlier version does not say it


@contextmanager
def _translated(path: Path | str, done: str) -> Iterator[None]:
    """Tell what SQLite says in our own words, also of a file that is damaged."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        is_damaged = getattr(error, "sqlite_errorname", "") in _DAMAGED
        remedy = (
            ": set the file aside and start again, and a new one is begun" if is_damaged else ""
        )
        raise StoreBusyError(
            f"{path}: the plan book cannot be {done} now: {error}{remedy}"
        ) from error


def _told(book: sqlite3.Connection) -> list[ToldBattery]:
    rows = book.execute(
        "select battery, gateway, device, home, until_s from told_battery order by gateway, device"
    )
    return [ToldBattery(*row) for row in rows]


def _catch_up(book: sqlite3.Connection) -> None:
    """Bring a book of an earlier release up to date."""
    columns = {row[1] for row in book.execute("pragma table_info(plan)")}
    if "made_because" not in columns:
        book.execute("alter table plan add column made_because text not null default 'quarter'")
    if book.execute("select 1 from sqlite_master where name = 'told_until'").fetchone():
        # Where such a battery was told is not known: its name stands for its place, at no gateway.
        book.executescript(
            "begin immediate; insert or ignore into told_battery"
            " select battery, '', battery, null, until_s from told_until;"
            " drop table told_until; commit"
        )


def _rewrite(cursor: sqlite3.Cursor, plan: NeighbourhoodPlan) -> None:
    first_s, end_s = plan.quarters[0].start_s, plan.quarters[-1].start_s + QUARTER_S
    cursor.execute(
        "insert or replace into plan values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            plan.made_s,
            plan.name,
            plan.status,
            first_s,
            end_s,
            plan.cost_eur,
            plan.cost_without_battery_eur,
            plan.made_because.value,
        ),
    )
    cursor.execute("delete from planned_quarter where start_s >= ?", (first_s,))
    cursor.execute("delete from plan_block where start_s >= ?", (first_s,))
    cursor.execute("update plan_block set end_s = ? where end_s > ?", (first_s, first_s))
    cursor.executemany(
        "insert into planned_quarter values (?, ?, ?, ?, ?, ?)", map(astuple, plan.quarters)
    )
    cursor.executemany(
        "insert into plan_block values (?, ?, ?, ?, ?, ?, ?)", map(astuple, plan.blocks)
    )
    for forget in (
        "delete from planned_quarter where start_s < ?",
        "delete from plan_block where end_s < ?",
        "delete from plan where end_s < ?",
    ):
        cursor.execute(forget, (plan.made_s - KEEP_S,))


def _joined(blocks: list[PlanBlock]) -> tuple[PlanBlock, ...]:
    """Return blocks with those that touch and say the same made one."""
    told: list[PlanBlock] = []
    for block in blocks:
        last = told[-1] if told else None
        if last is not None and replace(last, start_s=last.end_s, end_s=block.end_s) == block:
            told[-1] = replace(last, end_s=block.end_s)
        else:
            told.append(block)
    return tuple(told)
