"""One gateway, wired: what devices say goes to disk and on its way, commands go to the battery."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from gateway.dating import Dating
from gateway.herald import Herald
from gateway.keep.blocks import Shape
from gateway.keep.courier import Courier
from gateway.keep.delivery import Pace
from gateway.keep.keeper import Keeper
from gateway.keep.namesake import Boot, Caution
from gateway.keep.outbox import Outbox
from gateway.keep.trouble import Trouble
from gateway.presence import Door, Health, Presence, started
from kwartier.bus import Bus, Message
from kwartier.clock import Clock, SystemClock
from kwartier.errors import ContractError, LinkDownError
from kwartier.events import Event
from kwartier.identity import CoopId, DeviceId, GatewayId
from kwartier.reading import Reading, Schedule
from kwartier.schedule import Response, decode_schedule, encode_response
from kwartier.wire import Address, Lane, encode_live

_log = logging.getLogger(__name__)


class Steered(Protocol):
    """A battery that takes schedules."""

    def accept(self, schedule: Schedule) -> Response:
        """Put a schedule in force, or refuse it; the answer says which and why."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a gateway works.

    Attributes:
        shape: When a block is closed.
        pace: How blocks are sent.
        live_every_s: The shortest time between two live values of a device [s]; 0 for none.
        caution: How it makes sure that no other gateway goes by its name.
    """

    shape: Shape = field(default_factory=Shape)
    pace: Pace = field(default_factory=Pace)
    live_every_s: float = 1.0
    caution: Caution = field(default_factory=Caution)


class Agent:
    """Takes readings and schedules, from any thread."""

    def __init__(
        self,
        coop: CoopId,
        gateway: GatewayId,
        outbox: Outbox,
        bus: Bus,
        clock: Clock,
        manner: Manner | None = None,
        random: Random | None = None,
        heard: Callable[[DeviceId], None] | None = None,
        boot: Boot | None = None,
        door: Door | None = None,
        dating: Dating | None = None,
    ) -> None:
        """Wire a gateway; nothing moves before ``start``.

        Args:
            coop: The cooperative it belongs to.
            gateway: Its own name.
            outbox: Where readings are kept until the record has them.
            bus: How messages travel.
            clock: The gateway's time; delivery itself counts on the machine's clock.
            manner: How it works.
            random: Spreads the gateways of a street in time.
            heard: Is told which device said something, on the thread that read it.
            boot: The mark of this start; None to draw one.
            door: The connection that is left to another gateway of this name.
            dating: Holds readings until the time is known; None believes the clock.
        """
        self._coop, self._gateway = coop, gateway
        self._outbox = outbox
        self._bus = bus
        self._clock = clock
        self._manner = manner or Manner()
        self._heard = heard
        self._dating = dating
        if dating is not None:
            dating.watch(self.tell_event)
        self._courier = Courier(
            outbox, bus, coop, gateway, SystemClock(), self._manner.pace, random
        )
        self._keeper = Keeper(outbox, clock, self._wrote, self._manner.shape)
        self._herald = Herald(bus, coop, gateway, outbox, SystemClock())
        self._trouble = Trouble(outbox, clock)
        self._presence = Presence(
            bus,
            coop,
            gateway,
            boot or started(clock),
            clock,
            self._health,
            self.tell_event,
            self._courier.allow,
            door,
            self._manner.caution,
        )
        self._batteries: dict[DeviceId, Steered] = {}
        self._live_at_s: dict[DeviceId, float] = {}
        self._shows: list[Callable[[Reading], None]] = []
        self.taken = 0
        """Readings taken in since it was made."""

    @property
    def has_namesake(self) -> bool:
        """Whether another gateway was heard lately that goes by this one's name."""
        return self._presence.has_namesake

    @property
    def unacknowledged(self) -> int:
        """How many blocks the record is not known to hold."""
        return self._courier.unacknowledged

    def keeper_turns(self) -> int:
        """Return how often the keeper has turned, for whoever watches that it goes on."""
        return self._keeper.turns

    def steer(self, device: DeviceId, battery: Steered) -> None:
        """Hand the schedules for a device to ``battery``."""
        self._batteries[device] = battery
        self._bus.subscribe(
            Address(self._coop, self._gateway, Lane.COMMAND, device).topic, self._commanded
        )

    def show(self, show: Callable[[Reading], None]) -> None:
        """Have each reading handed to ``show`` too, once it is kept; it must not wait."""
        self._shows.append(show)

    def start(self) -> None:
        """Begin to keep and to send."""
        self._keeper.start()
        self._courier.start()
        self._herald.start()
        self._presence.start()
        self._bus.watch_link(self._linked)

    def stop(self) -> None:
        """Write down what is open and stop; what was not acknowledged stays on disk."""
        for reading in [] if self._dating is None else self._dating.rest():
            self._keep(reading)
        self._keeper.stop()
        self._courier.stop()
        self._presence.stop()
        self._herald.stop()

    def take(self, reading: Reading) -> None:
        """Keep one reading, and show it live."""
        if self._heard is not None:
            self._heard(reading.device)
        for dated in [reading] if self._dating is None else self._dating.date(reading):
            self._keep(dated)

    def _keep(self, reading: Reading) -> None:
        self._keeper.take(reading)
        self.taken += 1
        for show in self._shows:
            show(reading)
        if self._manner.live_every_s:
            self._show(reading)

    def crc_failed(self, device: DeviceId, count: int = 1) -> None:
        """Count telegrams dropped for a wrong checksum."""
        self._keeper.crc_failed(device, count)

    def write_all(self) -> None:
        """Close every open block now, as before a stop."""
        self._keeper.write_all()

    def tell(self, response: Response) -> None:
        """Say what was done with a command; while the link is away nobody is told."""
        topic = Address(self._coop, self._gateway, Lane.RESPONSE, response.device).topic
        try:
            self._bus.publish(topic, encode_response(response))
        except LinkDownError:
            _log.info("no link: nobody was told that %s", response.reason)

    def tell_event(self, event: Event) -> None:
        """Say what happened until the record holds it; usable from any thread, never waits."""
        self._herald.tell(event)

    def is_kept(self, event: Event) -> bool:
        """Return whether an event that was told survives a power cut now."""
        return self._herald.is_kept(event)

    def _show(self, reading: Reading) -> None:
        if self._presence.is_doubtful:
            return
        now_s = self._clock.monotonic_s()
        shown_s = self._live_at_s.get(reading.device)
        if shown_s is not None and now_s < shown_s + self._manner.live_every_s:
            return
        self._live_at_s[reading.device] = now_s
        topic = Address(self._coop, self._gateway, Lane.LIVE, reading.device).topic
        try:
            self._bus.publish(topic, encode_live(reading), qos=0)
        except LinkDownError:
            return

    def _commanded(self, message: Message) -> None:
        try:
            address = Address.parse(message.topic)
            schedule = decode_schedule(message.payload)
        except ContractError as error:
            _log.warning("a command was not understood: %s", error)
            message.acknowledge()
            return
        battery = self._batteries.get(schedule.device)
        if message.retained or address.device != schedule.device or battery is None:
            _log.warning("a command was refused: retained, or meant for another device")
        else:
            self.tell(battery.accept(schedule))
        message.acknowledge()

    def _linked(self, up: bool) -> None:  # noqa: FBT001 - the bus says it so
        self._presence.linked(up=up)
        if up:
            self._herald.linked()

    def _wrote(self) -> None:
        """Send what is new on disk; tell what the outbox suffered."""
        self._courier.wake()
        for event in self._trouble.look():
            self.tell_event(event)

    def _health(self) -> Health:
        counts = {
            "thinned_blocks": self._outbox.thinned_blocks,
            "dropped_drafts": self._keeper.dropped,
            "damaged_files": self._outbox.damaged_files,
            "held_kib": self._outbox.held_bytes // 1024,
            "on_disk": int(self._outbox.is_on_disk),
        }
        return Health(self._outbox.position.epoch, self._courier.unacknowledged, counts)
