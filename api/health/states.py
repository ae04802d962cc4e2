"""What gateways last told of themselves: version, outbox, whether they are on line."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from kwartier.bus import Bus, Message
from kwartier.clock import Clock
from kwartier.errors import ContractError
from kwartier.identity import CoopId, GatewayId
from kwartier.units import EpochS
from kwartier.wire import ROOT, Address, GatewayState, Lane, decode_state

MOST_GATEWAYS = 10_000
"""How many gateways are remembered; a flood of names takes no more memory than this."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """A gateway's newest state.

    Attributes:
        state: What it told.
        offset_s: How far its clock was ahead of ours when it told that [s]; None when the broker
            kept it from before.
    """

    state: GatewayState
    offset_s: EpochS | None


class GatewayStates:
    """Keeps each gateway's newest state; knows none until it listens. Safe between threads."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._told: dict[GatewayId, Told] = {}
        self._refused = 0

    def listen(self, bus: Bus, coop: CoopId, clock: Clock) -> None:
        """Take in what gateways tell on a bus."""

        def receive(message: Message) -> None:
            self._take(message, int(clock.now_s()))
            message.acknowledge()

        bus.subscribe(f"{ROOT}/{coop}/+/{Lane.STATE}", receive)

    def all(self) -> Mapping[GatewayId, Told]:
        """Return what each gateway told last."""
        with self._lock:
            return dict(self._told)

    def _take(self, message: Message, now_s: EpochS) -> None:
        try:
            gateway = Address.parse(message.topic).gateway
            state = decode_state(message.payload)
        except ContractError as error:
            self._refused += 1
            if self._refused == 1:
                _log.warning("a state cannot be read, and others are only counted: %s", error)
            return
        fresh = state.online and not message.retained
        with self._lock:
            known = self._told.get(gateway)
            if known is None and len(self._told) >= MOST_GATEWAYS:
                return
            before_s = None if known is None else known.offset_s
            self._told[gateway] = Told(state, state.at_s - now_s if fresh else before_s)
