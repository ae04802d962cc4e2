"""A letter that leaves by itself: whoever asked for it does not wait, and cannot tell."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from api.mail import Mail, Mailer, MailRefusedError
from kwartier.errors import TemporaryError

_log = logging.getLogger(__name__)

AT_ONCE = 4
"""How many letters are on their way at the same time; more are dropped."""


class Courier:
    """Writes and sends letters beside the answer that is given; safe to share."""

    def __init__(self, mailer: Mailer | None) -> None:
        """Send by a mailer; without one nothing is sent."""
        self._mailer = mailer
        self._places = threading.BoundedSemaphore(AT_ONCE)

    @property
    def sends(self) -> bool:
        """Whether letters can be sent."""
        return self._mailer is not None

    def send(self, write: Callable[[], Mail | None]) -> None:
        """Write a letter and send it, later; there may be nothing to write."""
        if self._mailer is None or not self._places.acquire(blocking=False):
            return
        threading.Thread(target=self._carry, args=(write, self._mailer), daemon=True).start()

    def _carry(self, write: Callable[[], Mail | None], mailer: Mailer) -> None:
        try:
            mail = write()
            if mail is not None:
                mailer.send(mail)
        except (MailRefusedError, TemporaryError) as error:
            _log.warning("a letter was not sent: %s", type(error).__name__)
        finally:
            self._places.release()
