"""Says a wish at the broker, and hears what gateways tell of themselves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kwartier.broker import Broker
from kwartier.bus import Message
from kwartier.configuration import Report, decode_report
from kwartier.errors import ContractError, LinkDownError
from kwartier.identity import CoopId, GatewayId
from kwartier.mqtt import MqttBus, Session
from kwartier.wire import ROOT, Address, Lane, decode_state

_log = logging.getLogger(__name__)

_MOST_GATEWAYS = 100_000
_CONNECT_S = 30.0


class FleetEar:
    """Hears every gateway of a cooperative; what is retained comes at once."""

    def __init__(self, bus: MqttBus, coop: CoopId) -> None:
        """Begin to listen."""
        self._bus = bus
        self._coop = coop
        self._news = threading.Condition()
        self.reports: dict[GatewayId, Report] = {}
        self.running: dict[GatewayId, str] = {}
        self._desired: dict[GatewayId, bytes] = {}
        for lane in (Lane.CONFIG_REPORTED, Lane.STATE, Lane.CONFIG_DESIRED):
            bus.subscribe(f"{ROOT}/{coop}/+/{lane}", self._heard)

    def say(self, gateway: GatewayId, payload: bytes, wait_s: float) -> None:
        """Leave a wish at the broker for a gateway; returned once the broker has it.

        Raises:
            LinkDownError: The broker is away, or did not show it in time.
        """
        topic = Address(self._coop, gateway, Lane.CONFIG_DESIRED).topic
        self._bus.publish(topic, payload, retain=True)
        if not self.wait(lambda: self._desired.get(gateway) == payload, wait_s):
            raise LinkDownError("the broker did not show the wish: say 'fleet config send' later")

    def wait(self, reached: Callable[[], bool], wait_s: float) -> bool:
        """Wait until something heard makes a thing true, at most so long [s]."""
        with self._news:
            return self._news.wait_for(reached, wait_s)

    def _heard(self, message: Message) -> None:
        try:
            address = Address.parse(message.topic)
            with self._news:
                self._note(address.gateway, address.lane, message.payload)
                self._news.notify_all()
        except ContractError as error:
            _log.warning("a gateway's words were not understood: %s", error)

    def _note(self, gateway: GatewayId, lane: Lane, payload: bytes) -> None:
        if len(self.running) + len(self.reports) + len(self._desired) > _MOST_GATEWAYS:
            return
        if lane is Lane.CONFIG_DESIRED:
            self._desired[gateway] = payload
        elif payload and lane is Lane.CONFIG_REPORTED:
            self.reports[gateway] = decode_report(payload)
        elif payload:
            self.running[gateway] = decode_state(payload).version


@contextmanager
def listening(broker: Broker, coop: CoopId) -> Iterator[FleetEar]:
    """Give an ear for as long as the block lasts.

    Raises:
        LinkDownError: The broker cannot be reached in time.
    """
    bus = MqttBus(broker, Session(f"fleet-{threading.get_native_id()}"), begin=False)
    try:
        ear = FleetEar(bus, coop)
        bus.begin()
        if not bus.wait_until_up(_CONNECT_S):
            raise LinkDownError(f"the broker at {broker.url} was not reached in {_CONNECT_S:g} s")
        yield ear
    finally:
        bus.close()
