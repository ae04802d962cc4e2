"""Real gateways for a virtual street: each reads its own devices and sends on the bus."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from api.embedded.street import BATTERY, COOP, VirtualHome, VirtualStreet
from gateway.agent import Agent, Manner
from gateway.keep.blocks import Shape
from gateway.keep.keeper import Keeper
from gateway.keep.outbox import Outbox
from gateway.modbus.link import LinkSettings, ModbusLink
from gateway.modbus.poll import Role, SunSpecPoll
from gateway.modbus.poller import Asked, Poller
from gateway.p1.serial_port import P1Source
from gateway.steer.battery import Rhythm, SteeredBattery
from gateway.steer.control import Limits
from gateway.steer.wish import FULL_POWER_S
from kwartier.bus import Bus
from kwartier.clock import Clock
from kwartier.errors import LinkDownError
from kwartier.identity import GatewayId
from kwartier.reading import Reading

_HOST = "127.0.0.1"
_PATIENCE_S = 60.0
_LOOK_S = 0.001
_WHOLE_DAYS = Shape(rows=96, age_s=3600.0, at_quarters=False)


@dataclass(frozen=True, slots=True)
class HomeGateway:
    """One home's gateway.

    Attributes:
        home: The home whose devices it reads.
        agent: What it keeps and sends.
        source: Its P1 line.
        poller: Asks its inverter; None without a roof.
        link: The connection to its inverter; None without a roof.
        battery: Its own battery, steered; None without one.
        battery_link: The connection to that battery.
    """

    home: VirtualHome
    agent: Agent
    source: P1Source
    poller: Poller | None
    link: ModbusLink | None
    battery: SteeredBattery | None = None
    battery_link: ModbusLink | None = None


class StreetGateways:
    """The gateways of a street, and the one at its battery."""

    def __init__(
        self,
        street: VirtualStreet,
        folder: Path,
        bus: Bus,
        clock: Clock,
        manner: Manner,
        *,
        look_s: float = 10.0,
        full_power_s: int = FULL_POWER_S,
    ) -> None:
        """Build every gateway; nothing moves before ``start``.

        Args:
            street: Whose devices they read.
            folder: Where they keep their outboxes.
            bus: Where they send.
            clock: Their time.
            manner: How they work.
            look_s: How often they ask their inverter [s].
            full_power_s: How long a plan takes to move the battery over its whole power [s]; 0
                for a day at full speed, in which a quarter is one step.
        """
        self._stack = ExitStack()
        self._past: dict[GatewayId, Keeper] = {}
        self._read: dict[GatewayId, int] = {}
        self._folder, self._bus, self._clock, self._manner = folder, bus, clock, manner
        self.homes = [
            self._with_battery(self._home(home, street.roof_server.port, look_s), street, look_s)
            for home in street.homes
        ]
        self.battery_agent = self._agent(BATTERY.gateway)
        self._battery_link = ModbusLink(LinkSettings(_HOST, street.battery_server.port))
        self.battery = SteeredBattery(
            self._battery_link.unit(1),
            BATTERY.device,
            Limits(BATTERY.charge_max_w, BATTERY.discharge_max_w, full_power_s=full_power_s),
            clock,
            folder / "battery.steering.json",
            take=self.battery_agent.take,
            tell=self.battery_agent.tell,
            rhythm=Rhythm(poll_s=look_s),
        )
        self.battery_agent.steer(BATTERY.device, self.battery)

    @property
    def agents(self) -> list[Agent]:
        """Every gateway's agent."""
        return [*(gateway.agent for gateway in self.homes), self.battery_agent]

    @property
    def unacknowledged(self) -> int:
        """Blocks that the record is not known to hold."""
        return sum(agent.unacknowledged for agent in self.agents)

    def remember(self, gateway: GatewayId, reading: Reading) -> None:
        """Have a gateway keep a reading of earlier days, before it starts sending."""
        self._past[gateway].take(reading)

    def keep_past(self) -> None:
        """Write down what was remembered."""
        for keeper in self._past.values():
            keeper.write_all()

    def start_sending(self) -> None:
        """Keep and send what is taken in."""
        for agent in self.agents:
            agent.start()

    def start_reading(self) -> None:
        """Read every meter from now on."""
        for gateway in self.homes:
            gateway.source.start(self._taker(gateway))

    def start_looking(self) -> None:
        """Ask inverters and steer the battery, each on a thread of its own."""
        for gateway in self.homes:
            if gateway.poller is not None:
                gateway.poller.start()
            if gateway.battery is not None:
                gateway.battery.start()
        self.battery.start()

    def look(self) -> None:
        """Ask every inverter whose time has come, once, on this thread."""
        for gateway in self.homes:
            if gateway.poller is not None:
                gateway.poller.turn()

    def wait_until_read(self) -> None:
        """Wait until every telegram that was sent has been read.

        Raises:
            LinkDownError: A gateway stopped reading its meter.
        """
        until_s = time.monotonic() + _PATIENCE_S
        for gateway in self.homes:
            while self._read[gateway.home.connection.gateway] < gateway.home.port.pushed:
                if time.monotonic() > until_s:
                    raise LinkDownError(f"{gateway.home.port.address} is not read any more")
                time.sleep(_LOOK_S)

    def stop(self) -> None:
        """Stop reading, release the battery, write down what is open."""
        for gateway in self.homes:
            gateway.source.stop()
            if gateway.poller is not None:
                gateway.poller.stop()
            if gateway.battery is not None:
                gateway.battery.stop()
        self.battery.stop()
        for agent in self.agents:
            agent.stop()
        for gateway in self.homes:
            for link in (gateway.link, gateway.battery_link):
                if link is not None:
                    link.close()
        self._battery_link.close()
        self._stack.close()

    def _taker(self, gateway: HomeGateway) -> Callable[[Reading], None]:
        """Return what takes the readings of a P1 line, and only then counts them."""
        name, agent = gateway.home.connection.gateway, gateway.agent
        self._read[name] = 0

        def take(reading: Reading) -> None:
            agent.take(reading)
            if gateway.battery is not None:
                gateway.battery.see_grid(reading)
            self._read[name] += 1

        return take

    def _agent(self, name: str) -> Agent:
        outbox = Outbox(self._folder / f"{name}.outbox", name, self._clock)
        self._stack.callback(outbox.close)
        self._past[name] = Keeper(outbox, self._clock, _nothing, _WHOLE_DAYS)
        return Agent(COOP, name, outbox, self._bus, self._clock, self._manner)

    def _home(self, home: VirtualHome, roof_port: int, look_s: float) -> HomeGateway:
        agent = self._agent(home.connection.gateway)
        source = P1Source(home.port.address, self._clock, first_wait_s=0.1)
        if home.inverter is None:
            return HomeGateway(home, agent, source, None, None)
        link = ModbusLink(LinkSettings(_HOST, roof_port))
        unit = link.unit(home.inverter.unit)
        poll = SunSpecPoll(unit, "inverter", Role.SOLAR, self._clock)
        poller = Poller([Asked("inverter", poll, look_s)], self._clock, agent.take)
        return HomeGateway(home, agent, source, poller, link)

    def _with_battery(
        self, gateway: HomeGateway, street: VirtualStreet, look_s: float
    ) -> HomeGateway:
        """Return a home's gateway with the home's own battery, where it has one."""
        connection, own = gateway.home.connection, gateway.home.battery
        if own is None or street.home_server is None:
            return gateway
        (known,) = street.community.batteries_by_home()[connection.id]
        link = ModbusLink(LinkSettings(_HOST, street.home_server.port))
        battery = SteeredBattery(
            link.unit(own.twin.unit),
            known.device,
            Limits(
                known.charge_max_w,
                known.discharge_max_w,
                import_max_w=connection.limit_w,
                export_max_w=connection.limit_w,
                metered=True,
            ),
            self._clock,
            self._folder / f"{connection.gateway}.steering.json",
            take=gateway.agent.take,
            tell=gateway.agent.tell,
            rhythm=Rhythm(poll_s=look_s),
        )
        gateway.agent.steer(known.device, battery)
        return replace(gateway, battery=battery, battery_link=link)


def _nothing() -> None:
    """Wake nobody: what is remembered goes out when sending starts."""
