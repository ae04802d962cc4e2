"""The post as a part of the house that starts and stops: it looks around, and sends."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable

from api.house import House
from api.people.retention import let_go
from api.post.counter import Counter
from api.post.sender import Sender
from api.post.triggers import Triggers
from kwartier.errors import KwartierError

_log = logging.getLogger(__name__)

SEND_S = 2.0
"""How often the outbox is looked into [s]."""
LOOK_S = 60.0
"""How often somebody looks around for something to tell [s]."""
SWEEP_S = 3_600.0
"""How often the book of people is looked through for what has reached its end [s]."""


class PostLoop:
    """Looks for causes and sends messages on a thread of its own, until it is stopped."""

    def __init__(self, house: House, *, send_s: float = SEND_S, look_s: float = LOOK_S) -> None:
        """Prepare for a house; nothing happens before ``start``.

        Args:
            house: The house.
            send_s: How often the outbox is looked into [s].
            look_s: How often somebody looks around [s].
        """
        self._clock = house.clock
        self._sender = Sender(Counter.of(house))
        self._triggers = Triggers(house)
        self._people = house.people
        self._send_s, self._look_s = send_s, look_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._faults: set[str] = set()

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="post", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the message that is being sent; the rest stays in the outbox."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        looked_at_s: float | None = None
        swept_at_s: float | None = None
        while not self._stopping.is_set():
            now_s = self._clock.monotonic_s()
            if looked_at_s is None or now_s - looked_at_s >= self._look_s:
                looked_at_s = now_s
                self._try("looking for something to tell", self._triggers.look)
            self._try("sending", self._send)
            if swept_at_s is None or now_s - swept_at_s >= SWEEP_S:
                swept_at_s = now_s
                self._try("letting go of what is old", self._sweep)
            self._stopping.wait(self._send_s)

    def _sweep(self) -> None:
        let_go(self._people)

    def _send(self) -> None:
        self._sender.send_due(self._stopping)

    def _try(self, what: str, act: Callable[[], object]) -> None:
        """Do it; say once that it does not work, and once that it does again."""
        try:
            act()
        except KwartierError as error:
            self._fail(what, str(error))
            return
        except Exception as error:  # noqa: BLE001 - the outermost loop of this thread; it must live on
            # Where it went wrong and not its words, for those may hold an address.
            where = "".join(traceback.format_tb(error.__traceback__))
            self._fail(what, f"a mistake of ours, {type(error).__name__}:\n{where}")
            return
        if what in self._faults:
            _log.warning("the post goes on, %s", what)
            self._faults.discard(what)

    def _fail(self, what: str, why: str) -> None:
        if what not in self._faults:
            _log.warning("the post waits, %s: %s", what, why)
        self._faults.add(what)
