"""The gateway as a process: its sources, its outbox and its batteries, run until told to stop."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Protocol

from gateway.agent import Agent, Manner
from gateway.care.watch import Watchers, Watches
from gateway.commission.hold import Consent, battery_poll, held_back, hold
from gateway.commission.later import later_of
from gateway.commission.turned import TurnedPoll
from gateway.dating import Dating, LastKnown, MachineTime
from gateway.home_assistant import HomeAssistant
from gateway.keep.namesake import Boot
from gateway.keep.outbox import Outbox
from gateway.measures import gateway_measures
from gateway.modbus.links import Links
from gateway.modbus.poll import Role, poll_by
from gateway.modbus.poller import Asked, Poll, Poller, ReleasingPoll
from gateway.modbus.proxy import ModbusProxy
from gateway.p1.line import MeterLine
from gateway.presence import started, will_of
from gateway.settings import GatewaySettings, ModbusDevice
from gateway.steer.battery import SteeredBattery
from gateway.steer.settings import SteeredDevice
from gateway.steer.solar import CappedInverter
from gateway.steer.team import Team
from gateway.steer.teams import behind, teams_of
from gateway.steer.way import profile_way, sunspec_way
from gateway.watchdog import Manager, Turns, Watchdog
from kwartier.clock import Clock
from kwartier.identity import DeviceId
from kwartier.metrics_door import MetricsDoor
from kwartier.metrics_text import Measure
from kwartier.mqtt import MqttBus, Session, Will
from kwartier.reading import Reading
from kwartier.wire import Address, Lane, encode_state

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_READ_EVERY_S = 10.0


def run_gateway(
    settings: GatewaySettings, clock: Clock, stop: threading.Event, watch: Watches | None = None
) -> None:
    """Read, keep, send and obey until told to stop, or until ``watch`` asks to begin anew.

    It also ends, to be begun anew, when it turned out that batteries may be steered from now on,
    or that the home allows that no more.

    Raises:
        OutboxInUseError: Another process has this gateway's outbox.
        SettingsError: The folder of its outbox cannot be made.
    """
    watch = watch or Watchers()
    consent = Consent(settings)
    settings, only_read = held_back(settings)
    with ExitStack() as parts:
        outbox = Outbox(settings.folder / "outbox.db", settings.gateway, clock)
        parts.callback(outbox.close)
        boot = started(clock)
        bus = MqttBus(
            settings.broker,
            Session(settings.gateway, expiry_s=24 * 3600),
            _will(settings, outbox, clock, boot),
            begin=False,
        )
        parts.callback(bus.close)
        dating = Dating(clock, MachineTime(), LastKnown(settings.folder / "time.last"))
        agent = Agent(
            settings.coop,
            settings.gateway,
            outbox,
            bus,
            clock,
            Manner(live_every_s=settings.live_every_s),
            heard=watch.heard,
            boot=boot,
            door=bus,
            dating=dating,
        )
        watch.attach(bus, agent.tell_event, agent.is_kept)
        links = Links(
            [device.link for device in settings.modbus]
            + [battery.link for battery in (*settings.batteries, *only_read)]
        )
        parts.callback(links.close)
        teams = teams_of(settings.batteries, _first_meter(settings))
        batteries = [
            _battery(one, settings, links, agent, clock, teams[one.device])
            for one in settings.batteries
        ]
        for one, battery in zip(settings.batteries, batteries, strict=True):
            agent.steer(one.device, battery)
        hold(only_read, agent, clock)
        _show_at_home(settings, agent, clock, parts)
        bus.begin()  # only now: a command that waits at the broker comes with the connection
        agent.start()
        parts.callback(agent.stop)
        wants_anew = _later(settings, agent, bus, clock, parts)
        for battery in batteries:
            battery.start()
            parts.callback(battery.stop)
        capped = _limit_solar(settings, links, agent, clock, parts)
        _poll_devices(settings, only_read, links, agent, clock, parts)
        _open_door(settings, links, parts)
        turning: dict[str, Turns] = {"keeper": agent.keeper_turns}
        for one, battery in zip(settings.batteries, batteries, strict=True):
            turning[f"battery {one.device}"] = battery.count_turns
        for limited, inverter in zip(settings.solar_limits, capped, strict=True):
            turning[f"limit {limited.device}"] = inverter.count_turns
        turning |= _read_meters(settings, batteries, capped, agent, dating, parts)
        if settings.metrics is not None:
            look = partial(_measures, agent, outbox, settings, bus)
            parts.enter_context(MetricsDoor(settings.metrics, look))
        dog = Watchdog(Manager.of_environment(os.environ), turning, clock)
        dog.ready()
        _log.info("gateway %s reads for %s", settings.gateway, settings.coop)
        while not (watch.look() or wants_anew() or consent.is_gone() or stop.wait(_LOOK_EVERY_S)):
            dog.turn()
        if stop.is_set():  # a new beginning is no end: the service manager would kill it
            dog.stopping()


def _measures(
    agent: Agent, outbox: Outbox, settings: GatewaySettings, bus: MqttBus
) -> list[Measure]:
    return gateway_measures(agent, outbox, settings.folder, linked=bus.wait_until_up(0))


def _show_at_home(settings: GatewaySettings, agent: Agent, clock: Clock, parts: ExitStack) -> None:
    """Show readings in the resident's own Home Assistant, where there is one."""
    if settings.home_assistant is not None:
        home_assistant = HomeAssistant(settings.home_assistant, settings.gateway, clock)
        parts.callback(home_assistant.close)
        agent.show(home_assistant.take)


