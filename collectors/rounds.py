"""Rounds of work on a thread of their own, one every half minute, until they are to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from kwartier.errors import KwartierError

_log = logging.getLogger(__name__)

LOOK_S = 30.0
"""From the end of a round to the next one [s]."""
STOP_S = 10.0
"""How long the end of a round is waited for when the process stops [s]."""


class Rounds:
    """Does some work again and again; a line says when that begins to fail, and no more of it."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        """Prepare; nothing is done before ``start``.

        Args:
            name: Of the thread, and of what cannot be kept while it fails.
            work: One round; it asks ``are_ending`` where it takes long.
        """
        self._name = name
        self._work = work
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def are_ending(self) -> bool:
        """Return whether no more is to be begun or kept."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """Begin no more rounds; return whether the last one ended within a while."""
        self._stopping.set()
        if self._thread is None:
            return True
        self._thread.join(STOP_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failing = False
        while not self.are_ending():
            try:
                self._work()
                failing = False
            except KwartierError as error:
                if not failing:
                    _log.warning("%s cannot be kept: %s", self._name, error)
                failing = True
            self._stopping.wait(LOOK_S)
