"""A street of virtual meters, each read by a gateway of its own, over sockets and a bus."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from heapq import merge
from pathlib import Path

from api.replay.meters import Measured, MeterHistory
from gateway.agent import Agent, Manner
from gateway.blocks import Shape
from gateway.delivery import Pace
from gateway.outbox import Outbox
from gateway.serial_port import P1Source
from hardware.twins.p1_meter import P1Meter, P1TcpPort
from kwartier.bus import Bus
from kwartier.clock import VirtualClock
from kwartier.errors import LinkDownError
from kwartier.identity import CoopId, GatewayId
from kwartier.interval import QUARTER_S
from kwartier.reading import Reading
from kwartier.units import EpochS

INVERTER = "inverter"
"""The inverter's name on its gateway."""
_CONNECT_S = 30.0
_MANNER = Manner(
    shape=Shape(rows=96, age_s=3600.0, at_quarters=False), pace=Pace(spread_s=0.0), live_every_s=0.0
)
_MOST_POWER_W = 99_999
"""The most that a telegram can say [W]."""
_AHEAD_S = 12 * 3600
"""How far the street's time may run ahead of what the gateways have read [s]: a gateway does not
believe a meter whose clock is a day off."""
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class _Home:
    """One virtual home: what was measured, its meter's port, and the gateway that reads it."""

    gateway: GatewayId
    history: MeterHistory
    meter: P1Meter
    port: P1TcpPort
    source: P1Source
    agent: Agent


class ReplayStreet:
    """Plays measured quarters: telegrams on TCP, read by real gateways, sent on a bus."""

    def __init__(
        self,
        measured: Measured,
        coop: CoopId,
        folder: Path,
        bus_of: Callable[[GatewayId], Bus],
    ) -> None:
        """Build a meter and a gateway for each household; nothing moves before ``play``.

        Args:
            measured: What to play.
            coop: The cooperative the gateways belong to.
            folder: Where the outboxes are kept.
            bus_of: Returns the connection of a gateway.
        """
        self._stack = ExitStack()
        self._clock = VirtualClock(measured.start_s)
        self._measured = measured
        self._news = threading.Condition()
        self._taken = 0
        self.sent = 0
        """Readings that meters and inverters told so far."""
        self._homes = [
            self._home(number, history, coop, folder, bus_of)
            for number, history in enumerate(measured.meters.values(), start=1)
        ]

    @property
    def gateways(self) -> list[GatewayId]:
        """The gateways, in the order of the households."""
        return [home.gateway for home in self._homes]

    @property
    def unacknowledged(self) -> int:
        """Blocks that the record is not known to hold."""
        return sum(home.agent.unacknowledged for home in self._homes)

    def play(self, progress: Callable[[EpochS], None]) -> None:
        """Push every telegram as fast as the gateways take them, in order of time.

        Raises:
            LinkDownError: A gateway did not connect to its meter, or stopped reading it.
        """
        for home in self._homes:
            home.agent.start()
            home.source.start(self._taker(home.agent))
        for home in self._homes:
            if not home.port.wait_for_client(_CONNECT_S):
                raise LinkDownError(f"gateway {home.gateway} did not come to {home.port.address}")
        told_s = waited_s = self._measured.start_s
        for at_s, number, row in merge(*(_moments(home, n) for n, home in enumerate(self._homes))):
            if at_s > told_s:
                if at_s >= waited_s + _AHEAD_S:
                    self._wait_until_read()
                    waited_s = at_s
                self._clock.advance(at_s - told_s)
                progress(at_s)
                told_s = at_s
            self._show(self._homes[number], at_s, row)
        self._wait_until_read()

    def write_all(self) -> None:
        """Close every block, so that the last readings are on their way."""
        for home in self._homes:
            home.agent.write_all()

    def close(self) -> None:
        """Stop every gateway and close every port."""
        for home in self._homes:
            home.source.stop()
            home.agent.stop()
        self._stack.close()

    def _home(
        self,
        number: int,
        history: MeterHistory,
        coop: CoopId,
        folder: Path,
        bus_of: Callable[[GatewayId], Bus],
    ) -> _Home:
        name = f"gw-{number:04d}"
        port = P1TcpPort()
        self._stack.callback(port.close)
        outbox = Outbox(folder / f"{name}.outbox", name, self._clock)
        self._stack.callback(outbox.close)
        bus = bus_of(name)
        agent = Agent(coop, name, outbox, bus, self._clock, _MANNER)
        return _Home(
            name,
            history,
            P1Meter(f"REPLAY{number:010d}"),
            port,
            P1Source(port.address, self._clock, first_wait_s=0.1),
            agent,
        )

    def _taker(self, agent: Agent) -> Callable[[Reading], None]:
        def take(reading: Reading) -> None:
            agent.take(reading)
            with self._news:
                self._taken += 1
                self._news.notify()

        return take

    def _wait_until_read(self) -> None:
        """Wait until the gateways have read every telegram that was pushed."""
        with self._news:
            while self._taken < self.sent:
                before = self._taken
                if not self._news.wait(_PATIENCE_S) and self._taken == before:
                    raise LinkDownError(
                        f"{self.sent - self._taken} telegrams were not read within "
                        f"{_PATIENCE_S:g} s: is the machine overloaded?"
                    )

    def _show(self, home: _Home, at_s: EpochS, row: int) -> None:
        """Let a meter show its registers at an instant; row -1 is before its first quarter."""
        history, meter = home.history, home.meter
        if row >= 0:
            import_wh = int(history.import_wh[row]) - meter.import_wh
            export_wh = int(history.export_wh[row]) - meter.export_wh
            meter.count(import_wh, export_wh)
            net_w = (import_wh - export_wh) * 4
            meter.power_w = max(-_MOST_POWER_W, min(_MOST_POWER_W, net_w))
        home.port.push(meter.telegram(at_s))
        self.sent += 1
        if history.produced_wh is not None:
            made_wh = int(history.produced_wh[row]) if row >= 0 else 0
            self.sent += 1
            self._taker(home.agent)(Reading(INVERTER, "", at_s, {"produced_wh": made_wh}))


def _moments(home: _Home, number: int) -> Iterator[tuple[EpochS, int, int]]:
    """Yield when a meter tells its registers: at its first start, and at the end of each quarter.

    At the start of a quarter that follows a gap it says nothing, so that the energy of the gap is
    told as an estimate over it and never as zero.
    """
    starts_s = home.history.starts_s.tolist()
    yield starts_s[0], number, -1
    for row, start_s in enumerate(starts_s):
        yield start_s + QUARTER_S, number, row
