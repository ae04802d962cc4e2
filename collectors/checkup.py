"""How the record does: how full, and whether its file is sound; kept where others can read it.

A quick look every night, a thorough one every week, each on a reader's connection: intake does not
wait for it. What was found stands in a small file beside the record, so that it can be read while
the record cannot.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from collectors import sqlite_months, sqlite_upkeep
from collectors.months.shelf import Shelf
from collectors.sqlite_schema import StoreDamagedError
from collectors.sqlite_store import SqliteStore
from kwartier.clock import Clock
from kwartier.durable import replace_file
from kwartier.errors import InputError, StoreBusyError
from kwartier.units import EpochS

_LOG = logging.getLogger(__name__)

ALARMS_PERMILLE = (800, 900)
"""How full the record or its file system is when somebody is told [1/1000]."""
_BELOW_PERMILLE = 20
"""So much below an alarm it is over, so that it is not told again and again [1/1000]."""
_NIGHT = range(1, 5)
"""The hours of UTC in which the file is looked at."""
_QUICK_S = 86_400
_THOROUGH_S = 7 * 86_400
_QUICK_MOST_S = 900.0
_THOROUGH_MOST_S = 3600.0
_STEPS = 200_000
_MOST_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Looked:
    """One look at the file.

    Attributes:
        at_s: When it ended [s]; 0 for never.
        seconds: How long it took [s].
        is_done: Whether it came to its end within its time.
        problems: What is wrong, in lines to read; none when it is sound.
    """

    at_s: EpochS = 0
    seconds: float = 0.0
    is_done: bool = False
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """How a record does.

    Attributes:
        told_s: When this was written [s].
        record_bytes: How large the record is.
        months_bytes: How large its month files are together.
        max_bytes: The most it may grow to; 0 for as much as the disk holds.
        record_permille: How full it is of that, without room that was freed in it; None without
            such a limit.
        disk_permille: How full its file system is.
        alarm_permille: The highest alarm that stands; 0 for none.
        quick: The last quick look.
        thorough: The last thorough look.
        months_away: Month files that the record relies on and that are not there.
        doubted_s: Since when the clock is in doubt, by itself [s]; 0 while it is believed.
    """

    told_s: EpochS = 0
    record_bytes: int = 0
    months_bytes: int = 0
    max_bytes: int = 0
    record_permille: int | None = None
    disk_permille: int = 0
    alarm_permille: int = 0
    quick: Looked = field(default_factory=Looked)
    thorough: Looked = field(default_factory=Looked)
    months_away: tuple[str, ...] = ()
    doubted_s: EpochS = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found wrong."""
        return not (self.quick.problems or self.thorough.problems or self.months_away)


class Disk(Protocol):
    """Says how full the file system of a path is."""

    def __call__(self, path: Path, /) -> int:
        """Return it [1/1000]."""


def disk_permille(path: Path) -> int:
    """Return how full the file system of a path is, for those without root's reserve [1/1000].

    Raises:
        StoreBusyError: It cannot be reached now.
    """
    try:
        told = os.statvfs(path)
    except OSError as error:
        raise StoreBusyError(f"{path}: {error.strerror}: how full it is cannot be seen") from error
    used = told.f_blocks - told.f_bfree
    return 1000 * used // max(1, used + told.f_bavail)


def condition_path(record: Path) -> Path:
    """Return where the condition of a record is written: beside it."""
    return record.with_name(f"{record.name}.condition")


