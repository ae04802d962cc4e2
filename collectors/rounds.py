"""Rounds of asking sources outside, on a thread of their own, one every half minute."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from collectors.watch import Watch
from kwartier.errors import KwartierError

_log = logging.getLogger(__name__)

LOOK_S = 30.0
"""From the end of a round to the next one [s]."""
STOP_S = 10.0
"""How long the end of a round is waited for when the process stops [s]."""


class Source(Protocol):
    """What can be asked, and closed."""

    name: str

    def close(self) -> None:
        """Close its connections."""


AnySource = TypeVar("AnySource", bound=Source)


class Rounds(ABC, Generic[AnySource]):
    """Asks sources again and again; a line says when keeping begins to fail, and no more of it."""

    def __init__(self, what: str, sources: Sequence[AnySource]) -> None:
        """Prepare; nothing is asked before ``start`` or ``step``.

        Args:
            what: They tell; the name of the thread, and of what cannot be kept while that fails.
            sources: Whom to ask; they are closed at the end.
        """
        self._what = what
        self._sources = [(source, Watch(f"{what} from {source.name}")) for source in sources]
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def watches(self) -> list[Watch]:
        """What is known of each source."""
        return [watch for _, watch in self._sources]

    @abstractmethod
    def step(self) -> None:
        """Ask whom it is time to ask, and keep what is told, unless the rounds are ending.

        Raises:
            StoreBusyError: The book cannot be written now.
        """

    def are_ending(self) -> bool:
        """Return whether no more is to be begun or kept."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread = threading.Thread(target=self._run, name=self._what, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask no more, and close the sources; a question under way is waited for a while."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_S)
            if self._thread.is_alive():
                return  # its answer is not kept any more, and the process ends
        for source, _ in self._sources:
            source.close()

    def _run(self) -> None:
        failing = False
        while not self.are_ending():
            try:
                self.step()
                failing = False
            except KwartierError as error:
                if not failing:
                    _log.warning("%s cannot be kept: %s", self._what, error)
                failing = True
            self._stopping.wait(LOOK_S)
