"""Whether an outside source is there: one log line when it goes and one when it is back."""

from __future__ import annotations

import logging
import secrets
import threading

_log = logging.getLogger(__name__)

FIRST_WAIT_S = 300.0
LONGEST_WAIT_S = 3600.0


class Watch:
    """Keeps count of one source's failures, and when it may be asked again; for any thread."""

    def __init__(
        self, name: str, first_wait_s: float = FIRST_WAIT_S, longest_wait_s: float = LONGEST_WAIT_S
    ) -> None:
        """Watch a source that has not been asked yet.

        Args:
            name: As it stands in logs and measures.
            first_wait_s: How long it is left alone after a failure [s]; doubled with each more.
            longest_wait_s: The longest it is left alone [s].
        """
        self.name = name
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._lock = threading.Lock()
        self._failures = 0
        self._wait_s = 0.0
        self._failed_s = 0.0

    @property
    def up(self) -> bool:
        """Whether the last question was answered; True before the first."""
        with self._lock:
            return not self._wait_s

    @property
    def failures(self) -> int:
        """How many questions were not answered, all tries of one counted once."""
        with self._lock:
            return self._failures

    def may_ask(self, now_s: float) -> bool:
        """Return whether it was left alone long enough; a clock set back waits no longer."""
        with self._lock:
            return not 0 <= now_s - self._failed_s < self._wait_s

    def answered(self) -> None:
        """Note that it answered, if only that it has nothing yet."""
        with self._lock:
            back, self._wait_s = bool(self._wait_s), 0.0
        if back:
            _log.warning("%s: answers again", self.name)

    def failed(self, now_s: float, why: object) -> None:
        """Note that it did not answer, or not in a way that can be used."""
        with self._lock:
            gone = not self._wait_s
            self._failures += 1
            doubled_s = max(self._first_wait_s, 2 * self._wait_s)
            spread = 1 + secrets.randbelow(100) / 1000
            self._wait_s = min(self._longest_wait_s, doubled_s * spread)
            self._failed_s = now_s
        if gone:
            _log.warning("%s: %s", self.name, why)
