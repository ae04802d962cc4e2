"""The thread that forecasts homes at night, a stretch in each quarter, and never in a plan's way.

It works at most ``BUDGET_S`` in a quarter-hour, rests after each piece as long as that took, and
has a low claim on the processor.
"""

from __future__ import annotations

import logging
import threading
import time

from api.forecasts.aside import work_low
from api.forecasts.homes import HomeForecasts
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.interval import QUARTER_S

_log = logging.getLogger(__name__)

BUDGET_S = 240.0
"""How much is worked in a quarter at most [s]; with as much rest it ends before the next plan."""
_AFTER_PLAN_S = 60
"""A quarter's plan goes first [s]."""
_LOOK_S = 20.0


class NightWork:
    """Forecasts homes on a thread of its own from ``start`` to ``stop``."""

    def __init__(self, homes: HomeForecasts, clock: Clock, budget_s: float = BUDGET_S) -> None:
        """Work for ``homes``, at most ``budget_s`` in each quarter-hour."""
        self._homes = homes
        self._clock = clock
        self._budget_s = budget_s
        self._quarter = -1
        self._spent_s = 0.0
        self._why: str | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="home-forecasts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the piece that is being worked at: a second at most."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def turn(self) -> None:
        """Work as long as this quarter's budget lasts; say once why it cannot be done."""
        now_s = self._clock.now_s()
        quarter, into_s = divmod(int(now_s), QUARTER_S)
        if quarter != self._quarter:
            self._quarter, self._spent_s = quarter, 0.0
        if into_s < _AFTER_PLAN_S or self._spent_s >= self._budget_s:
            return
        stretch = _Stretch(self._budget_s - self._spent_s, self._stopping)
        try:
            self._homes.work(now_s, stretch.goes_on, stretch.worked_s)
        except KwartierError as error:
            if self._why is None:
                _log.warning("homes are not forecast now: %s", error)
            self._why = str(error)
        except Exception as error:  # noqa: BLE001 - the outermost loop of this thread; it must live on
            if self._why is None:
                _log.exception("homes are not forecast now")
            self._why = str(error)
        else:
            if self._why is not None:
                _log.warning("homes are forecast again")
            self._why = None
        finally:
            self._spent_s += stretch.worked_s()

    def _run(self) -> None:
        work_low()
        while not self._stopping.wait(_LOOK_S):
            self.turn()


class _Stretch:
    """A stretch of work in pieces, with a rest after each."""

    def __init__(self, budget_s: float, stopping: threading.Event) -> None:
        self._budget_s = budget_s
        self._stopping = stopping
        self._worked_s = 0.0
        self._since_s = time.monotonic()

    def goes_on(self) -> bool:
        """Rest as long as the last piece took, and return whether there is time for another."""
        took_s = time.monotonic() - self._since_s
        self._worked_s += took_s
        stopped = self._stopping.wait(took_s)
        self._since_s = time.monotonic()
        return not stopped and self._worked_s < self._budget_s

    def worked_s(self) -> float:
        """Return how long was worked until now, without the rests [s]."""
        return self._worked_s + time.monotonic() - self._since_s
