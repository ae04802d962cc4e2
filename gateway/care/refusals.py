"""Tells once that an update is refused: root judges without a network, the gateway has one."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from gateway.care.disk import Disk, RealDisk, replace_durably
from gateway.care.judged import FILE, Judged, read_judged
from kwartier.bus import Bus
from kwartier.clock import Clock
from kwartier.events import Event, EventKind

_log = logging.getLogger(__name__)

_TOLD = "refusal.told"


class Refusals:
    """Watches what root judged, and tells a refusal."""

    def __init__(
        self,
        root: Path,
        folder: Path,
        clock: Clock,
        disk: Disk | None = None,
    ) -> None:
        """Begin.

        Args:
            root: Where programs are, and what root judged.
            folder: Where it is kept what was told.
            clock: Says when.
            disk: The machine's own when it is not given.
        """
        self._root, self._note = root, folder / _TOLD
        self._clock = clock
        self._disk = disk or RealDisk()
        self._seen: tuple[int, int] | None = None
        self._tell: Callable[[Event], None] | None = None

    def attach(self, bus: Bus, tell: Callable[[Event], None]) -> None:  # noqa: ARG002 - the seam
        """Tell events by ``tell``, which keeps them until somebody heard."""
        self._tell, self._seen = tell, None

    def heard(self, device: str) -> None:
        """Take no notice of devices."""

    def look(self) -> bool:
        """Tell what is new; the parts need not be built anew for that."""
        judged = self._news()
        if judged is not None and self._tell is not None:
            reason = f"an update does not run here: {judged.refusal}"
            self._tell(Event(EventKind.UPDATE_REFUSED, None, int(self._clock.now_s()), reason))
            try:
                replace_durably(self._disk, self._note, _mark(judged).encode())
            except OSError as error:
                _log.warning("%s: what was told cannot be noted: %s", self._note, error.strerror)
        return False

    def _news(self) -> Judged | None:
        """Return a refusal that nobody was told of; root's file is read only when it changed."""
        try:
            found = (self._root / FILE).stat()
        except OSError:
            return None
        if (seen := (found.st_ino, found.st_mtime_ns)) == self._seen:
            return None
        self._seen, judged = seen, read_judged(self._root)
        if judged is None or not judged.refusal or self._told() == _mark(judged):
            return None
        return judged

    def _told(self) -> str:
        try:
            return self._note.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return ""


def _mark(judged: Judged) -> str:
    return hashlib.sha256(f"{judged.sha256} {judged.refusal}".encode()).hexdigest()
