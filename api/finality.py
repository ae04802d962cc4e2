"""Tells each record which months the books have settled for good, again and again.

The books know what is closed and no record; the collector knows its record and no books. Both are
known here. Looking every few minutes sees a run that was closed on a page as well as one closed by
a command, and a correction that opens its month again long before anything would be let go.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.cooperative.database import Desk
from api.cooperative.law import key_is_approved, key_records
from api.cooperative.runs import State, runs
from api.cooperative.runs.month import Month
from api.office import Office
from collectors.finality import agree_final, oldest_quarter_s
from collectors.sqlite_store import SqliteStore
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.interval import HOME_ZONE
from kwartier.units import EpochS

_log = logging.getLogger(__name__)

EVERY_S = 300.0
"""How often records are told [s]."""
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Settled:
    """What the books say of finality.

    Attributes:
        begin_s: From when on months can be settled: the first key in force began [s].
        months: The months whose newest run is closed, and that nobody corrects now.
    """

    begin_s: EpochS
    months: frozenset[Month]

    def upto(self, oldest_s: EpochS) -> tuple[EpochS, EpochS]:
        """Return the first instant asked about, and up to where all months are settled [s].

        Args:
            oldest_s: When the oldest quarter of a record began [s].
        """
        day = datetime.fromtimestamp(max(oldest_s, self.begin_s), HOME_ZONE)
        month = Month(day.year, day.month)
        first_s = month.start_s
        while month in self.months:
            month = month.plus(1)
        return first_s, month.start_s


def settled(desk: Desk) -> Settled | None:
    """Return what the books say of finality; None while they settle nothing.

    A month that is being corrected is not final until that run is closed or given up.
    """
    newest = {run.name.month: run.state for run in runs(desk) if run.state is not State.WITHDRAWN}
    begins = [key.from_s for key in key_records(desk) if key_is_approved(desk, key)]
    if not newest or not begins:
        return None
    closed = frozenset(month for month, state in newest.items() if state is State.CLOSED)
    return Settled(min(begins), closed)


class Telling:
    """Tells records what is final."""

    def __init__(self, office: Office, records: Sequence[Path], clock: Clock) -> None:
        """Tell these records what these books say."""
        self._office = office
        self._records = tuple(records)
        self._clock = clock
        self._troubles: dict[Path, str] = {}

    def run(self, stop: threading.Event, every_s: float = EVERY_S) -> None:
        """Tell now, and again until told to stop."""
        while True:
            try:
                self.turn()
            except Exception:  # noqa: BLE001 - the outermost loop of this thread; it must live on
                _log.exception("records are not told what is settled for good: a mistake of ours")
            if stop.wait(every_s):
                return

    def turn(self) -> None:
        """Tell every record; one that cannot be told now is told the next time."""
        try:
            with self._office.reading() as desk:
                known = settled(desk)
        except KwartierError as error:
            self._say_once(Path("books"), str(error))
            return
        self._troubles.pop(Path("books"), None)
        if known is None:
            return
        for record in self._records:
            try:
                self._tell(record, known)
            except KwartierError as error:
                self._say_once(record, str(error))
            else:
                self._troubles.pop(record, None)

    def _tell(self, record: Path, known: Settled) -> None:
        with SqliteStore(record, read_only=True) as store:
            oldest_s = oldest_quarter_s(store)
        if oldest_s is None:
            return
        first_s, upto_s = known.upto(oldest_s)
        if agree_final(record, first_s, upto_s, int(self._clock.now_s())):
            day = datetime.fromtimestamp(upto_s, HOME_ZONE).date()
            _log.info("%s: what was measured before %s is settled for good", record.name, day)

    def _say_once(self, what: Path, text: str) -> None:
        if self._troubles.get(what) != text:
            _log.warning("%s cannot be told what is settled for good: %s", what.name, text)
            self._troubles[what] = text


@contextmanager
def telling(office: Office, records: Sequence[Path], clock: Clock) -> Iterator[None]:
    """Tell records what is final, beside the rest, until the block is left."""
    stop = threading.Event()
    told = Telling(office, records, clock)
    thread = threading.Thread(target=told.run, args=(stop,), name="finality", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_PATIENCE_S)
