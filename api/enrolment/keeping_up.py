"""The broker's list of revoked certificates kept up with the book, again and again."""

from __future__ import annotations

import logging
import threading

from api.enrolment.office import Enrolment
from kwartier.errors import KwartierError

_log = logging.getLogger(__name__)

EVERY_S = 20.0
"""How often the list is compared with the book [s]: well within the promised minute."""
_PATIENCE_S = 30.0


class KeepingUp:
    """A thread that writes the list and cuts who was put out, whoever put them out."""

    def __init__(self, desk: Enrolment, every_s: float = EVERY_S) -> None:
        """Keep up for a desk; it begins with ``start``."""
        self._desk, self._every_s = desk, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="revocation", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; return once it has."""
        self._stop.set()
        self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        behind = False
        while True:
            try:
                self._desk.apply()
                if behind:
                    _log.info("the broker's list of revoked certificates is up to date again")
                behind = False
            except KwartierError as error:
                if not behind:
                    _log.warning("the broker's list of revoked certificates is behind: %s", error)
                behind = True
            if self._stop.wait(self._every_s):
                return
