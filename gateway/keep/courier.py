"""The courier: carries blocks from the outbox to the bus, and acknowledgements back.

``turn`` does what is due now and says when to come again; ``start`` runs it on a thread. Both bus
callbacks only queue what they hear, so that they never wait for the disk.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from random import Random

from gateway.keep.delivery import Pace, Sender
from gateway.keep.outbox import Outbox
from kwartier.bus import Bus, Message
from kwartier.clock import Clock
from kwartier.envelope import Envelope
from kwartier.errors import ContractError, LinkDownError, TemporaryError
from kwartier.identity import CoopId, GatewayId
from kwartier.wire import Ack, Address, Lane, decode_ack

_log = logging.getLogger(__name__)

_MOST_ACKS = 1000
_REST_S = 1.0
_NOT_SEEN = (-1, False)


class Courier:
    """Sends what the outbox holds, in order, until the record has it."""

    def __init__(
        self,
        outbox: Outbox,
        bus: Bus,
        coop: CoopId,
        gateway: GatewayId,
        clock: Clock,
        pace: Pace | None = None,
        random: Random | None = None,
    ) -> None:
        """Begin where the outbox stands; nothing is sent before ``start`` or ``turn``."""
        self._outbox = outbox
        self._bus = bus
        self._clock = clock
        self._pace = pace or Pace()
        self._random = random or Random()  # noqa: S311 - spreads calls in time, keeps no secret
        self._coop, self._gateway = coop, gateway
        self._acks: deque[tuple[Ack, bool]] = deque(maxlen=_MOST_ACKS)
        self._link = (0, False)
        self._is_allowed = True
        self._link_seen = _NOT_SEEN
        self._called = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._epoch = ""
        self._sender = self._new_sender()
        bus.subscribe(Address(coop, gateway, Lane.ACK).topic, self._heard)
        bus.watch_link(self._link_changed)

    @property
    def unacknowledged(self) -> int:
        """How many blocks are not known to be in the record."""
        position = self._outbox.position
        return position.last - position.upto

    @property
    def resent(self) -> int:
        """How many blocks went out again since the outbox was opened or renewed."""
        return self._sender.resent

    def start(self) -> None:
        """Run on a thread of its own until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop sending; what was not acknowledged stays in the outbox."""
        self._stopping.set()
        self.wake()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """Look again now: the outbox has a new block."""
        self._called.set()

    def allow(self, allowed: bool) -> None:  # noqa: FBT001 - told as a link is
        """Let blocks go, or hold them back as without a link."""
        if allowed != self._is_allowed:
            self._is_allowed = allowed
            self.wake()

    def turn(self) -> float | None:
        """Take in what was heard, send what is due, and return when to come again.

        Returns:
            The monotonic count [s]; None when only news can help.
        """
        self._see_link()
        while self._acks:
            self._take_in(*self._acks.popleft())
        position = self._outbox.position
        if position.epoch != self._epoch:
            self._sender = self._new_sender()
            self._sender.link(self._clock.monotonic_s(), up=self._link_seen[1])
        self._sender.appended(position.oldest, position.last)
        if self._send(self._sender.due(self._clock.monotonic_s()), position.oldest):
            return self._sender.deadline_s()
        return self._clock.monotonic_s() + _REST_S

    def _send(self, wanted: range, oldest: int) -> bool:
        """Publish blocks; return False when the bus takes none, to be asked about its link anew."""
        for kept in self._outbox.read(wanted):
            topic = Address(self._coop, self._gateway, Lane.BLOCK, kept.device).topic
            outside = Envelope(self._epoch, kept.seq, oldest).properties()
            try:
                self._bus.publish(topic, kept.payload, properties=outside)
            except LinkDownError:
                self._link_seen = _NOT_SEEN
                self._sender.link(self._clock.monotonic_s(), up=False)
                return False
        return True

    def _see_link(self) -> None:
        """Tell the sender how the link is; one that went and came back was away too."""
        link = self._link[0], self._link[1] and self._is_allowed
        if link == self._link_seen:
            return
        now_s = self._clock.monotonic_s()
        if link[0] != self._link_seen[0]:
            self._sender.link(now_s, up=False)
        self._sender.link(now_s, up=link[1])
        self._link_seen = link

    def _take_in(self, ack: Ack, retained: bool) -> None:  # noqa: FBT001 - as it was queued
        if not self._sender.acknowledged(ack, self._clock.monotonic_s(), retained=retained):
            self._outbox.renew()
        elif ack.epoch == self._epoch:
            if self._sender.is_proven and self._outbox.position.unproven:
                self._outbox.prove()
            self._outbox.acknowledge(self._sender.upto, self._sender.store_gen)

    def _new_sender(self) -> Sender:
        position = self._outbox.position
        if 0 < position.unproven < position.oldest:
            self._outbox.renew()
            position = self._outbox.position
        self._epoch = position.epoch
        return Sender(
            position.epoch,
            oldest=position.oldest,
            last=position.last,
            unproven=position.unproven,
            upto=position.upto,
            store_gen=position.store_gen,
            pace=self._pace,
            random=self._random,
        )

    def _heard(self, message: Message) -> None:
        """Queue an acknowledgement; when too many wait the oldest falls out."""
        try:
            self._acks.append((decode_ack(message.payload), message.retained))
        except ContractError as error:
            _log.warning("an acknowledgement was not understood: %s", error)
        self._called.set()

    def _link_changed(self, up: bool) -> None:  # noqa: FBT001 - the shape that a bus calls
        self._link = (self._link[0] + 1, up)
        self._called.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                deadline_s = self.turn()
            except TemporaryError as error:
                _log.warning("nothing sent for now: %s", error)
                deadline_s = self._clock.monotonic_s() + _REST_S
            if deadline_s is None:
                self._called.wait()
            else:
                self._called.wait(max(0.0, deadline_s - self._clock.monotonic_s()))
            self._called.clear()
