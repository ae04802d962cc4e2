"""Care as the service sees it: it listens, hears what is read, and may ask for a new beginning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kwartier.bus import Bus
from kwartier.events import Event


def kept_at_once(event: Event) -> bool:  # noqa: ARG001 - the seam
    """Return that an event is kept, for whoever tells it to something that keeps it at once."""
    return True


class Watches(Protocol):
    """Watches over the parts while they run."""

    def attach(
        self,
        bus: Bus,
        tell: Callable[[Event], None],
        is_kept: Callable[[Event], bool] = kept_at_once,
    ) -> None:
        """Listen on a bus; called before the bus begins to connect.

        Args:
            bus: How messages travel.
            tell: Tells an event until it was heard.
            is_kept: Whether an event that was told is on disk, or was heard already.
        """

    def heard(self, device: str) -> None:
        """Note that a device said something; from any thread."""

    def look(self) -> bool:
        """Act on what arrived and on the time; return whether the parts are to be built anew."""


class Watchers:
    """Several that watch, as one; none is fine."""

    def __init__(self, *watchers: Watches) -> None:
        """Hold them."""
        self._watchers = watchers

    def attach(
        self,
        bus: Bus,
        tell: Callable[[Event], None],
        is_kept: Callable[[Event], bool] = kept_at_once,
    ) -> None:
        """Have each listen on a bus, and tell events."""
        for one in self._watchers:
            one.attach(bus, tell, is_kept)

    def heard(self, device: str) -> None:
        """Let each note that a device said something."""
        for one in self._watchers:
            one.heard(device)

    def look(self) -> bool:
        """Let each act; return whether any asks for the parts to be built anew."""
        asked = [one.look() for one in self._watchers]  # each one acts, whatever another asks
        return any(asked)
