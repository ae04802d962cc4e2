"""Tells once that an update is refused: root judges without a network, the gateway has one.

Before it is told, its instant is noted; that it was told, only once it is kept. A crash in between
tells it again with the same instant, so as the same event, which counts once.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from gateway.care.disk import Disk, RealDisk, replace_durably
from gateway.care.judged import FILE, Judged, read_judged
from gateway.care.watch import kept_at_once
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
        self._is_kept: Callable[[Event], bool] = kept_at_once
        self._telling: tuple[str, Event] | None = None

    def attach(
        self,
        bus: Bus,  # noqa: ARG002 - the seam
        tell: Callable[[Event], None],
        is_kept: Callable[[Event], bool] = kept_at_once,
    ) -> None:
        """Tell events by ``tell``, which keeps them until somebody heard."""
        self._tell, self._is_kept = tell, is_kept
        self._seen = self._telling = None

    def heard(self, device: str) -> None:
        """Take no notice of devices."""

    def look(self) -> bool:
        """Tell what is new; the parts need not be built anew for that."""
        if self._telling is None and self._tell is not None:
            judged = self._news()
            if judged is not None:
                self._begin(judged, self._tell)
        if self._telling is not None and self._is_kept(self._telling[1]):
            self._write(self._telling[0])
            self._telling = None
        return False

    def _begin(self, judged: Judged, tell: Callable[[Event], None]) -> None:
        """Tell a refusal, as of the instant at which that was begun first."""
        mark = _mark(judged)
        begun, _, at = self._noted().partition(" ")
        if begun == mark and at.isascii() and at.isdigit():
            at_s = int(at)
        else:
            at_s = int(self._clock.now_s())
            self._write(f"{mark} {at_s}")
        reason = f"an update does not run here: {judged.refusal}"
        self._telling = mark, Event(EventKind.UPDATE_REFUSED, None, at_s, reason)
        tell(self._telling[1])

    def _write(self, note: str) -> None:
        try:
            replace_durably(self._disk, self._note, note.encode())
        except OSError as error:
            _log.warning("%s: what is told cannot be noted: %s", self._note, error.strerror)

    def _news(self) -> Judged | None:
        """Return a refusal that nobody was told of; root's file is read only when it changed."""
        try:
            found = (self._root / FILE).stat()
        except OSError:
            return None
        if (seen := (found.st_ino, found.st_mtime_ns)) == self._seen:
            return None
        self._seen, judged = seen, read_judged(self._root)
        if judged is None or not judged.refusal or self._noted() == _mark(judged):
            return None
        return judged

    def _noted(self) -> str:
        try:
            return self._note.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return ""


def _mark(judged: Judged) -> str:
    return hashlib.sha256(f"{judged.sha256} {judged.refusal}".encode()).hexdigest()
