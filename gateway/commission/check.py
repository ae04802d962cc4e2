"""What works in a home that is on the air, link by link: cable, devices, broker, server."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.commission.bench import Bench
from gateway.commission.hold import battery_poll
from gateway.commission.wiring import (
    ENOUGH_TELEGRAMS,
    LARGEST_CLOCK_S,
    LEAST_SHARE,
    LineSeen,
    Wiring,
    judge_wiring,
)
from gateway.commission.words import Words
from gateway.modbus.link import ModbusLink
from gateway.modbus.poll import Role, poll_by
from gateway.modbus.poller import Poll
from gateway.settings import GatewaySettings, ModbusDevice
from gateway.steer.settings import SteeredDevice
from kwartier.clock import Clock
from kwartier.errors import KwartierError
from kwartier.mqtt import MqttBus, Session

_BROKER_S = 5.0
_LOOK_EVERY_S = 0.2
_OPENING_S = 1.0
"""A cable is given so long to open before it counts as one that does not [s]."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One link.

    Attributes:
        link: What, such as ``cable p1``.
        good: Whether it works.
        told: What was measured, or what to do.
    """

    link: str
    good: bool
    told: str


def checks(settings: GatewaySettings, clock: Clock, seconds: float) -> Iterator[Checked]:
    """Yield what works, cable first and server last.

    Args:
        settings: Of the gateway.
        clock: The gateway's clock.
        seconds: How long a meter is listened to [s].
    """
    for line in settings.p1:
        yield from _meter(line.device, line.address, clock, seconds)
    for device in settings.modbus:
        yield _modbus(device, clock)
    for battery in settings.batteries:
        yield _battery(battery, clock)
    yield _broker(settings)
    yield _acknowledged(settings)


def _meter(device: str, address: str, clock: Clock, seconds: float) -> list[Checked]:
    """Return cable, bytes, polarity, speed, checksums and clock, as far as they were reached."""
    if address.startswith("/") and not Path(address).exists():
        return [Checked(f"cable {device}", False, Words("en").say("meter.no-cable.do"))]
    bench = Bench(clock, lambda: [address])
    bench.start()
    end_s = time.monotonic() + seconds
    try:
        seen, wiring = _heard(bench)
        while time.monotonic() < end_s and wiring in (Wiring.COUNTING, Wiring.TRYING):
            time.sleep(_LOOK_EVERY_S)
            seen, wiring = _heard(bench)
        while time.monotonic() < end_s and wiring is Wiring.CANNOT_OPEN:
            time.sleep(_LOOK_EVERY_S)
            seen, wiring = _heard(bench)
    finally:
        bench.stop()
    return list(_told(device, seen, wiring))


def _heard(bench: Bench) -> tuple[LineSeen, Wiring]:
    seen = bench.line()
    if not seen.cable:  # the bench has not looked yet
        return seen, Wiring.COUNTING
    wiring = judge_wiring(seen)
    if wiring is Wiring.CANNOT_OPEN and seen.for_s < _OPENING_S:
        return seen, Wiring.COUNTING
    return seen, wiring


def _told(device: str, seen: LineSeen, wiring: Wiring) -> list[Checked]:
    say = Words("en").say
    remedy = say(f"meter.{wiring.value}.do", {"done": seen.telegrams, "all": ENOUGH_TELEGRAMS})
    heard = seen.share is not None
    opened = seen.opened or heard
    found = [Checked(f"cable {device}", opened, "open" if opened else remedy)]
    if not opened:
        return found
    came = heard or seen.garbage > 0
    found.append(Checked(f"bytes {device}", came, "they arrive" if came else remedy))
    if not came:
        return found
    upright = wiring not in (Wiring.INVERTED, Wiring.TRYING)
    told = "the signal is upright" if upright else remedy
    found.append(Checked(f"polarity {device}", upright, told))
    share = seen.share
    if share is None:
        return found
    found.append(Checked(f"speed {device}", True, f"{seen.baud} baud"))
    counted = f"{seen.telegrams} of {seen.telegrams + seen.broken} telegrams right"
    found.append(Checked(f"checksums {device}", share >= LEAST_SHARE, counted))
    off = seen.clock_off_s
    if off is not None:
        right = abs(off) <= LARGEST_CLOCK_S
        told = f"{off:.0f} s apart" + ("" if right else f": {say('meter.clock-off.do')}")
        found.append(Checked(f"clock {device}", right, told))
    return found


def _modbus(device: ModbusDevice, clock: Clock) -> Checked:
    link = ModbusLink(device.link)
    unit = link.unit(device.unit)
    poll = poll_by(device.profile, unit, device.device, Role.SOLAR, clock)
    return _asked(device.device, poll, link)


def _battery(battery: SteeredDevice, clock: Clock) -> Checked:
    link = ModbusLink(battery.link)
    poll = battery_poll(battery, link.unit(battery.unit), clock)
    return _asked(battery.device, poll, link)


def _asked(name: str, poll: Poll, link: ModbusLink) -> Checked:
    try:
        reading = poll.read()
    except KwartierError as error:
        return Checked(f"device {name}", False, str(error))
    finally:
        link.close()
    if not reading.values:
        return Checked(f"device {name}", False, "it answers and says nothing we know: wrong unit?")
    return Checked(f"device {name}", True, f"says {', '.join(sorted(reading.values))}")


def _broker(settings: GatewaySettings) -> Checked:
    url = settings.broker.url
    try:
        socket.create_connection((settings.broker.host, settings.broker.port), _BROKER_S).close()
    except OSError as error:
        reason = error.strerror or str(error)
        told = f"{url} cannot be reached ({reason}): is there internet, is it running?"
        return Checked("broker", False, told)
    bus = MqttBus(settings.broker, Session(f"{settings.gateway}-check", expiry_s=0))
    try:
        up = bus.wait_until_up(_BROKER_S)
    finally:
        bus.close()
    told = f"{url} lets us in" if up else f"{url} does not let us in: was this gateway revoked?"
    return Checked("broker", up, told)


def _acknowledged(settings: GatewaySettings) -> Checked:
    """Return how far the record acknowledged; the gateway itself may run meanwhile."""
    path = settings.folder / "outbox.db"
    if not path.exists():
        return Checked("acknowledged", False, "nothing was kept yet: start the gateway")
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)
        try:
            last, upto = db.execute("SELECT last, upto FROM life").fetchone()
            newest = db.execute(
                "SELECT max(stored_s) FROM block WHERE seq <= ?", (upto,)
            ).fetchone()
        finally:
            db.close()
    except (sqlite3.Error, TypeError, ValueError) as error:
        return Checked("acknowledged", False, f"{path} cannot be read: {error}")
    if not upto:
        return Checked("acknowledged", False, f"0 of {last} blocks: the server took none yet")
    stamp = newest[0] if newest else None
    since = (
        ""
        if stamp is None
        else f", the newest of {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(float(stamp)))}"
    )
    return Checked("acknowledged", True, f"{upto} of {last} blocks{since}")
