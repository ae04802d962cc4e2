"""Says the moment signal on the bus, for lamps and other programs: what the pages say, retained.

It is said at every change and every quarter-hour, and expires soon after: a server that is down
says nothing, so that a lamp never keeps saying 'good' on its word.
"""

from __future__ import annotations

import logging
import threading

from api.signals import Signals
from kwartier.bus import Bus
from kwartier.clock import Clock
from kwartier.errors import KwartierError, LinkDownError
from kwartier.identity import CoopId
from kwartier.interval import Quarter
from kwartier.moment import MomentSaid, encode_moment
from kwartier.units import EpochS
from kwartier.wire import EVERYBODY, Address, Lane
from optimizer.moment import Moment, MomentReason, Signal

EXPIRES_S = 1200
"""How long what was said holds [s]: a quarter-hour, and a bit for a slow link."""
_LOOK_S = 1.0

_log = logging.getLogger(__name__)


class MomentVoice:
    """Says the signal of one neighbourhood on a thread of its own."""

    def __init__(self, signals: Signals, bus: Bus, coop: CoopId, clock: Clock) -> None:
        """Hand it everything; nothing is said before ``start`` or ``say``."""
        self._signals = signals
        self._bus = bus
        self._topic = Address(coop, EVERYBODY, Lane.MOMENT).topic
        self._clock = clock
        self._said: tuple[Quarter, Signal] | None = None
        self._silent = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Say the signal until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="moment", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Say that nothing is known any more, and be silent."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        now_s = int(self._clock.now_s())
        nothing = Signal(Moment.UNKNOWN, now_s, None, None, None, 0.0, MomentReason.DATA_MISSING)
        try:
            self._publish(nothing, now_s)
        except LinkDownError:
            _log.info("the last moment that was said ends by itself: there is no link")

    def say(self) -> bool:
        """Say the signal if it changed or a quarter-hour began; return whether it was said.

        Raises:
            LinkDownError: There is no link now; try again.
            StoreBusyError: The plans cannot be read now.
        """
        now_s = self._clock.now_s()
        saying = Quarter.containing(now_s), self._signals.now()
        if saying == self._said:
            return False
        self._publish(saying[1], int(now_s))
        self._said = saying
        return True

    def _publish(self, signal: Signal, now_s: EpochS) -> None:
        said = MomentSaid(
            signal.state.value,
            signal.from_s,
            signal.until_s,
            signal.next_from_s,
            signal.next_until_s,
            signal.confidence,
            signal.reason.value,
            now_s + EXPIRES_S,
        )
        self._bus.publish(self._topic, encode_moment(said), retain=True, expiry_s=EXPIRES_S)

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            try:
                self.say()
            except KwartierError as error:
                if not self._silent:
                    _log.warning("the moment is not said: %s", error)
                self._silent = True
            else:
                if self._silent:
                    _log.warning("the moment is said again")
                self._silent = False
