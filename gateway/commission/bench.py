"""Measuring a home while somebody stands in it: the meter's line and the devices, on one thread."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.commission.found import Found
from gateway.commission.reach import link_to, poll_of
from gateway.commission.samples import Samples, exchange_w
from gateway.commission.serial_lines import rs485_lines
from gateway.commission.wiring import LineSeen, wants_other
from gateway.modbus.link import LinkSettings, ModbusLink, ModbusUnit
from gateway.modbus.poller import Poll
from gateway.p1.homewizard import SCHEME, HomeWizardSource
from gateway.p1.reader import P1Reader
from gateway.p1.serial_port import DSMR_2, DSMR_4, P1Source
from kwartier.clock import Clock
from kwartier.errors import KwartierError, TemporaryError
from kwartier.reading import Reading

_log = logging.getLogger(__name__)

_SPEEDS = (DSMR_4, DSMR_2)
POLL_EVERY_S = 5.0
_LOOK_EVERY_S = 0.25
_WAIT_S = 5.0
_MOST_WAITING = 600
DEVICE = "p1"


def cables(dev: Path = Path("/dev")) -> list[str]:
    """Return the serial cables of this machine, those with a maker's name first.

    Adapters that are known to be for RS485 are not among them.
    """
    others = {Path(one).resolve() for one in rs485_lines(dev)}
    by_id = sorted((dev / "serial" / "by-id").glob("*")) if dev.is_dir() else []
    named = [one for one in by_id if one.resolve() not in others]
    known = {one.resolve() for one in named} | others
    plain = [
        one
        for pattern in ("ttyUSB*", "ttyACM*", "ttyAMA*")
        for one in sorted(dev.glob(pattern))
        if one.resolve() not in known
    ]
    return [str(one) for one in (*named, *plain)]


class Bench:
    """Reads the meter and the devices, and keeps what they show.

    Attributes:
        samples: What they showed lately.
        meter: The meter's own id, as it sends it; empty before the first telegram.
        turns: Readings of the meter that were worked through.
    """

    def __init__(
        self,
        clock: Clock,
        find_cables: Callable[[], list[str]] = cables,
        take: Callable[[Reading], None] | None = None,
    ) -> None:
        """Prepare; nothing is opened before ``start``.

        Args:
            clock: The gateway's clock.
            find_cables: Names the cables there are.
            take: Is handed every reading too, as when a server listens.
        """
        self.samples = Samples()
        self.meter = ""
        self.turns = 0
        self._clock = clock
        self._find_cables = find_cables
        self._take = take
        self._lock = threading.RLock()
        self._waiting: queue.Queue[Reading] = queue.Queue(_MOST_WAITING)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bench", daemon=True)
        self._source: P1Source | HomeWizardSource | None = None
        self._cable, self._speed, self._tried = "", 0, 0
        self._since_s, self._first_s = 0.0, 0.0
        self._before = (0, 0, 0)
        self._devices: tuple[Found, ...] = ()
        self._polls: dict[str, Poll] = {}
        self._links: dict[LinkSettings, ModbusLink] = {}
        self._polled_s = 0.0

    def start(self) -> None:
        """Look for a cable and read."""
        self._thread.start()

    def stop(self) -> None:
        """Let go of everything."""
        self._stop.set()
        self._thread.join()
        self._close_line()
        self._close_links()

    @property
    def cable(self) -> str:
        """Return the cable in use, such as ``/dev/ttyUSB0``; empty when there is none."""
        return self._cable

    @property
    def line_name(self) -> str:
        """Return how the line speaks, as the settings name it."""
        return "dsmr2" if _SPEEDS[self._speed] is DSMR_2 else "dsmr4"

    def line(self) -> LineSeen:
        """Return what was seen on the meter's line."""
        with self._lock:
            if self._source is None:
                return LineSeen(cable=self._cable)
            counters = self._source.counters
            good, broken, garbage = self._before
            now_s = self._clock.monotonic_s()
            return LineSeen(
                self._cable,
                self._source.connected,
                now_s - self._since_s,
                self._tried,
                counters.telegrams - good,
                counters.crc_failures + counters.cut_off - broken,
                counters.garbage_bytes - garbage,
                now_s - self._first_s if self._first_s else 0.0,
                counters.meter_ahead_s,
                _SPEEDS[self._speed].baud,
                network=self._cable.startswith(SCHEME),
            )

    def count_anew(self) -> None:
        """Forget what was counted on the line: somebody moved the cable."""
        with self._lock:
            self._tried, self._first_s = 0, 0.0
            self._since_s = self._clock.monotonic_s()
            if self._source is not None:
                counters = self._source.counters
                self._before = (
                    counters.telegrams,
                    counters.crc_failures + counters.cut_off,
                    counters.garbage_bytes,
                )

    def watch(self, devices: Sequence[Found]) -> None:
        """Read these devices from now on, beside the meter."""
        with self._lock:
            if tuple(devices) == self._devices:
                return
            self._close_links()
            self._devices = tuple(devices)
            self._polls = {}
            self.samples.forget_devices()
            for device in devices:
                self._polls[device.name] = poll_of(device, self.unit(device), self._clock)

    def turn(self, name: str) -> tuple[Found, ...]:
        """Take one device the other way round from now on, and in what was seen; return all."""
        with self._lock:
            names = [one.name for one in self._devices]
            self._devices = tuple(
                one.as_turned(turned=not one.turned) if one.name == name else one
                for one in self._devices
            )
            self.samples.turn(names.index(name), name)
            return self._devices

    def unit(self, device: Found) -> ModbusUnit:
        """Return the door to a device; units of one address share a connection."""
        with self._lock:
            settings = link_to(device)
            if settings not in self._links:
                self._links[settings] = ModbusLink(settings)
            return self._links[settings].unit(device.unit)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                reading = self._waiting.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                self._look()
                continue
            self._worked(reading)

    def _look(self) -> None:
        """See to the cable: open one, or try another speed."""
        with self._lock:
            if self._source is not None and not wants_other(self.line()):
                return
            there = self._find_cables()
            if self._source is None:
                if there:
                    self._open_line(there[0], 0)
                return
            self._tried += 1
            other = (self._speed + 1) % len(_SPEEDS)
            cable = self._cable
            if other == 0 and there:
                # Both speeds were tried: perhaps the meter is on another cable.
                at = there.index(cable) + 1 if cable in there else 0
                cable = there[at % len(there)]
            if cable not in there:
                self._close_line()
                return
            tried = self._tried
            self._open_line(cable, other)
            self._tried = tried

    def _open_line(self, cable: str, speed: int) -> None:
        self._close_line()
        self._cable, self._speed, self._tried = cable, speed, 0
        self._before, self._first_s = (0, 0, 0), 0.0
        self._since_s = self._clock.monotonic_s()
        try:
            self._source = (
                HomeWizardSource(cable, self._clock, P1Reader(DEVICE), longest_wait_s=_WAIT_S)
                if cable.startswith(SCHEME)
                else P1Source(
                    cable, self._clock, device=DEVICE, line=_SPEEDS[speed], longest_wait_s=_WAIT_S
                )
            )
        except KwartierError as error:
            _log.warning("the cable %s cannot be used: %s", cable, error)
            return
        self._source.start(self._heard)

    def _close_line(self) -> None:
        if self._source is not None:
            self._source.stop()
        self._source, self._cable = None, ""

    def _close_links(self) -> None:
        for link in self._links.values():
            link.close()
        self._links.clear()

    def _heard(self, reading: Reading) -> None:
        """Take a reading on the line's own thread: never wait there."""
        try:
            self._waiting.put_nowait(reading)
        except queue.Full:
            return

    def _worked(self, reading: Reading) -> None:
        now_s = self._clock.monotonic_s()
        if self._take is not None:
            self._take(reading)
        if reading.device != DEVICE:
            return
        power_w = exchange_w(reading)
        with self._lock:
            self._first_s = self._first_s or now_s
            self.meter = reading.meter or self.meter
        if power_w is not None:
            self.samples.meter(now_s, power_w)
            if self._polls and now_s >= self._polled_s + POLL_EVERY_S:
                self._polled_s = now_s
                self._ask(now_s, power_w)
        self.turns += 1

    def _ask(self, now_s: float, power_w: int) -> None:
        with self._lock:
            asked = [(device, self._polls[device.name]) for device in self._devices]
        powers: dict[str, int] = {}
        for device, poll in asked:
            try:
                reading = poll.read()
            except TemporaryError:
                continue
            if self._take is not None:
                self._take(reading)
            told = device.power_in(reading.values)
            if told is not None:
                powers[device.name] = told
        with self._lock:
            if [device for device, _ in asked] == list(self._devices):
                self.samples.devices(now_s, power_w, powers, [one.name for one, _ in asked])
