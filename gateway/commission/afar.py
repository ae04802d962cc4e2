"""The wizard as the server sees it: it is told how every step stands, and may press a few buttons.

Only while a home is brought on the air: a gateway in service does not listen here. A press holds
for a minute, is done at most once, and is judged here as if it were pressed at the box.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from gateway.commission.book import STEPS, Step
from gateway.commission.mirror import Mirror, Stands, encode_mirror, mirror_of
from gateway.commission.press import (
    AT_THE_BOX,
    LIFE_S,
    Press,
    Pressed,
    PressOutcome,
    decode_press,
    encode_pressed,
    is_for_afar,
)
from gateway.commission.refusal import Refusal
from kwartier.bus import Bus, Message
from kwartier.clock import Clock, SystemClock
from kwartier.errors import ContractError, KwartierError, LinkDownError
from kwartier.identity import CoopId, GatewayId
from kwartier.wire import Address, Lane

_log = logging.getLogger(__name__)

TELL_EVERY_S = 1.0
"""The shortest time between two mirrors [s]."""
TELL_AGAIN_S = 15.0
"""How often it is told when nothing changed, so that the server knows that the box is there [s]."""
_MOST_WAITING = 8


class Judges(Stands, Protocol):
    """A wizard whose buttons can be pressed."""

    @property
    def is_over(self) -> bool:
        """Return whether everything is done, and the gateway begins."""

    def act(self, step: Step, do: str, form: Mapping[str, str]) -> Step:
        """Do what a button says, and return the step to show then."""


class Afar:
    """Tells a server how a wizard stands, and does what is pressed there."""

    def __init__(
        self,
        wizard: Judges,
        bus: Bus,
        coop: CoopId,
        gateway: GatewayId,
        clock: Clock,
        every_s: float = TELL_EVERY_S,
    ) -> None:
        """Listen for presses; nothing is told or done before ``start``.

        Args:
            wizard: What is shown and pressed.
            bus: How that travels.
            coop: The cooperative.
            gateway: The box's own name.
            clock: The box's time, by which a press runs out.
            every_s: The shortest time between two mirrors, on the machine's own clock [s].
        """
        self._wizard, self._bus, self._clock, self._every_s = wizard, bus, clock, every_s
        self._mirror_topic = Address(coop, gateway, Lane.WIZARD).topic
        self._answer_topic = Address(coop, gateway, Lane.PRESSED).topic
        self._count = SystemClock()
        self._told: Mirror | None = None
        self._told_s = float("-inf")
        self._answer: Pressed | None = None
        self._waiting: queue.Queue[Press] = queue.Queue(_MOST_WAITING)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="afar", daemon=True)
        bus.subscribe(Address(coop, gateway, Lane.PRESS).topic, self._heard)
        bus.watch_link(self._linked)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; where everything is done the broker forgets how it stood."""
        self._stop.set()
        self._thread.join()
        if self._wizard.is_over:
            self._say(self._mirror_topic, b"", retain=True)

    def _heard(self, message: Message) -> None:
        """Note a press; it is done on a thread of its own."""
        try:
            press = decode_press(message.payload)
        except ContractError as error:
            _log.warning("a press from afar was not understood: %s", error)
            return
        if message.retained:
            _log.warning("a press from afar was kept by the broker: it is not done")
            return
        try:
            self._waiting.put_nowait(press)
        except queue.Full:
            _log.warning("too much is pressed from afar: a press is not done")

    def _linked(self, up: bool) -> None:  # noqa: FBT001 - the bus says it so
        if up:
            self._told = None

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                press = self._waiting.get(timeout=self._every_s)
            except queue.Empty:
                press = None
            try:
                answer = None if press is None else self._judged(press)
                self._tell()
                if answer is not None:  # the state first, so that who waits for it sees it
                    self._say(self._answer_topic, encode_pressed(answer))
            except KwartierError as error:
                _log.warning("what is pressed from afar goes on without: %s", error)

    def _judged(self, press: Press) -> Pressed:
        """Do a press that may be done, and return the answer."""
        book = self._wizard.book
        if self._answer is not None and self._answer.number == press.number:
            return self._answer
        if press.number <= book.pressed:
            return Pressed(press.number, PressOutcome.KNOWN, press.step)
        if abs(self._clock.now_s() - press.at_s) > LIFE_S:
            self._answer = Pressed(press.number, PressOutcome.LATE, press.step)
            return self._answer
        try:
            book.take_press(press.number)  # first on disk: a power cut never has it done twice
            then = self._done(press)
        except Refusal as refusal:
            why = refusal.key
        except KwartierError as error:
            _log.warning("step %s, pressed from afar: %s", press.step.value, error)
            why = "refused.disk"
        else:
            self._answer = Pressed(press.number, PressOutcome.DONE, then)
            return self._answer
        self._answer = Pressed(press.number, PressOutcome.REFUSED, press.step, why)
        return self._answer

    def _done(self, press: Press) -> Step:
        if not is_for_afar(press.step, press.do):
            raise Refusal(AT_THE_BOX)
        if self._wizard.is_over or STEPS.index(press.step) > STEPS.index(self._wizard.book.next()):
            raise Refusal("refused.unknown")
        offered = [one for one in self._wizard.view(press.step).acts if one.do == press.do]
        if not offered:
            raise Refusal("refused.unknown")
        if not set(press.form) <= set(offered[0].fields):
            raise Refusal(AT_THE_BOX)
        return self._wizard.act(press.step, press.do, press.form)

    def _tell(self) -> None:
        """Tell how it stands when that changed, never more often than it may be told."""
        early_s = self._told_s + self._every_s - self._count.monotonic_s()
        if early_s > 0 and self._stop.wait(early_s):
            return
        now_s = self._count.monotonic_s()
        mirror = mirror_of(self._wizard, int(self._clock.now_s()))
        told = self._told
        same = told is not None and replace(told, at_s=mirror.at_s) == mirror
        if same and now_s < self._told_s + TELL_AGAIN_S:
            return
        if self._say(self._mirror_topic, encode_mirror(mirror), retain=True):
            self._told, self._told_s = mirror, now_s

    def _say(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        try:
            self._bus.publish(topic, payload, retain=retain)
        except LinkDownError:
            return False  # it is told again once the link is there
        return True
