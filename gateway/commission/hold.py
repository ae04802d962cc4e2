"""Holding batteries back: until the home was brought on the air, or for good."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from gateway.agent import Agent
from gateway.commission.commissioned import is_commissioned
from gateway.commission.turned import TurnedPoll
from gateway.modbus.poll import Role, poll_by
from gateway.modbus.poller import Poll
from gateway.settings import GatewaySettings
from gateway.steer.settings import SteeredDevice
from hardware.registers import RegisterSource
from kwartier.clock import Clock
from kwartier.events import Event, EventKind
from kwartier.reading import Schedule
from kwartier.schedule import Outcome, Response

_log = logging.getLogger(__name__)

_NOT_YET = "signs and live test have not passed"
_TURNED = "plus and minus of this battery are the wrong way round: it is read and never steered"


class HeldBattery:
    """Refuses every schedule for a battery, so that whoever plans knows that it is not steered."""

    def __init__(self, battery: SteeredDevice, clock: Clock) -> None:
        """Answer for ``battery`` by a clock."""
        self.why = _TURNED if battery.turned else _NOT_YET
        self._device = battery.device
        self._clock = clock

    def happened(self) -> Event | None:
        """Return what somebody should hear of; None where it is only a matter of time."""
        if self.why is not _TURNED:
            return None
        return Event(EventKind.STEERING_FAILED, self._device, int(self._clock.now_s()), self.why)

    def accept(self, schedule: Schedule) -> Response:
        """Return the refusal; nothing is written to the battery."""
        now_s = int(self._clock.now_s())
        return Response(schedule.device, schedule.command, Outcome.REFUSED, self.why, now_s)


def held_back(settings: GatewaySettings) -> tuple[GatewaySettings, tuple[SteeredDevice, ...]]:
    """Return the settings to run with, and the batteries that are only read.

    Without ``commissioned_file``, or once that file says that signs and live test passed, every
    battery is steered but for those whose plus and minus are the wrong way round.
    """
    file = settings.commissioned_file
    ready = file is None or is_commissioned(file)
    held = tuple(one for one in settings.batteries if one.turned or not ready)
    for one in held:
        _log.warning(
            "battery %s is not steered: %s", one.device, _TURNED if one.turned else _NOT_YET
        )
    steered = tuple(one for one in settings.batteries if one not in held)
    return replace(settings, batteries=steered), held


class Consent:
    """Watches whether a home takes back, at the box itself, that its batteries are steered.

    Then the gateway begins anew: batteries are let go, and held back from there on, also while
    nobody from outside can be reached.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        """Note what holds now."""
        file = settings.commissioned_file
        self._file = file if file is not None and is_commissioned(file) else None

    def is_gone(self) -> bool:
        """Return whether it was given at the start, and no longer is."""
        if self._file is None or is_commissioned(self._file):
            return False
        _log.warning("steering is not allowed any more: batteries are let go")
        return True


def hold(batteries: Iterable[SteeredDevice], agent: Agent, clock: Clock) -> None:
    """Refuse every schedule for batteries, and tell of those that are held for good."""
    for one in batteries:
        held = HeldBattery(one, clock)
        agent.steer(one.device, held)
        event = held.happened()
        if event is not None:
            agent.tell_event(event)


def battery_poll(battery: SteeredDevice, unit: RegisterSource, clock: Clock) -> Poll:
    """Return how a battery is read that is not steered."""
    poll = poll_by(battery.profile, unit, battery.device, Role.BATTERY, clock)
    return TurnedPoll(poll) if battery.turned else poll
