"""The herald: tells events as soon as there is a link, and again until the record holds them.

Whoever tells an event, or brings an acknowledgement, never waits for the disk: what is to be kept
or let go of is written by the herald's own thread. Told twice is no harm, for the record keeps an
event once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from kwartier.bus import Bus, Message
from kwartier.clock import Clock
from kwartier.errors import ContractError, LinkDownError, TemporaryError
from kwartier.events import Event, decode_event_ack, encode_event, mark_of, sentence_of
from kwartier.identity import CoopId, GatewayId
from kwartier.wire import Address, Lane

_log = logging.getLogger(__name__)

MAX_UNTOLD = 200
"""Events that wait for the record; of more the oldest are given up."""
AGAIN_S = 3_600.0
"""What nobody acknowledged is told again after so long [s]; a reconnect tells it at once."""
_REST_S = 10.0
"""Between two tries at a disk that takes nothing [s]."""


class Chest(Protocol):
    """Keeps events through a power cut; used by one thread at a time."""

    def events(self) -> list[bytes]:
        """Return what is kept, oldest first."""

    def change_events(self, new: Sequence[bytes], gone: Collection[str]) -> None:
        """Keep some and let go of others, for good."""


@dataclass(slots=True)
class _Untold:
    """An event that the record is not known to hold."""

    payload: bytes
    is_kept: bool = False
    told_s: float | None = None


class Herald:
    """Tells events from any thread."""

    def __init__(
        self, bus: Bus, coop: CoopId, gateway: GatewayId, chest: Chest, clock: Clock
    ) -> None:
        """Begin with what was kept before; nothing is told before there is a link.

        Args:
            bus: How events travel.
            coop: The cooperative.
            gateway: In whose name they are told.
            chest: Where they are kept.
            clock: Its monotonic count says when to tell again.
        """
        self._bus = bus
        self._topic = Address(coop, gateway, Lane.EVENT).topic
        self._chest = chest
        self._clock = clock
        self._lock = threading.Lock()
        self._telling = threading.RLock()
        self._untold = {mark_of(one): _Untold(one, is_kept=True) for one in chest.events()}
        self._gone: set[str] = set()
        self._called = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.given_up = 0
        """Events nobody was told of, because too many waited."""
        bus.subscribe(Address(coop, gateway, Lane.EVENT_ACK).topic, self._heard)

    @property
    def untold(self) -> int:
        """How many events the record is not known to hold."""
        with self._lock:
            return len(self._untold)

    def start(self) -> None:
        """Keep events on a thread of its own until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="herald", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write down what is not kept yet, and stop."""
        self._stopping.set()
        self._called.set()
        if self._thread is not None:
            self._thread.join()
        self.turn()

    def tell(self, event: Event) -> None:
        """Tell an event, now or once the link is there; one that waits already is told once."""
        _log.warning(
            "event %s of %s: %s", event.kind, event.device or "gateway", sentence_of(event)
        )
        payload = encode_event(event)
        mark = mark_of(payload)
        with self._lock:
            self._gone.discard(mark)
            self._untold.setdefault(mark, _Untold(payload))
            if len(self._untold) > MAX_UNTOLD:
                self._let_go(next(iter(self._untold)))
                self.given_up += 1
        self._tell_due()
        self._called.set()

    def is_kept(self, event: Event) -> bool:
        """Return whether an event that was told is on disk; what needs no telling is, too."""
        with self._lock:
            one = self._untold.get(mark_of(encode_event(event)))
            return one is None or one.is_kept

    def linked(self) -> None:
        """Tell all that waits: the link is back, and what was under way may be lost."""
        with self._lock:
            for one in self._untold.values():
                one.told_s = None
        self._tell_due()
        self._called.set()

    def turn(self) -> float:
        """Write down what changed and tell what is due; return when to come again [s monotonic]."""
        now_s = self._clock.monotonic_s()
        wait_s = AGAIN_S
        try:
            self._keep()
        except TemporaryError as error:
            _log.warning("events are in memory only for now: %s", error)
            wait_s = _REST_S
        self._tell_due()
        return now_s + wait_s

    def _keep(self) -> None:
        """Have the chest hold what waits, and nothing else."""
        with self._lock:
            new = {mark: one for mark, one in self._untold.items() if not one.is_kept}
            gone = set(self._gone)
        if not new and not gone:
            return
        self._chest.change_events([one.payload for one in new.values()], gone)
        with self._lock:
            for mark, one in new.items():
                one.is_kept = True
                if self._untold.get(mark) is not one:  # acknowledged in the meantime
                    self._gone.add(mark)
            self._gone -= gone

    def _tell_due(self) -> None:
        """Tell what was not told, or long ago, in order, until there is no more or no link."""
        with self._telling:
            now_s = self._clock.monotonic_s()
            with self._lock:
                due = [
                    one
                    for one in self._untold.values()
                    if one.told_s is None or now_s >= one.told_s + AGAIN_S
                ]
            for one in due:
                try:
                    self._bus.publish(self._topic, one.payload)
                except LinkDownError:
                    return
                one.told_s = now_s

    def _heard(self, message: Message) -> None:
        try:
            marks = decode_event_ack(message.payload)
        except ContractError as error:
            _log.warning("an acknowledgement of events was not understood: %s", error)
            return
        with self._lock:
            for mark in marks & self._untold.keys():
                self._let_go(mark)
        self._called.set()

    def _let_go(self, mark: str) -> None:
        """Forget an event; what the disk has of it goes with the next turn. Holds the lock."""
        if self._untold.pop(mark).is_kept:
            self._gone.add(mark)

    def _run(self) -> None:
        while not self._stopping.is_set():
            due_s = self.turn()
            self._called.wait(max(0.0, due_s - self._clock.monotonic_s()))
            self._called.clear()
