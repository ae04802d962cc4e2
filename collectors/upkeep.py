"""Housekeeping of the record: settle finished hours, put old months away, let go of what is old.

Intake waits for a step, so that each is small, and between two steps it may go first. How long
what stays is in `collectors.retention`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from collectors.checkup import Checkup
from collectors.clock_doubt import ClockDoubt
from collectors.finality import final_before, read_finality
from collectors.months.calendar import Month
from collectors.months.closing import Closing
from collectors.months.parquet import MonthDamagedError
from collectors.retention import (
    DEAD_LETTERS_S,
    EVENTS_S,
    JOURNAL_S,
    QUARTERS_AFTER_S,
    Keep,
)
from collectors.sqlite_schema import StoreDamagedError
from collectors.sqlite_store import SqliteStore
from kwartier.clock import Clock
from kwartier.errors import InputError, StoreBusyError
from kwartier.units import EpochS

_LOG = logging.getLogger(__name__)

_EVERY_S = 60.0
_LATE_S = 2 * 3600
"""An hour is settled this long after it began to be complete; later readings still join it [s]."""
_BREATH_S = 0.02


class Upkeep:
    """Keeps one record tidy."""

    def __init__(self, store: SqliteStore, clock: Clock, keep: Keep) -> None:
        """Keep what can be chosen as long as told."""
        self._store = store
        self._clock = clock
        self._keep = keep
        self._closing = Closing(store.shelf, store.asking, store.changing)
        self._checkup = Checkup(store, clock)
        before = self._checkup.told
        self._doubt = ClockDoubt(clock, before.told_s or None, before.doubted_s)
        self._troubles: set[str] = set()
        self._let_go_s: EpochS | None = None

    def run(self, stop: threading.Event) -> None:
        """Tidy once a minute until told to stop; a store that is busy is tried again."""
        while not stop.wait(_EVERY_S):
            for part in (self.turn, self.look):
                try:
                    part(stop)
                except StoreBusyError as error:
                    _LOG.warning("upkeep waits: %s", error)
                except StoreDamagedError as error:
                    self._say_once("damage", str(error))

    def look(self, stop: threading.Event) -> None:
        """Look how the record does, and write that down."""
        self._checkup.turn(stop, self._doubt.since_s if self._doubt.stands() else 0)

    def turn(self, stop: threading.Event) -> None:
        """Do all that is due now; while the clock is in doubt, nothing is let go."""
        now_s: EpochS = int(self._clock.now_s())
        store = self._store
        _repeat(lambda: store.merge(now_s - _LATE_S), stop)
        if self._doubt.stands():
            return
        self._age(now_s, stop)
        _repeat(lambda: store.forget_journal(now_s - JOURNAL_S), stop)
        self._forget_quarters(now_s, stop)
        _repeat(lambda: store.forget_dead_letters(now_s - DEAD_LETTERS_S), stop)
        if not stop.is_set():
            store.forget_events(now_s - EVENTS_S)

    def _age(self, now_s: EpochS, stop: threading.Event) -> None:
        """Put single readings away that are old enough, and forget those that are too old."""
        before_s = now_s - self._keep.detail_s
        if self._keep.months:
            kept_s = Month.containing(now_s).later(-self._keep.months).start_s
            before_s = min(before_s, kept_s)
        _repeat(lambda: self._store.forget_detail(before_s), stop)
        if stop.is_set():
            return
        try:
            self._closing.forget_before(before_s)
            if self._keep.months:
                self._closing.turn(before_s, now_s - self._keep.detail_s, now_s, stop)
        except MonthDamagedError as error:
            self._say_once("months", str(error))
        else:
            self._troubles.discard("months")

    def _forget_quarters(self, now_s: EpochS, stop: threading.Event) -> None:
        try:
            told = read_finality(self._store.path)
        except InputError as error:
            self._say_once("finality", str(error))
            return
        self._troubles.discard("finality")
        before_s = final_before(told, now_s, QUARTERS_AFTER_S)
        if before_s is None or before_s == self._let_go_s:
            return  # to look at every series again each minute would hold up intake
        _repeat(lambda: self._store.forget_quarters(before_s), stop)
        if not stop.is_set():
            self._let_go_s = before_s

    def _say_once(self, what: str, text: str) -> None:
        if what not in self._troubles:
            _LOG.error("upkeep: %s", text)
            self._troubles.add(what)


def _repeat(step: Callable[[], int], stop: threading.Event) -> None:
    """Do a short step until it finds nothing left to do."""
    while not stop.is_set() and step():
        stop.wait(_BREATH_S)
