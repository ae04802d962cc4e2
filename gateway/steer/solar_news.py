"""What a limited inverter tells: lines in the log, and events for who should look after it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from gateway.steer.news import QUIET_S
from kwartier.clock import Clock
from kwartier.events import Event, EventKind
from kwartier.identity import DeviceId

_log = logging.getLogger(__name__)


class SolarNews:
    """Tells of one inverter; what stays as it was is told once."""

    def __init__(
        self, device: DeviceId, clock: Clock, event: Callable[[Event], None] | None
    ) -> None:
        """Tell nothing yet; ``event`` is None where nobody hears them."""
        self._device = device
        self._clock = clock
        self._event = event
        self._trouble: tuple[str, float] | None = None
        self._limited = False
        self._away = False

    def failed(self, kind: str, why: str) -> None:
        """Tell what went wrong; the same kind again only after a quiet while."""
        now_s = self._clock.monotonic_s()
        before, self._trouble = self._trouble, (kind, now_s)
        if before is not None and before[0] == kind and now_s < before[1] + QUIET_S:
            return
        _log.error("inverter %s: %s", self._device, why)
        if self._event is not None:
            at_s = int(self._clock.now_s())
            self._event(Event(EventKind.STEERING_FAILED, self._device, at_s, why))

    def limited(self, *, now: bool) -> None:
        """Note whether the inverter is limited."""
        if now != self._limited:
            _log.info("inverter %s is %s", self._device, "limited" if now else "free again")
        self._limited = now

    def lost(self, why: str) -> None:
        """Note that the inverter cannot be reached."""
        if not self._away:
            _log.warning("inverter %s is away: %s", self._device, why)
        self._away = True

    def found(self) -> None:
        """Note that it can."""
        if self._away:
            _log.warning("inverter %s is back", self._device)
        self._away = False
