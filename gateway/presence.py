"""A gateway's presence: tells its state, and steps back where another goes by its name."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Protocol

from gateway.keep.namesake import Boot, Caution, Namesake
from kwartier.bus import Bus, Message
from kwartier.clock import Clock, SystemClock
from kwartier.errors import ContractError, LinkDownError
from kwartier.events import Event, EventKind
from kwartier.identity import CoopId, GatewayId
from kwartier.wire import Address, GatewayState, Lane, decode_state, encode_state

_log = logging.getLogger(__name__)

_TELL_EVERY_S = 60.0
_ANSWER_AFTER_S = 1.0
_MARK_BITS = 48


class Door(Protocol):
    """A connection that can be left and taken up again, with a last will."""

    def bequeath(self, payload: bytes) -> None:
        """Have this said when we vanish, from the next connection on."""

    def leave(self) -> None:
        """Go away in order."""

    def begin(self) -> None:
        """Come back."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a state tells of its gateway.

    Attributes:
        epoch: The life of its outbox.
        unacknowledged: How many blocks the record is not known to hold.
        details: Counts by name.
    """

    epoch: str
    unacknowledged: int
    details: Mapping[str, int]


def started(clock: Clock) -> Boot:
    """Return the mark of a start now."""
    return Boot(int(clock.now_s()), _new_mark())


def will_of(words: Mapping[str, int], epoch: str, clock: Clock) -> GatewayState:
    """Return what the broker says of a gateway that vanished; ``words`` are its mark's."""
    return GatewayState(epoch, False, version("kwartier"), int(clock.now_s()), details=words)


def _new_mark() -> int:
    return secrets.randbits(_MARK_BITS)


class Presence:
    """Tells the state when the link comes, each minute, and to one that goes by our name.

    Nothing waits on the bus's own thread: what is heard there is only noted.
    """

    def __init__(
        self,
        bus: Bus,
        coop: CoopId,
        gateway: GatewayId,
        boot: Boot,
        clock: Clock,
        health: Callable[[], Health],
        tell_event: Callable[[Event], None],
        allow: Callable[[bool], None],
        door: Door | None = None,
        caution: Caution | None = None,
    ) -> None:
        """Listen to the gateway's own topic; nothing is told before the link is there.

        Args:
            bus: How states travel.
            coop: The cooperative.
            gateway: The name that is to be ours alone.
            boot: The mark of this start.
            clock: The gateway's time; patience counts on the machine's own clock.
            health: Returns what a state tells.
            tell_event: Takes an alarm.
            allow: Is told whether blocks may be sent.
            door: The connection that is left to another of our name; None where one cannot leave.
            caution: How carefully it is made sure that there is no other.
        """
        self._bus = bus
        self._topic = Address(coop, gateway, Lane.STATE).topic
        self._clock = clock
        self._count = SystemClock()
        self._health = health
        self._tell_event = tell_event
        self._allow = allow
        self._door = door
        self._lock = threading.RLock()
        self._namesake = Namesake(boot, caution or Caution())
        self._told = 0
        self._told_s = 0.0
        self._is_up = False
        self._must_answer = False
        self._has_left = False
        self._called = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        allow(False)
        bus.subscribe(self._topic, self._heard)

    @property
    def is_doubtful(self) -> bool:
        """Whether another may go by our name; nothing is shown live then."""
        with self._lock:
            return self._namesake.is_doubtful

    @property
    def has_namesake(self) -> bool:
        """Whether another gateway was noticed lately."""
        with self._lock:
            return self._namesake.noticed(self._count.monotonic_s())

    def start(self) -> None:
        """Look after it on a thread of its own until ``stop``."""
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Say that the gateway leaves, unless another speaks in its name."""
        self._stopping.set()
        self._called.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            is_ours = not self._namesake.gives_way
        if is_ours:
            self._tell(online=False)

    def linked(self, *, up: bool) -> None:
        """Note that the link came or went; one that came is told our state at once."""
        with self._lock:
            self._is_up = up
            self._namesake.link(self._count.monotonic_s(), up=up)
        if up:
            self._tell(online=True)
        else:
            self._bequeath()
        self._settle()
        self._called.set()

    def turn(self) -> float:
        """Do what is due, and return when to come again [s of the machine's monotonic count]."""
        now_s = self._count.monotonic_s()
        self._settle()
        self._step_back(now_s)
        with self._lock:
            due_s = self._told_s + (_ANSWER_AFTER_S if self._must_answer else _TELL_EVERY_S)
            is_due = self._is_up and not self._has_left and now_s >= due_s
            waits = [due_s if self._is_up and not is_due else now_s + _TELL_EVERY_S]
            waits += [
                at_s
                for at_s in (self._namesake.clear_s(), self._namesake.back_s)
                if at_s is not None
            ]
        if is_due:
            self._tell(online=True)
        return min(waits)

    def _step_back(self, now_s: float) -> None:
        """Alarm when another was noticed, leave when we give way, and come back to look again."""
        with self._lock:
            namesake = self._namesake
            gives_way = namesake.gives_way
            leaves = gives_way and self._is_up and not self._has_left
            is_back = namesake.back_s is not None and now_s >= namesake.back_s
            alarms = (self._is_up or not gives_way) and namesake.must_alarm(now_s)
        if alarms:
            does = "this one gives way" if gives_way else "the other gives way"
            reason = f"another gateway goes by this name, a copied card or folder: {does}"
            self._tell_event(
                Event(EventKind.IDENTITY_DUPLICATE, None, int(self._clock.now_s()), reason)
            )
            self._tell(online=not gives_way)
        if leaves:
            self._has_left = True
            if self._door is not None:
                self._door.leave()
        if is_back and self._has_left:
            with self._lock:
                namesake.came_back(_new_mark())
                self._has_left = False
            self._bequeath()
            if self._door is not None:
                self._door.begin()

    def _settle(self) -> None:
        """Let blocks go, or hold them back."""
        with self._lock:
            may_send = self._namesake.may_send(self._count.monotonic_s())
        self._allow(may_send)

    def _tell(self, *, online: bool) -> None:
        health = self._health()
        with self._lock:
            self._told += 1
            self._told_s = self._count.monotonic_s()
            self._must_answer = False
            details = {**health.details, **self._namesake.words(self._told)}
            if self._namesake.noticed(self._told_s):
                details["namesake"] = 1
        state = GatewayState(
            health.epoch,
            online,
            version("kwartier"),
            int(self._clock.now_s()),
            health.unacknowledged,
            details,
        )
        try:
            self._bus.publish(self._topic, encode_state(state), retain=True)
        except LinkDownError:
            return

    def _bequeath(self) -> None:
        """Renew the last will: it names whom we heard by now."""
        if self._door is None:
            return
        with self._lock:
            words = self._namesake.words(0)
        self._door.bequeath(encode_state(will_of(words, self._health().epoch, self._clock)))

    def _heard(self, message: Message) -> None:
        try:
            state = decode_state(message.payload)
        except ContractError:
            return
        with self._lock:
            self._must_answer |= self._namesake.heard(state, self._count.monotonic_s())
        self._settle()
        self._called.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            due_s = self.turn()
            self._called.wait(max(0.0, due_s - self._count.monotonic_s()))
            self._called.clear()
