"""One inverter, limited while its connection would give more to the grid than it may.

``turn`` does what is due; ``start`` runs it once a second. The inverter is asked only while it is
limited, or while the meter says that a limit is needed. The limit has a timer in the inverter
itself, renewed at a third of it: when this gateway dies, the inverter makes what it can again.
That also ends the cap. Where a grid operator asks for one that holds without a gateway, it belongs
in the inverter's own settings.

A battery comes first where its own ``export_max_w`` is lower than this one by 200 W or more: it
charges as soon as its lower cap is met, which is use of the home, and the inverter may make it.
The two do not pull at each other: each leaves alone what is below its own cap.

On stop what stood there before is put back. After a crash a limit of ours is taken over instead,
within its timer: to end it and to set it again would give too much in between.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from gateway.steer.control_loop import ControlLoop
from gateway.steer.limits import Seen
from gateway.steer.meter_view import MeterView
from gateway.steer.solar_budget import LimitWritesSpentError, SolarBudget
from gateway.steer.solar_cap import ExportCap, Now
from gateway.steer.solar_inverter import Inverter, WrongRatingError
from gateway.steer.solar_journal import LimitJournal
from gateway.steer.solar_limit import ForeignLimitError, HeldLimit, LimitNotHeldError
from gateway.steer.solar_news import SolarNews
from gateway.steer.solar_settings import LimitedInverter
from gateway.steer.steering import NoRevertTimerError, SteeredUnit, UnsayableSetpointError, follows
from hardware.registers import RegistersRefusedError
from kwartier.clock import Clock
from kwartier.errors import KwartierError, LinkDownError, TemporaryError
from kwartier.events import Event
from kwartier.reading import Reading
from kwartier.units import Watt

_REWRITE_S = 5.0


@dataclass(frozen=True, slots=True)
class SolarRhythm:
    """How often what is done.

    Attributes:
        revert_s: When the inverter forgets a limit by itself [s].
        away_s: Between two tries of an inverter that does not answer while it is needed [s].
        asleep_s: The same while it is not needed [s].
        pause_s: Before the next try after a limit that was not held [s]; each one doubles it.
        foreign_s: Between two looks whether another's limit is still there [s].
        unfit_s: Between two looks at an inverter that cannot be limited [s].
        trouble_s: What lasts longer than this is told [s].
    """

    revert_s: int = 90
    away_s: float = 5.0
    asleep_s: float = 60.0
    pause_s: float = 15.0
    foreign_s: float = 60.0
    unfit_s: float = 900.0
    trouble_s: float = 60.0


class CappedInverter:
    """Keeps one inverter below its connection's export cap; safe to call from several threads."""

    def __init__(
        self,
        unit: SteeredUnit,
        settings: LimitedInverter,
        clock: Clock,
        folder: Path,
        *,
        event: Callable[[Event], None] | None = None,
        rhythm: SolarRhythm | None = None,
    ) -> None:
        """Describe the inverter; nothing is asked or written before ``start`` or ``turn``.

        Args:
            unit: Its registers.
            settings: Which one it is, and its cap.
            clock: The gateway's clock.
            folder: Keeps what stood in it before, and how often it was written today.
            event: Takes word of what somebody should look after; None where nobody hears it.
            rhythm: How often what is done.
        """
        name = settings.device
        self._settings = settings
        self._clock = clock
        self._rhythm = rhythm or SolarRhythm()
        self._journal = LimitJournal(folder / f"{name}.limit.json")
        self._budget = SolarBudget(folder / f"{name}.limits.json", clock)
        self._inverter = Inverter(unit, settings, self._journal, self._budget)
        self._cap = ExportCap(settings.export_max_w, settings.rated_w, settings.sharing)
        self._news = SolarNews(name, clock, event)
        self._meter = MeterView()
        self._lock = threading.RLock()
        self._held_w: Watt | None = None
        self._again_s = self._written_s = self._paused_until_s = float("-inf")
        self._granted_s = 0
        self._failures = 0
        self._strays_since_s: float | None = None
        self._away_since_s: float | None = None
        self._needed = False
        self._loop = ControlLoop(f"limit {name}", self.turn)

    @property
    def held_w(self) -> Watt | None:
        """The limit that the inverter was seen to hold [W]; None for none that is known."""
        return self._held_w

    def count_turns(self) -> int:
        """Return how many turns came to their end, for whoever watches that the loop goes on."""
        return self._loop.count_turns()

    def start(self) -> None:
        """Take a turn every second on a thread of its own."""
        self._loop.start()

    def stop(self) -> None:
        """Put back what stood there before us, and stop; what cannot be reached ends by itself."""
        self._loop.stop()
        with self._lock:
            self._guarded(self._release, self._clock.monotonic_s())

    def see_grid(self, reading: Reading) -> None:
        """Note what the connection's meter says; never waits for the inverter."""
        self._meter.hear(reading, self._clock.monotonic_s())

    def turn(self) -> None:
        """Do what is due now: look, decide, limit or release."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if now_s >= self._paused_until_s:
                self._guarded(lambda: self._step(now_s), now_s)

    def _step(self, now_s: float) -> None:
        self._meter.look()
        seen = self._meter.seen(None, None, now_s)
        self._needed = self._cap.concerned(seen, now_s)
        if not self._needed and self._journal.prior is None:
            return
        if self._held_w is None and self._journal.prior is not None:
            self._take_over(now_s)
        power_w = self._inverter.power_w()
        now = Now(now_s, seen, power_w, self._held_w, self._budget.fine())
        limit_w = self._cap.decide(now)
        if limit_w is None:
            self._release()
        elif self._is_due(limit_w, power_w, now_s):
            self._put(limit_w, now_s)
        self._found()

    def _is_due(self, limit_w: Watt, power_w: Watt | None, now_s: float) -> bool:
        """Return whether the limit has to be written: it moved, ends soon, or is not obeyed."""
        strays = self._strays(power_w, now_s)
        return limit_w != self._held_w or now_s >= self._again_s or strays

    def _strays(self, power_w: Watt | None, now_s: float) -> bool:
        """Return whether the inverter makes more than it may, and its limit is worth a rewrite."""
        held_w, rated_w = self._held_w, self._settings.rated_w
        if held_w is None or power_w is None or power_w <= held_w:
            self._strays_since_s = None
            return False
        if follows(held_w, power_w, rated_w) or now_s < self._written_s + _REWRITE_S:
            return False
        if self._strays_since_s is None:
            self._strays_since_s = now_s
        if now_s >= self._strays_since_s + self._rhythm.trouble_s:
            why = f"limit not obeyed: the inverter makes {power_w} W and was limited to {held_w} W"
            self._news.failed("not obeyed", why)
        return True

    def _put(self, limit_w: Watt, now_s: float) -> None:
        percent = Decimal(limit_w) * 100 / self._settings.rated_w
        self._held_w = None  # until the inverter has been seen to hold it
        self._hold(self._inverter.limit().limit(percent, self._rhythm.revert_s))
        self._failures = 0
        self._written_s = now_s
        self._again_s = now_s + self._granted_s / 3

    def _take_over(self, now_s: float) -> None:
        """Go on with a limit of ours from before a crash or a silence, or end what is left."""
        limit = self._inverter.limit()
        standing = limit.standing()
        if standing is None:
            limit.release()
            self._news.limited(now=False)
        else:
            self._hold(standing)
            self._again_s = now_s

    def _hold(self, held: HeldLimit) -> None:
        self._held_w = int(held.percent * self._settings.rated_w / 100)
        self._granted_s = held.revert_s
        self._news.limited(now=True)

    def _release(self) -> None:
        if self._journal.prior is not None:
            self._inverter.limit().release()
        self._held_w = None
        self._news.limited(now=False)

    def _guarded(self, work: Callable[[], None], now_s: float) -> None:
        """Do something with the inverter; what goes wrong is told, and tried again later."""
        pace = self._rhythm
        try:
            work()
        except TemporaryError as error:
            self._lose(error, now_s)
        except RegistersRefusedError as error:
            self._inverter.forget()
            self._fail(error, now_s + self._longer_pause_s())
        except (LimitNotHeldError, UnsayableSetpointError, LimitWritesSpentError) as error:
            self._fail(error, now_s + self._longer_pause_s())
        except ForeignLimitError as error:
            self._fail(error, now_s + pace.foreign_s)
        except (NoRevertTimerError, WrongRatingError) as error:
            self._fail(error, now_s + pace.unfit_s)

    def _longer_pause_s(self) -> float:
        """Return how long to wait after one more failure; no card is worn out by trying [s]."""
        self._failures += 1
        longest_s = self._rhythm.unfit_s
        return min(longest_s, self._rhythm.pause_s * 2.0 ** min(self._failures - 1, 10))

    def _fail(self, error: KwartierError, until_s: float) -> None:
        self._found()  # it answered
        self._held_w = None
        self._paused_until_s = until_s
        self._news.failed(type(error).__name__, f"export cap not kept: {error}")

    def _lose(self, error: TemporaryError, now_s: float) -> None:
        """Note that the inverter cannot be reached; what is needed and lasts is told."""
        self._held_w = None
        self._inverter.forget()
        self._news.lost(str(error))
        if self._away_since_s is None:
            self._away_since_s = now_s
        away_s = now_s - self._away_since_s
        waits = self._needed or away_s < self._rhythm.revert_s
        self._paused_until_s = now_s + (self._rhythm.away_s if waits else self._rhythm.asleep_s)
        if away_s >= self._rhythm.trouble_s and self._exceeds(now_s):
            away = isinstance(error, LinkDownError)
            why = "the inverter cannot be reached" if away else str(error)
            self._news.failed("away", f"export cap exceeded, and {why}")

    def _found(self) -> None:
        self._news.found()
        self._away_since_s = None

    def _exceeds(self, now_s: float) -> bool:
        seen: Seen = self._meter.seen(None, None, now_s)
        given_w = None if seen.fresh_grid_w is None else -seen.fresh_grid_w
        return given_w is not None and given_w > self._settings.export_max_w