def read_condition(record: Path) -> Condition | None:
    """Return what was written last of a record; None when nothing was yet.

    Raises:
        InputError: It cannot be read.
    """
    place = condition_path(record)
    try:
        with place.open("rb") as file:
            told = json.loads(file.read(_MOST_BYTES))
        return Condition(
            quick=_looked(told.pop("quick")),
            thorough=_looked(told.pop("thorough")),
            months_away=tuple(told.pop("months_away")),
            **told,
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{place}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{place}: does not tell how the record does: remove it") from error


def _looked(told: Mapping[str, object]) -> Looked:
    problems = told["problems"]
    if not isinstance(problems, list):
        raise TypeError(problems)
    at_s, seconds, is_done = told["at_s"], told["seconds"], told["is_done"]
    if not (isinstance(at_s, int) and isinstance(seconds, int | float)):
        raise TypeError(told)
    return Looked(at_s, float(seconds), is_done is True, tuple(map(str, problems)))


class Checkup:
    """Looks after one record's condition."""

    def __init__(self, store: SqliteStore, clock: Clock, disk: Disk = disk_permille) -> None:
        """Look after a record; what was written of it before still counts."""
        self._store = store
        self._clock = clock
        self._disk = disk
        try:
            told = read_condition(store.path)
        except InputError as error:
            _LOG.warning("%s", error)
            told = None
        self._condition = told or Condition()
        self._born_s = int(clock.now_s())

    @property
    def told(self) -> Condition:
        """How the record did when that was written last."""
        return self._condition

    def turn(self, stop: threading.Event, doubted_s: EpochS = 0) -> Condition:
        """Look at what is due, write down how the record does, and return it.

        Args:
            stop: Breaks it off.
            doubted_s: Since when the clock is in doubt [s]; written down, so that the next process
                doubts it as well. 0 for not at all.

        Raises:
            StoreBusyError: The record, or how full its disk is, cannot be read now.
        """
        now_s = int(self._clock.now_s())
        before = self._condition
        told = replace(self._sized(before, now_s), doubted_s=doubted_s)
        if self._is_due(before.thorough, _THOROUGH_S, now_s):
            told = replace(told, thorough=self._look(stop, quick=False))
        elif self._is_due(max(before.quick, before.thorough, key=_when), _QUICK_S, now_s):
            told = replace(told, quick=self._look(stop, quick=True))
        if stop.is_set():
            return before
        if told.months_away and not before.months_away:
            _LOG.error("month files are not there: %s", ", ".join(told.months_away[:5]))
        self._condition = told
        try:
            replace_file(condition_path(self._store.path), json.dumps(asdict(told)).encode())
        except OSError as error:
            _LOG.warning("%s: %s", condition_path(self._store.path).name, error.strerror)
        return told

    def _sized(self, before: Condition, now_s: EpochS) -> Condition:
        record = self._store.size_bytes()
        most = self._store.max_bytes or 0
        with self._store.asking() as connection:
            relied = [put.name for put in sqlite_months.noted(connection)]
            (used,) = connection.execute(
                "SELECT (page_count - freelist_count) * page_size"
                " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
            ).fetchone()
        there = set(self._store.shelf.parts())
        record_permille = 1000 * int(used) // most if most else None
        disk = self._disk(self._store.path.parent)
        fullest = max(record_permille or 0, disk)
        return replace(
            before,
            told_s=now_s,
            record_bytes=record,
            months_bytes=_months_bytes(self._store.shelf),
            max_bytes=most,
            record_permille=record_permille,
            disk_permille=disk,
            alarm_permille=_alarm(fullest, before.alarm_permille),
            months_away=tuple(str(name) for name in relied if name not in there),
        )

    def _is_due(self, last: Looked, every_s: int, now_s: EpochS) -> bool:
        """Return whether it is night and long enough ago, or two nights were missed.

        A look that a clock once too far ahead put into the future counts as none.
        """
        if now_s - max(last.at_s, self._born_s) >= every_s + 2 * _QUICK_S:
            return True
        is_night = datetime.fromtimestamp(now_s, UTC).hour in _NIGHT
        return is_night and not 0 <= now_s - last.at_s < every_s - 6 * 3600

    def _look(self, stop: threading.Event, *, quick: bool) -> Looked:
        """Look at the file, no longer than allowed."""
        began_s = self._clock.monotonic_s()
        ends_s = began_s + (_QUICK_MOST_S if quick else _THOROUGH_MOST_S)

        def is_over() -> bool:
            return stop.is_set() or self._clock.monotonic_s() > ends_s

        problems: list[str] = []
        is_done = True
        try:
            with self._store.asking() as connection:
                connection.set_progress_handler(is_over, _STEPS)
                try:
                    problems = sqlite_upkeep.problems(connection, quick=quick)
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                        raise
                    is_done = False
                finally:
                    connection.set_progress_handler(None, 0)
        except StoreDamagedError as error:
            problems = [str(error)]
        if problems:
            _LOG.error("the record is damaged: %s", problems[0])
        if not is_done and not stop.is_set():
            _LOG.warning("looking at the record took too long, and was broken off")
        seconds = round(self._clock.monotonic_s() - began_s, 3)
        return Looked(int(self._clock.now_s()), seconds, is_done, tuple(problems))


def _when(looked: Looked) -> EpochS:
    return looked.at_s


def _alarm(permille: int, before: int) -> int:
    """Return the alarm that stands now, and say it once when it rises or is over."""
    now = max((alarm for alarm in ALARMS_PERMILLE if permille >= alarm), default=0)
    if now < before and permille >= before - _BELOW_PERMILLE:
        return before
    if now > before:
        _LOG.error("the record's place is %d %% full: make room, or keep less", permille // 10)
    elif now < before:
        _LOG.warning("the record's place is %d %% full again", permille // 10)
    return now


def _months_bytes(shelf: Shelf) -> int:
    return sum(shelf.size_bytes(part) for part in shelf.parts())
