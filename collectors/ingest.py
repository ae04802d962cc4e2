"""Ingest: from the durable lane of every gateway into the record, and the acknowledgement back.

One thread, one transaction at a time. Messages wait in a bounded inbox; what does not fit is let
go of, because its gateway sends it again. The order is what loses nothing: commit, then tell the
broker that it need not deliver again, then tell the gateway how far the record reaches.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from collectors.budget import Budget
from collectors.inbox import Inbox
from collectors.receiver import Parcel, Receiver, Tally, opened
from collectors.store import Store
from kwartier.bus import Bus, Message
from kwartier.clock import Clock
from kwartier.errors import InputError, KwartierError, LinkDownError, TemporaryError
from kwartier.identity import CoopId, GatewayId
from kwartier.wire import ROOT, Ack, Address, Lane, encode_ack

_log = logging.getLogger(__name__)

_BY_CONTENT = (
    InputError,
    ArithmeticError,
    AssertionError,
    LookupError,
    TypeError,
    ValueError,
)
"""What one bad block can cause; anything else is the store's trouble, not the block's."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken at once, and how long it may wait.

    Attributes:
        inbox: The most messages that wait; as many as a broker keeps for us and may hand over at
            once when we come back, whatever we told it of how many we want.
        batch: The most messages of one transaction.
        gather_s: How long a transaction waits for more of them [s].
        lull_s: When none came for so long, it waits no longer [s].
        patience_s: How long a full or locked store is tried again before its messages are let go
            of, to be sent again [s].
        retry_s: Between two tries, at first and at most [s].
        busy_rate_per_s: Blocks a second granted to each gateway while the inbox is half full, and
            at most while several send what they saved up.
    """

    inbox: int = 10_000
    batch: int = 50
    gather_s: float = 0.05
    lull_s: float = 0.005
    patience_s: float = 20.0
    retry_s: tuple[float, float] = (0.05, 1.0)
    busy_rate_per_s: int = 20


@dataclass(slots=True)
class Totals:
    """What ingest has done since it was made.

    Attributes:
        messages: Messages that arrived.
        overflowed: Messages let go of because the inbox was full.
        postponed: Messages let go of because the store took nothing for long.
        foreign: Messages on a topic that names no gateway.
        taken: Blocks taken in.
        readings: Their rows.
        again: Blocks that were taken in before.
        early: Blocks that came before the one that was wanted.
        set_aside: Messages kept as dead letters.
        skipped: Blocks that a gateway no longer has and the record never had.
        transactions: Transactions committed.
        events: Events of gateways that were kept, each once.
    """

    messages: int = 0
    overflowed: int = 0
    postponed: int = 0
    foreign: int = 0
    taken: int = 0
    readings: int = 0
    again: int = 0
    early: int = 0
    set_aside: int = 0
    skipped: int = 0
    transactions: int = 0
    events: int = 0

    def add(self, tally: Tally) -> None:
        """Count one transaction."""
        for field in fields(tally):
            if field.name != "acks":
                setattr(self, field.name, getattr(self, field.name) + getattr(tally, field.name))
        self.transactions += 1


class Ingest:
    """Takes blocks from a bus into a store."""

    receiver_kind = Receiver
    """The rule by which blocks are taken in."""

    def __init__(
        self, store: Store, bus: Bus, coop: CoopId, clock: Clock, limits: Limits | None = None
    ) -> None:
        """Make it; nothing is taken before ``start``."""
        self._store = store
        self._bus = bus
        self._coop = coop
        self._clock = clock
        self._limits = limits or Limits()
        self._inbox = Inbox(self._limits.inbox)
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._budget = Budget(self._limits.busy_rate_per_s)
        self.totals = Totals()
        self.failure: KwartierError | None = None
        """Why it ended by itself: the store is damaged, and only a person can help."""

    def start(self) -> None:
        """Subscribe, and work on a thread of its own until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)
        self._thread.start()
        topics = f"{ROOT}/{self._coop}/+/{Lane.BLOCK}/+"
        self._bus.subscribe(topics, self.receive, by_hand=True)

    def stop(self) -> None:
        """Finish the transaction at hand and stop; what waits in the inbox is sent again."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Return True once it has ended, or False when the time is over."""
        return self._ended.wait(timeout_s)

    def receive(self, message: Message) -> None:
        """Put a message into the inbox; called by the bus."""
        self.totals.messages += 1
        if message.retained:
            message.acknowledge()
            return
        if not self._inbox.put(message):
            self.totals.overflowed += 1
            message.acknowledge()

    def work_off(self, messages: Sequence[Message]) -> None:
        """Take messages into the record in one transaction, then acknowledge them.

        Raises:
            StoreBusyError: The store takes nothing now; nothing was stored or acknowledged.
        """
        parcels: list[Parcel] = []
        for message in messages:
            parcel = opened(message.topic, message.payload, message.properties)
            if parcel is None:
                self.totals.foreign += 1
            else:
                parcels.append(parcel)
        start_s = self._clock.monotonic_s()
        acks = self._taken_in(parcels) if parcels else []
        now_s = self._clock.monotonic_s()
        self._budget.came((parcel.gateway for parcel in parcels), now_s)
        if len(parcels) >= self._limits.batch:
            self._budget.took(len(parcels), now_s - start_s)
        for message in messages:
            message.acknowledge()
        for gateway, ack in acks:
            self._tell(gateway, ack)

    def _taken_in(self, parcels: Sequence[Parcel]) -> list[tuple[GatewayId, Ack]]:
        """Commit parcels together; where that fails by their content, one by one."""
        try:
            return self._committed(parcels)
        except _BY_CONTENT as error:
            if len(parcels) == 1:
                reason = f"cannot be stored: {type(error).__name__}: {error}"
                return self._committed([parcels[0].condemned(reason)])
            _log.warning("a block cannot be stored (%s): finding out which", type(error).__name__)
        return [ack for parcel in parcels for ack in self._taken_in([parcel])]

    def _committed(self, parcels: Sequence[Parcel]) -> list[tuple[GatewayId, Ack]]:
        receiver = self.receiver_kind(self._store.generation)
        with self._store.intake() as intake:
            tally = receiver.take_in(intake, parcels, int(self._clock.now_s()))
        self.totals.add(tally)
        if tally.set_aside or tally.skipped:
            _log.warning(
                "%d messages set aside, %d blocks gone before they came",
                tally.set_aside,
                tally.skipped,
            )
        return tally.acks

    def _tell(self, gateway: GatewayId, ack: Ack) -> None:
        """Publish how far the record reaches; when it does not arrive, the gateway asks again."""
        crowded = len(self._inbox) > self._limits.inbox // 2
        rate_per_s = self._budget.rate_per_s(self._clock.monotonic_s())
        if crowded and not rate_per_s:
            rate_per_s = self._limits.busy_rate_per_s
        granted = replace(ack, rate_per_s=rate_per_s)
        topic = Address(self._coop, gateway, Lane.ACK).topic
        try:
            self._bus.publish(topic, encode_ack(granted), retain=True)
        except LinkDownError:
            _log.debug("no link for an acknowledgement: the gateway will ask again")

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                batch = self._batch()
                if batch:
                    self._work_off_patiently(batch)
        except KwartierError as error:
            _log.critical("ingest ended: %s", error)
            self.failure = error
        finally:
            self._ended.set()

    def _batch(self) -> list[Message]:
        """Return the messages of the next transaction; none when nothing came for a while."""
        limits = self._limits
        return self._inbox.take(limits.batch, limits.gather_s, limits.lull_s)

    def _work_off_patiently(self, batch: Sequence[Message]) -> None:
        """Try until the store takes the batch, or let go of it for its gateways to send again."""
        until_s = self._clock.monotonic_s() + self._limits.patience_s
        wait_s, most_s = self._limits.retry_s
        while True:
            try:
                self.work_off(batch)
            except TemporaryError as error:
                if self._clock.monotonic_s() >= until_s or self._stopping.is_set():
                    _log.warning("the store took nothing for long: %s", error)
                    self._let_go(batch)
                    return
                self._stopping.wait(wait_s)
                wait_s = min(2 * wait_s, most_s)
            else:
                return

    def _let_go(self, batch: Sequence[Message]) -> None:
        self.totals.postponed += len(batch)
        for message in batch:
            message.acknowledge()
