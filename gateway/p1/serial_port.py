"""A meter's P1 port, on a serial cable or behind a TCP server, read until told to stop."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

from gateway.p1.reader import P1Counters, P1Reader
from kwartier.clock import Clock
from kwartier.errors import LinkDownError, MissingExtraError, SettingsError
from kwartier.host_port import host_and_port
from kwartier.identity import DeviceId
from kwartier.interval import HOME_ZONE, Zone
from kwartier.reading import Reading

_log = logging.getLogger(__name__)

_PIECE = 65_536
_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How a serial P1 line speaks.

    Attributes:
        baud: Bits per second.
        bits: Data bits per character, 7 or 8.
        parity: ``N`` for none or ``E`` for even.
    """

    baud: int
    bits: int
    parity: str


DSMR_4 = LineSettings(115_200, 8, "N")
"""Editions 4 and 5, and every meter abroad that we know (P1 companion standard 5.0.2, 5.9)."""
DSMR_2 = LineSettings(9_600, 7, "E")
"""Editions 2.2 and 3.0."""


class P1Source:
    """One P1 line, read on a thread of its own; opens it again when it goes away.

    Attributes:
        losses: How often the open line went away.
    """

    def __init__(
        self,
        address: str,
        clock: Clock,
        *,
        device: DeviceId = "p1",
        line: LineSettings = DSMR_4,
        zone: Zone = HOME_ZONE,
        reader: P1Reader | None = None,
        silence_s: float = 60.0,
        first_wait_s: float = 1.0,
        longest_wait_s: float = 60.0,
    ) -> None:
        """Describe the line; nothing is opened before ``start``.

        Args:
            address: A serial device such as ``/dev/ttyUSB0``, or ``socket://HOST:PORT``.
            clock: The gateway's clock.
            device: The electricity meter's name on this gateway.
            line: Of a serial device; a TCP server has its own.
            zone: The wall time of stamps without season letter.
            reader: Reads the bytes in place of one made for ``device`` and ``zone``.
            silence_s: Without any byte for so long [s] the line is opened anew.
            first_wait_s: Pause before the first attempt to open it again [s]; doubles each time.
            longest_wait_s: The pause never grows beyond this [s].

        Raises:
            SettingsError: The address is neither.
            MissingExtraError: It is a serial device and pyserial is not installed.
        """
        self._where = _where(address)
        if isinstance(self._where, str) and find_spec("serial") is None:
            raise MissingExtraError("gateway", "gateway", "serial")
        self._address = address
        self._line = line
        self._clock = clock
        self._reader = reader or P1Reader(device, zone)
        self._silence_s = silence_s
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._wake, self._woken = socket.socketpair()
        self._connected = False
        self.losses = 0

    def start(self, on_reading: Callable[[Reading], None]) -> None:
        """Read from now on; each reading is handed over on the source's thread, in order.

        Args:
            on_reading: Must not raise, and may take its time: the line's buffer holds a while.
        """
        assert self._thread is None, "started twice"
        self._thread = threading.Thread(
            target=self._run, args=(on_reading,), name=f"p1 {self._address}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop at once, wherever it waits; no reading is handed over afterwards."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._wake.send(b"x")
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._wake.close()
        self._woken.close()

    @property
    def alive(self) -> bool:
        """Return whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def connected(self) -> bool:
        """Return whether the line is open now."""
        return self._connected

    @property
    def counters(self) -> P1Counters:
        """Return what happened on the line so far; it goes on counting."""
        return self._reader.counters

    def _run(self, on_reading: Callable[[Reading], None]) -> None:
        wait_s = self._first_wait_s
        told = False
        while not self._stop.is_set():
            believed = self._reader.counters.telegrams
            try:
                self._read(on_reading)
            except LinkDownError as error:
                if self._reader.counters.telegrams > believed:
                    wait_s, told = self._first_wait_s, False
                if not told:
                    _log.warning("P1 line is away: %s", error)
                    told = True
            self._stop.wait(wait_s)
            wait_s = min(wait_s * 2, self._longest_wait_s)

    def _read(self, on_reading: Callable[[Reading], None]) -> None:
        """Open the line and read until it goes away or the source is stopped."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            port = self._open(selector)
            if port is None:
                return
            try:
                _log.info("P1 line is open: %s", self._address)
                self._connected = True
                selector.register(port.fileno(), selectors.EVENT_READ)
                self._follow(port, selector, on_reading)
            finally:
                self._connected = False
                self.losses += not self._stop.is_set()
                port.close()
                self._reader.line_broke()

    def _open(self, selector: selectors.BaseSelector) -> _Port | None:
        if isinstance(self._where, str):
            return _SerialPort(self._where, self._line)
        return _connected(self._where, selector)

    def _follow(
        self,
        port: _Port,
        selector: selectors.BaseSelector,
        on_reading: Callable[[Reading], None],
    ) -> None:
        while not self._stop.is_set():
            if not selector.select(self._silence_s):
                raise LinkDownError(f"{self._address}: no byte for {self._silence_s:g} s")
            if self._stop.is_set():
                return
            for reading in self._reader.feed(port.read(), self._clock.now_s()):
                if self._stop.is_set():
                    return
                on_reading(reading)


class _Port(Protocol):
    def fileno(self) -> int: ...
    def read(self) -> bytes:
        """Return what is there without waiting; raises ``LinkDownError`` when it is gone."""

    def close(self) -> None: ...


class _SerialPort:
    def __init__(self, path: str, line: LineSettings) -> None:
        from serial import Serial, SerialException

        self._lost = SerialException
        self._path = path
        try:
            self._serial = Serial(
                path,
                baudrate=line.baud,
                bytesize=line.bits,
                parity=line.parity,
                timeout=0,
                exclusive=True,
            )
        except SerialException as error:
            raise LinkDownError(
                f"{path}: cannot be opened ({error}): is the cable in, and no other program on it?"
            ) from error

    def fileno(self) -> int:
        return int(self._serial.fileno())

    def read(self) -> bytes:
        try:
            return bytes(self._serial.read(_PIECE))
        except (self._lost, OSError) as error:
            raise LinkDownError(f"{self._path}: the line broke ({error})") from error

    def close(self) -> None:
        self._serial.close()


class _TcpPort:
    def __init__(self, connection: socket.socket, name: str) -> None:
        self._connection = connection
        self._name = name

    def fileno(self) -> int:
        return self._connection.fileno()

    def read(self) -> bytes:
        try:
            piece = self._connection.recv(_PIECE)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LinkDownError(f"{self._name}: the connection broke ({error})") from error
        if not piece:
            raise LinkDownError(f"{self._name}: the other side closed the connection")
        return piece

    def close(self) -> None:
        self._connection.close()


def _connected(where: tuple[str, int], selector: selectors.BaseSelector) -> _TcpPort | None:
    """Return a connection, or None when the source was stopped while it waited for one."""
    name = f"socket://{where[0]}:{where[1]}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(*where, type=socket.SOCK_STREAM)[0]
        connection = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise LinkDownError(f"{name}: no such host ({error})") from error
    try:
        connection.setblocking(False)
        connection.connect_ex(address)
        selector.register(connection, selectors.EVENT_WRITE)
        ready = selector.select(_CONNECT_S)
        selector.unregister(connection)
        failure = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except OSError as error:
        connection.close()
        raise LinkDownError(f"{name}: cannot be reached ({error})") from error
    if any(key.fileobj is not connection for key, _ in ready):
        connection.close()
        return None
    if failure or not ready:
        connection.close()
        reason = os.strerror(failure) if failure else "no answer"
        raise LinkDownError(f"{name}: cannot be reached ({reason}): is its program running?")
    return _TcpPort(connection, name)


def checked_address(address: str) -> str:
    """Return a P1 line's address, or refuse one that can never be opened.

    Raises:
        SettingsError: It is neither a device's path nor ``socket://HOST:PORT``.
    """
    _where(address)
    return address


def _where(address: str) -> str | tuple[str, int]:
    """Return a serial device's path, or a host and port."""
    if address.startswith("/"):
        return address
    where = host_and_port(address.removeprefix("socket://"))
    if where is None or not address.startswith("socket://"):
        raise SettingsError(
            f"P1 address {address!r}: write a serial device such as /dev/ttyUSB0, "
            "or socket://HOST:PORT"
        )
    return where
