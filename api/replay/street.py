"""A street of virtual meters, each read by a gateway of its own, over sockets and a bus."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from api.replay.meters import Measured, MeterHistory
from gateway.agent import Agent, Manner
from gateway.keep.blocks import Shape
from gateway.keep.delivery import Pace
from gateway.keep.outbox import Outbox
from gateway.p1.serial_port import P1Source
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
    shape=Shape(rows=192, age_s=3600.0, at_quarters=False),
    pace=Pace(spread_s=0.0),
    live_every_s=0.0,
)
_SILENCE_S = 86_400.0
"""A meter that has no readings yet, or no more, keeps its line open for so long [s]."""
_AHEAD_S = 12 * 3600
"""How far the street's time may run ahead of what the gateways have read [s]: a gateway does not
believe a meter whose clock is a day off."""
_PATIENCE_S = 120.0
_LOOK_S = 0.001


@dataclass(slots=True)
class _Home:
    """One virtual home: what was measured, its meter's port, and the gateway that reads it."""

    gateway: GatewayId
    history: MeterHistory
    meter: P1Meter
    port: P1TcpPort
    source: P1Source
    agent: Agent
    told: int = 0
    """Telegrams sent so far."""
    read: int = 0
    """Telegrams that its gateway has taken in so far."""

    def take(self, reading: Reading) -> None:
        """Hand the gateway what its P1 line read, and only then count it."""
        self.agent.take(reading)
        self.read += 1


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

        Raises:
            LinkDownError: A gateway has no link.
        """
        self._stack = ExitStack()
        self._clock = VirtualClock(measured.start_s)
        self._measured = measured
        self.sent = 0
        """Readings that meters and inverters told so far."""
        self._homes: list[_Home] = []
        try:
            for number, history in enumerate(measured.meters.values(), start=1):
                self._homes.append(self._home(number, history, coop, folder, bus_of))
        except BaseException:
            self._stack.close()
            raise

    @property
    def gateways(self) -> list[GatewayId]:
        """The gateways, in the order of the households."""
        return [home.gateway for home in self._homes]

    @property
    def unacknowledged(self) -> int:
        """Blocks that the record is not known to hold."""
        return sum(home.agent.unacknowledged for home in self._homes)

    def play(self, progress: Callable[[EpochS], None]) -> None:
        """Push every telegram as fast as the gateways take them, half a day at a time.

        Raises:
            LinkDownError: A gateway did not connect to its meter, or stopped reading it.
        """
        for home in self._homes:
            home.agent.start()
            home.source.start(home.take)
        for home in self._homes:
            if not home.port.wait_for_client(_CONNECT_S):
                raise LinkDownError(f"gateway {home.gateway} did not come to {home.port.address}")
        from_s, end_s = self._measured.start_s, self._measured.end_s
        while from_s <= end_s:
            for home in self._homes:
                self._tell(home, from_s + _AHEAD_S)
            self._wait_until_read()
            self._clock.advance(_AHEAD_S)
            from_s += _AHEAD_S
            progress(min(from_s, end_s))

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
            P1Source(port.address, self._clock, silence_s=_SILENCE_S, first_wait_s=0.1),
            agent,
        )

    def _tell(self, home: _Home, until_s: EpochS) -> None:
        """Let a meter tell its registers up to an instant, not included, in one push.

        It tells them at its first start and at the end of each quarter. At the start of a quarter
        that follows a gap it says nothing, so that the energy of the gap is told as an estimate
        over it and never as zero.
        """
        history, meter = home.history, home.meter
        telegrams: list[bytes] = []
        if home.told == 0 and history.start_s < until_s:
            telegrams.append(meter.telegram(history.start_s))
            self._tell_roof(home, history.start_s, -1)
            home.told = 1
        while 0 < home.told <= len(history.starts_s):
            row = home.told - 1
            at_s = int(history.starts_s[row]) + QUARTER_S
            if at_s >= until_s:
                break
            import_wh = int(history.import_wh[row]) - meter.import_wh
            export_wh = int(history.export_wh[row]) - meter.export_wh
            meter.count(import_wh, export_wh)
            meter.power_w = (import_wh - export_wh) * 4
            telegrams.append(meter.telegram(at_s))
            self._tell_roof(home, at_s, row)
            home.told += 1
        if telegrams:
            home.port.push(b"".join(telegrams))
            self.sent += len(telegrams)

    def _tell_roof(self, home: _Home, at_s: EpochS, row: int) -> None:
        """Let an inverter tell its counter; row -1 is before its first quarter."""
        history = home.history
        if history.produced_wh is None or (row >= 0 and not history.produced_told[row]):
            return
        made_wh = int(history.produced_wh[row]) if row >= 0 else 0
        home.agent.take(Reading(INVERTER, "", at_s, {"produced_wh": made_wh}))
        self.sent += 1

    def _wait_until_read(self) -> None:
        """Wait until the gateways have read every telegram that was pushed."""
        until_s = time.monotonic() + _PATIENCE_S
        for home in self._homes:
            while home.read < home.told:
                if time.monotonic() > until_s:
                    raise LinkDownError(
                        f"gateway {home.gateway} read {home.read} of "
                        f"{home.told} telegrams in {_PATIENCE_S:g} s: is the machine overloaded?"
                    )
                time.sleep(_LOOK_S)
