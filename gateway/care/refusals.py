"""Tells once that an update is refused: root judges without a network, the gateway has one."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from gateway.care.disk import Disk, RealDisk, replace_durably
from gateway.care.judged import FILE, Judged, read_judged
from kwartier.bus import Bus
from kwartier.clock import Clock
from kwartier.errors import LinkDownError
from kwartier.events import Event, EventKind, encode_event, sentence_of
from kwartier.identity import CoopId, GatewayId
from kwartier.wire import Address, Lane

_log = logging.getLogger(__name__)

_TOLD = "refusal.told"


class Refusals:
    """Watches what root judged, and tells a refusal as soon as there is a link."""

    def __init__(
        self,
        root: Path,
        folder: Path,
        coop: CoopId,
        gateway: GatewayId,
        clock: Clock,
        disk: Disk | None = None,
    ) -> None:
        """Begin.

        Args:
            root: Where programs are, and what root judged.
            folder: Where it is kept what was told.
            coop: The cooperative of the gateway that tells.
            gateway: The gateway that tells.
            clock: Says when.
            disk: The machine's own when it is not given.
        """
        self._root, self._note = root, folder / _TOLD
        self._topic = Address(coop, gateway, Lane.EVENT).topic
        self._clock = clock
        self._disk = disk or RealDisk()
        self._seen: tuple[int, int] | None = None
        self._untold: Judged | None = None
        self._bus: Bus | None = None
        self._up = False

    def attach(self, bus: Bus) -> None:
        """Tell on a bus."""
        self._bus, self._up = bus, False
        bus.watch_link(self._linked)

    def heard(self, device: str) -> None:
        """Take no notice of devices."""

    def look(self) -> bool:
        """Tell what is new; the parts need not be built anew for that."""
        self._read()
        if self._untold is not None and self._up and self._bus is not None:
            self._tell(self._bus, self._untold)
        return False

    def _read(self) -> None:
        """Read what root judged, where that changed since it was read last."""
        try:
            found = (self._root / FILE).stat()
        except OSError:
            return
        if (mark := (found.st_ino, found.st_mtime_ns)) == self._seen:
            return
        self._seen, judged = mark, read_judged(self._root)
        if judged is None or not judged.refusal:
            self._untold = None
        elif self._told() != _mark(judged):
            self._untold = judged

    def _tell(self, bus: Bus, judged: Judged) -> None:
        event = Event(
            EventKind.UPDATE_REFUSED, None, int(self._clock.now_s()), _reason(judged.refusal)
        )
        try:
            bus.publish(self._topic, encode_event(event))
        except LinkDownError:
            return
        self._untold = None
        _log.warning("event %s: %s", event.kind, sentence_of(event))
        try:
            replace_durably(self._disk, self._note, _mark(judged).encode())
        except OSError as error:
            _log.warning("%s: what was told cannot be noted: %s", self._note, error.strerror)

    def _told(self) -> str:
        try:
            return self._note.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return ""

    def _linked(self, up: bool) -> None:  # noqa: FBT001 - the bus says it so
        self._up = up


def _mark(judged: Judged) -> str:
    return hashlib.sha256(f"{judged.sha256} {judged.refusal}".encode()).hexdigest()


def _reason(refusal: str) -> str:
    return f"an update does not run here: {refusal}"
