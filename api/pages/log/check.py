"""Looking whether the chains hold: in the background, once at a time, with what was found last."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from kwartier.errors import KwartierError
from kwartier.units import EpochS

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChainsSeen:
    """What a look at the chains found.

    Attributes:
        at_s: When it began [s].
        seconds: How long it took [s].
        faults: What is wrong, in the books' own words; empty when all is well.
    """

    at_s: EpochS
    seconds: float
    faults: tuple[str, ...]


class ChainCheck:
    """Looks at the chains when somebody asks; safe to share between threads."""

    def __init__(self, look: Callable[[], ChainsSeen]) -> None:
        """Look with ``look``, which takes as long as the books are large."""
        self._look = look
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._over.set()
        self._last: ChainsSeen | None = None
        self._problem = ""

    @property
    def busy(self) -> bool:
        """Whether somebody looks now."""
        return not self._over.is_set()

    @property
    def last(self) -> ChainsSeen | None:
        """What was found last; None before the first look."""
        return self._last

    @property
    def problem(self) -> str:
        """Why the last look could not be ended; empty when it was."""
        return self._problem

    def begin(self) -> None:
        """Begin a look; while one is under way nothing else is begun."""
        with self._lock:
            if self.busy:
                return
            self._over.clear()
            threading.Thread(target=self._go, name="chains", daemon=True).start()

    def wait(self, timeout_s: float) -> None:
        """Wait until the look is over, at most some time [s]."""
        self._over.wait(timeout_s)

    def _go(self) -> None:
        try:
            self._last, self._problem = self._look(), ""
        except KwartierError as error:
            self._problem = str(error)
        except Exception:  # noqa: BLE001 - the outermost call of this thread: what is broken must show
            _log.exception("the look at the chains could not be ended")
            self._problem = "a row of the log cannot be read: look into the server's own log"
        finally:
            self._over.set()
