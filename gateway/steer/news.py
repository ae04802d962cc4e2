"""What a steered battery tells: answers on the way of its commands, and events for its keepers."""

from __future__ import annotations

import logging
from collections.abc import Callable

from kwartier.clock import Clock
from kwartier.events import Event, EventKind
from kwartier.identity import DeviceId
from kwartier.schedule import Outcome, Response
from kwartier.units import Watt

_log = logging.getLogger(__name__)

LONGEST_REASON = 180
QUIET_S = 900.0
"""A trouble of the same kind that comes back sooner than this is the same trouble [s]."""


class News:
    """Tells of one battery; what stays as it was is told once."""

    def __init__(
        self,
        device: DeviceId,
        clock: Clock,
        tell: Callable[[Response], None],
        event: Callable[[Event], None] | None,
        newest_command: Callable[[], int],
    ) -> None:
        """Tell nothing yet.

        Args:
            device: The battery's name on this gateway.
            clock: The gateway's clock.
            tell: Takes the answers.
            event: Takes the events; None where nobody hears them.
            newest_command: Returns the number of the newest command.
        """
        self._device = device
        self._clock = clock
        self._tell, self._event = tell, event
        self._newest_command = newest_command
        self._applied_w: Watt | None = None
        self._moves = False
        self._trouble: tuple[str, float] | None = None
        self._again_s = 0.0
        self._away = False

    def applied(self, power_w: Watt, because: str, *, moves: bool = False) -> None:
        """Tell that the battery holds a power, when it is another one than was told last.

        What ``moves`` is on its way to another power: that it left is told, and where it arrives.
        """
        moved, self._moves = self._moves, moves
        if power_w != self._applied_w and not (moves and moved):
            self._applied_w = power_w
            self._tell(self.response(Outcome.APPLIED, because, None, power_w))

    def neutral(self, because: str) -> None:
        """Tell that the battery was let go."""
        self._applied_w, self._moves = None, False
        self._tell(self.response(Outcome.NEUTRAL, because))

    def unknown(self) -> None:
        """Count on nothing: the next power is told in any case."""
        self._applied_w, self._moves = None, False

    def failed(self, kind: str, why: str, again_s: float) -> None:
        """Tell what went wrong; the same kind not again before a time on the monotonic count.

        An event is sent when the kind is another one, or has not been seen for a while.
        """
        now_s = self._clock.monotonic_s()
        before, self._trouble = self._trouble, (kind, now_s)
        same = before is not None and before[0] == kind
        if same and now_s < self._again_s:
            return
        self._again_s = again_s
        _log.error("battery %s: %s", self._device, why)
        self._tell(self.response(Outcome.FAILED, why))
        new = before is None or not same or now_s >= before[1] + QUIET_S
        if new and self._event is not None:
            at_s = int(self._clock.now_s())
            self._event(Event(EventKind.STEERING_FAILED, self._device, at_s, why))

    def lost(self, why: str) -> None:
        """Note that the battery cannot be reached."""
        if not self._away:
            _log.warning("battery %s is away: %s", self._device, why)
        self._away = True

    def found(self) -> None:
        """Note that it can."""
        if self._away:
            _log.warning("battery %s is back", self._device)
        self._away = False

    def response(
        self, outcome: Outcome, why: str, command: int | None = None, power_w: Watt | None = None
    ) -> Response:
        """Return an answer about a command; about the newest one where none is named."""
        number = self._newest_command() if command is None else command
        at_s = int(self._clock.now_s())
        return Response(self._device, number, outcome, why[:LONGEST_REASON], at_s, power_w)