def _poll_devices(
    settings: GatewaySettings,
    only_read: Sequence[SteeredDevice],
    links: Links,
    agent: Agent,
    clock: Clock,
    parts: ExitStack,
) -> None:
    """Ask every device that is not steered, each at its own pace."""
    asked = [Asked(one.device, _poll(one, links, clock), one.every_s) for one in settings.modbus]
    for one in only_read:
        poll = battery_poll(one, links.at(one.link).unit(one.unit), clock)
        asked.append(Asked(one.device, poll, _READ_EVERY_S))
    for each in asked:
        poller = Poller([each], clock, agent.take)
        poller.start()
        parts.callback(poller.stop)


def _limit_solar(
    settings: GatewaySettings, links: Links, agent: Agent, clock: Clock, parts: ExitStack
) -> list[CappedInverter]:
    """Limit inverters to what their connection may give.

    They are limited from the first minute, also before signs and live test passed: a cap does not
    wait for them, and less can do no harm.
    """
    capped: list[CappedInverter] = []
    for one in settings.solar_limits:
        unit = links.at(one.link).unit(one.unit)
        inverter = CappedInverter(unit, one, clock, settings.folder, event=agent.tell_event)
        inverter.start()
        parts.callback(inverter.stop)
        capped.append(inverter)
    return capped


def _open_door(settings: GatewaySettings, links: Links, parts: ExitStack) -> None:
    """Let the resident's own programs read along, where that was asked for."""
    if settings.modbus_proxy is not None:
        proxy = ModbusProxy(settings.modbus_proxy, links.at(settings.modbus_proxy.link))
        proxy.start()
        parts.callback(proxy.stop)


def _read_meters(
    settings: GatewaySettings,
    batteries: list[SteeredBattery],
    capped: list[CappedInverter],
    agent: Agent,
    dating: Dating,
    parts: ExitStack,
) -> dict[str, Turns]:
    """Read every P1 line, and return by name how often each has turned."""
    turning: dict[str, Turns] = {}
    for line in settings.p1:
        source = MeterLine(line, dating, settings.folder, agent.tell_event)
        watchers: list[_SeesGrid] = [*_beside(settings, batteries, line.device)]
        for one, inverter in zip(settings.solar_limits, capped, strict=True):
            if one.meter == line.device:
                watchers.append(inverter)
        take = _Take(agent, watchers, line.device, source)
        turning[f"meter {line.device}"] = take.turns
        source.start(take)
        parts.callback(source.stop)
    return turning


