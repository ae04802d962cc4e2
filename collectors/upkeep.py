"""Housekeeping of the record: settle finished hours and let go of old detail, in short steps.

Intake waits for a step, so that each is small, and between two steps it may go first.
"""

from __future__ import annotations

import logging
import threading

from collectors.sqlite_store import SqliteStore
from kwartier.clock import Clock
from kwartier.errors import StoreBusyError
from kwartier.units import EpochS

_log = logging.getLogger(__name__)

_EVERY_S = 60.0
_LATE_S = 2 * 3600
"""An hour is settled this long after it began to be complete; later readings still join it [s]."""
_JOURNAL_S = 31 * 86_400
"""How long blocks stay as they came, for a database that is behind [s]."""
EVENTS_S = 400 * 86_400
"""How long it is known what happened on gateways [s]."""
_BREATH_S = 0.02


class Upkeep:
    """Keeps one record tidy."""

    def __init__(self, store: SqliteStore, clock: Clock, detail_s: int) -> None:
        """Keep single readings for ``detail_s`` seconds."""
        self._store = store
        self._clock = clock
        self._detail_s = detail_s

    def run(self, stop: threading.Event) -> None:
        """Tidy once a minute until told to stop; a store that is busy is tried again."""
        while not stop.wait(_EVERY_S):
            try:
                self.turn(stop)
            except StoreBusyError as error:
                _log.warning("upkeep waits: %s", error)

    def turn(self, stop: threading.Event) -> None:
        """Do all that is due now."""
        now_s: EpochS = int(self._clock.now_s())
        while self._store.merge(now_s - _LATE_S):
            if stop.wait(_BREATH_S):
                return
        while self._store.forget_detail(now_s - self._detail_s):
            if stop.wait(_BREATH_S):
                return
        while self._store.forget_journal(now_s - _JOURNAL_S):
            if stop.wait(_BREATH_S):
                return
        self._store.forget_dead_letters()
        self._store.forget_events(now_s - EVENTS_S)
