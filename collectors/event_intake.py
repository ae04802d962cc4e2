"""Events: from the lane ``evt`` of every gateway into the record.

A gateway keeps an event until it hears that the record holds it, and tells it again: the broker
and the gateway hear so only after the commit, and what is told twice is one. Which gateway speaks
is said by the topic alone, and the broker lets a gateway write on its own only.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from collectors.store import DeadLetter, Intake, KeptEvent, Store
from kwartier.bus import Bus, Message
from kwartier.clock import Clock
from kwartier.errors import ContractError, KwartierError, LinkDownError, TemporaryError
from kwartier.events import decode_event, encode_event_ack, mark_of, sentence_of
from kwartier.identity import CoopId, GatewayId
from kwartier.units import EpochS
from kwartier.wire import MAX_PAYLOAD_BYTES, ROOT, Address, Lane

_log = logging.getLogger(__name__)

BATCH = 50
"""The most events of one transaction."""
WAITING = 10_000
"""The most that wait: as many as a broker keeps for us and may hand over at once. Of more the
oldest goes, and its gateway tells it again; the broker hears of that, or it would wait for ever."""
RETRY_S = (0.05, 5.0)
"""Between two tries at a store that takes nothing now, at first and at most [s]."""


class EventIntake:
    """Takes events from a bus into a store, on a thread of its own."""

    def __init__(self, store: Store, bus: Bus, coop: CoopId, clock: Clock) -> None:
        """Make it; nothing is taken before ``start``."""
        self._store = store
        self._bus = bus
        self._coop = coop
        self._clock = clock
        self._waiting: deque[Message] = deque()
        self._something = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.kept = 0
        """Events kept, each once."""
        self.again = 0
        """Events that were told before."""
        self.set_aside = 0
        """Messages nobody could read."""
        self.foreign = 0
        """Messages on a topic that names no gateway."""
        self.ended = threading.Event()
        """Set once its thread is over."""
        self.failure: KwartierError | None = None
        """Why it ended by itself: the store is damaged, and only a person can help."""

    def start(self) -> None:
        """Subscribe, and work on a thread of its own until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()
        self._bus.subscribe(f"{ROOT}/{self._coop}/+/{Lane.EVENT}", self.receive, by_hand=True)

    def stop(self) -> None:
        """Finish the transaction at hand and stop; the broker keeps what waits."""
        self._stopping.set()
        self._something.set()
        if self._thread is not None:
            self._thread.join()

    def receive(self, message: Message) -> None:
        """Put a message with what waits; called by the bus."""
        if message.retained:  # none is kept by a broker, but for somebody who should not
            message.acknowledge()
            return
        if len(self._waiting) >= WAITING:
            with suppress(IndexError):  # the other thread may have taken them all this moment
                self._waiting.popleft().acknowledge()
        self._waiting.append(message)
        self._something.set()

    def work_off(self, messages: Sequence[Message]) -> None:
        """Take messages into the record in one transaction, then acknowledge them.

        Raises:
            StoreBusyError: The store takes nothing now; nothing was stored or acknowledged.
        """
        at_s = int(self._clock.now_s())
        found: list[KeptEvent | DeadLetter] = []
        marks: dict[GatewayId, set[str]] = {}
        for message in messages:
            one = _opened(message, at_s)
            if one is not None:
                found.append(one)
                marks.setdefault(one.gateway, set()).add(mark_of(message.payload))
        with self._store.intake() as intake:
            told = [_put(intake, one) for one in found]
        for message in messages:
            message.acknowledge()
        for gateway, held in marks.items():
            self._tell(gateway, held)
        letters = [one for one in found if isinstance(one, DeadLetter)]
        self.kept += sum(told)
        self.again += len(found) - len(letters) - sum(told)
        self.set_aside += len(letters)
        self.foreign += len(messages) - len(found)
        for letter in letters:
            _log.warning("an event of %s is set aside: %s", letter.gateway, letter.reason)

    def _tell(self, gateway: GatewayId, held: Collection[str]) -> None:
        """Say which events the record holds; when it does not arrive, they are told again."""
        topic = Address(self._coop, gateway, Lane.EVENT_ACK).topic
        try:
            self._bus.publish(topic, encode_event_ack(held))
        except LinkDownError:
            _log.debug("no link to acknowledge events: their gateway will tell them again")

    def _run(self) -> None:
        try:
            while True:
                self._something.wait()
                if self._stopping.is_set():
                    return
                self._something.clear()
                while self._waiting and not self._stopping.is_set():
                    self._work_off_patiently(self._batch())
        except KwartierError as error:
            _log.critical("the intake of events ended: %s", error)
            self.failure = error
        finally:
            self.ended.set()

    def _batch(self) -> list[Message]:
        batch: list[Message] = []
        with suppress(IndexError):  # the bus lets go of the oldest of too many
            while len(batch) < BATCH:
                batch.append(self._waiting.popleft())
        return batch

    def _work_off_patiently(self, batch: Sequence[Message]) -> None:
        """Try until the store takes the batch; told to stop, leave it with the broker."""
        wait_s, most_s = RETRY_S
        while True:
            try:
                self.work_off(batch)
            except TemporaryError as error:
                if self._stopping.wait(wait_s):
                    _log.warning("%d events stay with the broker: %s", len(batch), error)
                    return
                wait_s = min(2 * wait_s, most_s)
            else:
                return


def _opened(message: Message, at_s: EpochS) -> KeptEvent | DeadLetter | None:
    """Return the event of a message, or the message as one that is set aside.

    None when even its topic names no gateway.
    """
    try:
        gateway = Address.parse(message.topic).gateway
    except ContractError:
        return None
    try:
        event = decode_event(message.payload)
    except ContractError as error:
        return DeadLetter(gateway, "", 0, at_s, str(error), message.payload[:MAX_PAYLOAD_BYTES])
    # Ours are told without ids; what another program tells is blotted here as well.
    return KeptEvent(gateway, replace(event, reason=sentence_of(event)), at_s)


def _put(intake: Intake, found: KeptEvent | DeadLetter) -> bool:
    """Put one into the record; return whether it is an event that was not told before."""
    if isinstance(found, KeptEvent):
        return intake.note_event(found)
    intake.set_aside(found)
    return False
