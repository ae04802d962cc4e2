"""The control loop of one device: a turn every second, on a thread of its own, until it stops."""

from __future__ import annotations

import threading
from collections.abc import Callable

_TURN_S = 1.0


class ControlLoop:
    """Takes turns; an error that leaves a turn ends it, and whoever watches its count sees that."""

    def __init__(self, name: str, turn: Callable[[], None]) -> None:
        """Prepare; no turn is taken before ``start``.

        Args:
            name: Of the thread.
            turn: Does what is due.
        """
        self._name = name
        self._turn = turn
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._turns = 0

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def count_turns(self) -> int:
        """Return how many turns came to their end."""
        return self._turns

    def start(self) -> None:
        """Begin; the first turn is due at once."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more turns, and wait for the one under way."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._turn()
            self._turns += 1
            self._stopping.wait(_TURN_S)
