"""What wizards on boxes tell of themselves, and presses sent to them; the box is the truth."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.commission.book import Step
from gateway.commission.mirror import Mirror, decode_mirror
from gateway.commission.press import (
    LIFE_S,
    Press,
    Pressed,
    PressOutcome,
    decode_pressed,
    encode_press,
)
from kwartier.bus import Bus, Message
from kwartier.clock import Clock
from kwartier.errors import ContractError, LinkDownError, TemporaryError
from kwartier.identity import CoopId, GatewayId
from kwartier.units import EpochS
from kwartier.wire import ROOT, Address, Lane

MOST_WIZARDS = 1_000
"""How many homes may be brought on the air at once; a flood of names takes no more memory."""
AWAY_S = 45.0
"""A wizard that said nothing for so long is away: it speaks every fifteen seconds [s]."""
ANSWER_WITHIN_S = 5.0
"""How long a page waits for the box's answer to a press [s]."""

_log = logging.getLogger(__name__)


class NoAnswerError(TemporaryError):
    """The box did not answer a press in time: it may be done yet, for as long as a press holds."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a wizard stood when it last spoke.

    Attributes:
        mirror: What it told.
        heard_s: When we heard that [s]; when the box said it, where the broker kept it for us.
        is_away: Whether it has been silent for too long since, or was never heard by us.
    """

    mirror: Mirror
    heard_s: EpochS
    is_away: bool


@dataclass(slots=True)
class _Heard:
    mirror: Mirror
    heard_s: EpochS
    count_s: float | None
    """On the clock that never jumps; None where the broker kept it from before."""


@dataclass(slots=True)
class _Waiting:
    number: int
    came: threading.Event = field(default_factory=threading.Event)
    answer: Pressed | None = None


class Mirrors:
    """Keeps each wizard's newest state, and sends presses; safe between threads."""

    def __init__(self) -> None:
        """Know nothing, and reach nobody, until it listens."""
        self._lock = threading.Lock()
        self._heard: dict[GatewayId, _Heard] = {}
        self._waiting: dict[GatewayId, _Waiting] = {}
        self._numbers: dict[GatewayId, int] = {}
        self._refused = 0
        self._bus: Bus | None = None
        self._coop: CoopId = ""
        self._clock: Clock | None = None

    def listen(self, bus: Bus, coop: CoopId, clock: Clock) -> None:
        """Take in what wizards tell on a bus, and send presses over it."""
        self._bus, self._coop, self._clock = bus, coop, clock
        bus.subscribe(f"{ROOT}/{coop}/+/{Lane.WIZARD}", self._told)
        bus.subscribe(f"{ROOT}/{coop}/+/{Lane.PRESSED}", self._answered)

    def of(self, gateway: GatewayId) -> Told | None:
        """Return how a gateway's wizard stands; None while none runs, as far as we heard."""
        with self._lock:
            heard, clock = self._heard.get(gateway), self._clock
        if heard is None or clock is None:
            return None
        silent = heard.count_s is None or clock.monotonic_s() - heard.count_s >= AWAY_S
        return Told(heard.mirror, heard.heard_s, silent)

    def press(
        self,
        gateway: GatewayId,
        step: Step,
        do: str,
        form: Mapping[str, str],
        within_s: float = ANSWER_WITHIN_S,
    ) -> Pressed:
        """Press a button of a wizard, and return its answer; one press of a wizard at a time.

        Args:
            gateway: Whose.
            step: On which step's page.
            do: What the button says.
            form: What was filled in with it.
            within_s: How long to wait for the answer [s].

        Raises:
            LinkDownError: There is no broker, or no link to it: nothing was pressed.
            NoAnswerError: The box did not answer in time.
        """
        bus, clock = self._bus, self._clock
        if bus is None or clock is None:
            raise LinkDownError("no broker is set here: a box cannot be reached")
        waiting = self._next(gateway, clock)
        if waiting is None:
            return Pressed(0, PressOutcome.KNOWN, step)
        press = Press(waiting.number, int(clock.now_s()), step, do, form)
        topic = Address(self._coop, gateway, Lane.PRESS).topic
        try:
            bus.publish(topic, encode_press(press), expiry_s=LIFE_S)
            came = waiting.came.wait(within_s)
        finally:
            with self._lock:
                del self._waiting[gateway]
        if not came or waiting.answer is None:
            raise NoAnswerError(f"{gateway} did not answer a press within {within_s:g} s")
        return waiting.answer

    def _next(self, gateway: GatewayId, clock: Clock) -> _Waiting | None:
        """Return the place of an answer, under a number above every one before.

        Also above those of before a restart: the clock is, and the box tells the last it took.
        While another press of this wizard waits there is none.
        """
        with self._lock:
            if gateway in self._waiting:
                return None
            heard = self._heard.get(gateway)
            taken = 0 if heard is None else heard.mirror.pressed
            before = max(self._numbers.get(gateway, 0), taken, int(clock.now_s() * 1000))
            # Each gateway has its own: one that lies about what it took spoils no other's.
            self._numbers[gateway] = before + 1
            waiting = self._waiting[gateway] = _Waiting(before + 1)
        return waiting

    def _told(self, message: Message) -> None:
        clock = self._clock
        assert clock is not None
        try:
            gateway = Address.parse(message.topic).gateway
            mirror = decode_mirror(message.payload) if message.payload else None
        except ContractError as error:
            self._refuse(error)
            return
        with self._lock:
            if mirror is None:
                self._heard.pop(gateway, None)
            elif gateway in self._heard or len(self._heard) < MOST_WIZARDS:
                kept = message.retained
                now_s = int(clock.now_s())
                # Nobody said it later than now, whatever the box's clock was set to.
                heard_s = min(mirror.at_s, now_s) if kept else now_s
                count_s = None if kept else clock.monotonic_s()
                self._heard[gateway] = _Heard(mirror, heard_s, count_s)

    def _answered(self, message: Message) -> None:
        try:
            gateway = Address.parse(message.topic).gateway
            answer = decode_pressed(message.payload)
        except ContractError as error:
            self._refuse(error)
            return
        with self._lock:
            waiting = self._waiting.get(gateway)
            if waiting is not None and waiting.number == answer.number:
                waiting.answer = answer
                waiting.came.set()

    def _refuse(self, error: ContractError) -> None:
        self._refused += 1
        if self._refused == 1:
            _log.warning("what a wizard tells cannot be read, others are only counted: %s", error)