def _later(
    settings: GatewaySettings, agent: Agent, bus: MqttBus, clock: Clock, parts: ExitStack
) -> Callable[[], bool]:
    """Go on with what was left when the home was brought on the air.

    Returns:
        Whether that asks for a new beginning.
    """
    later = later_of(settings, clock)
    if later is None:
        return lambda: False
    later.attach(agent, bus)
    later.start()
    parts.callback(later.stop)
    return later.wants_anew


class _SeesGrid(Protocol):
    """A battery or an inverter that follows a meter."""

    def see_grid(self, reading: Reading) -> None:
        """Note what the meter says; never waits."""


class _Take:
    """Hands a meter's reading to the agent, and shows what follows it what the grid does."""

    def __init__(
        self, agent: Agent, watchers: Sequence[_SeesGrid], device: DeviceId, source: MeterLine
    ) -> None:
        self._agent = agent
        self._watchers = watchers
        self._device = device
        self._source = source
        self._crc_failures = 0
        self._turns = 0
        self._at_work = False

    def turns(self) -> int:
        """Return another number each time, unless the line's thread hangs here or is dead."""
        if self._source.alive and not self._at_work:
            self._turns += 1
        return self._turns

    def __call__(self, reading: Reading) -> None:
        self._at_work = True
        self._hand_on(reading)
        self._at_work = False

    def _hand_on(self, reading: Reading) -> None:
        failures = self._source.counters.crc_failures
        if failures > self._crc_failures:
            self._agent.crc_failed(self._device, failures - self._crc_failures)
            self._crc_failures = failures
        self._agent.take(reading)
        for watcher in self._watchers:
            watcher.see_grid(reading)


def _first_meter(settings: GatewaySettings) -> DeviceId | None:
    return settings.p1[0].device if settings.p1 else None


def _battery(
    one: SteeredDevice,
    settings: GatewaySettings,
    links: Links,
    agent: Agent,
    clock: Clock,
    team: Team,
) -> SteeredBattery:
    unit = links.at(one.link).unit(one.unit)
    first = _first_meter(settings)
    return SteeredBattery(
        unit,
        one.device,
        replace(
            one.limits,
            metered=one.stop_without_meter and first is not None,
            sharing=len(behind(settings.batteries, one.meter, first)),
        ),
        clock,
        settings.folder / f"{one.device}.steering.json",
        take=agent.take,
        tell=agent.tell,
        event=agent.tell_event,
        way=(
            sunspec_way(unit, one.device, clock)
            if one.profile is None
            else profile_way(unit, one.device, one.profile, clock, settings.folder)
        ),
        team=team,
    )


def _beside(
    settings: GatewaySettings, batteries: list[SteeredBattery], meter: DeviceId
) -> list[SteeredBattery]:
    """Return the batteries behind a meter; one that names none is behind the first."""
    first = settings.p1[0].device
    return [
        battery
        for one, battery in zip(settings.batteries, batteries, strict=True)
        if (one.meter or first) == meter
    ]


def _poll(device: ModbusDevice, links: Links, clock: Clock) -> Poll:
    link = links.at(device.link)
    unit = link.unit(device.unit)
    poll: Poll = poll_by(device.profile, unit, device.device, Role.SOLAR, clock)
    if device.turned:
        poll = TurnedPoll(poll)
    return ReleasingPoll(poll, link) if device.release_after_poll else poll


def _will(settings: GatewaySettings, outbox: Outbox, clock: Clock, boot: Boot) -> Will:
    topic = Address(settings.coop, settings.gateway, Lane.STATE).topic
    return Will(topic, encode_state(will_of(boot.details(0), outbox.position.epoch, clock)))
