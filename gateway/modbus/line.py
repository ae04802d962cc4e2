"""Where Modbus devices are reached and how patient one is with them: TCP, or a serial line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

from kwartier.errors import UsageError
from kwartier.host_port import host_and_port

PORT = 502
"""Where devices listen unless they say otherwise."""
BAUDS = (1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200)
"""Speeds of a serial line [bit/s]."""
PARITIES = ("N", "E", "O")
"""None, even, odd."""
SHORTEST_TIMEOUT_S = 0.05
"""For at least so long an answer is waited for [s]."""
_LONGEST_TIMEOUT_S = 60.0
_MOST_UNIT = 255
_QUICK_BAUD = 19_200
_QUICK_GAP_S = 0.00175
_BITS_PER_CHARACTER = 11
_FEWEST_SILENT_CHARACTERS = 3.5


@dataclass(frozen=True, slots=True)
class SerialLine:
    """A serial line on which devices speak Modbus RTU.

    Attributes:
        path: Its device file, such as ``/dev/ttyUSB0``.
        baud: Its speed [bit/s].
        parity: ``N``, ``E`` or ``O``.
        stop_bits: 1 or 2.
    """

    path: str
    baud: int = 9600
    parity: str = "N"
    stop_bits: int = 1

    @property
    def gap_s(self) -> float:
        """The silence that separates two frames [s].

        Source:
            Modbus over Serial Line 1.02, section 2.5.1.1: 3.5 characters of 11 bits; a fixed
            1.75 ms above 19200 bit/s.
        """
        if self.baud > _QUICK_BAUD:
            return _QUICK_GAP_S
        return _FEWEST_SILENT_CHARACTERS * _BITS_PER_CHARACTER / self.baud


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where devices are and how patient we are.

    Attributes:
        host: Name or address; empty for a serial line.
        port: TCP port.
        timeout_s: How long an answer may take [s].
        retries: How often a request is repeated after silence.
        connect_wait_s: Pause after connecting [s]; some dongles need one.
        gap_s: Pause before each request [s].
        busy_wait_s: Pause before a busy device is asked again [s].
        busy_retries: How often a busy device is asked again.
        serial: The serial line; None for TCP.
        turn_wait_s: How long a request may wait for its turn [s]; longer where time-outs are.
    """

    host: str
    port: int = PORT
    timeout_s: float = 3.0
    retries: int = 1
    connect_wait_s: float = 0.0
    gap_s: float = 0.0
    busy_wait_s: float = 0.2
    busy_retries: int = 3
    serial: SerialLine | None = None
    turn_wait_s: float = 30.0

    @property
    def where(self) -> str:
        """The place, which is also what tells two links apart."""
        return f"{self.host}:{self.port}" if self.serial is None else self.serial.path

    @property
    def longest_wait_s(self) -> float:
        """How long a request may wait for its turn [s]: two silent ones before it at least."""
        return max(self.turn_wait_s, 2 * (self.retries + 1) * self.timeout_s)

    @property
    def pause_s(self) -> float:
        """The pause before each request [s], a serial line's own included."""
        return self.gap_s if self.serial is None else max(self.gap_s, self.serial.gap_s)


def most_patient(wishes: Iterable[LinkSettings]) -> dict[str, LinkSettings]:
    """Return one settings for each place: the most patient of what its devices ask for."""
    found: dict[str, LinkSettings] = {}
    for wish in wishes:
        other = found.setdefault(wish.where, wish)
        found[wish.where] = replace(
            other,
            timeout_s=max(other.timeout_s, wish.timeout_s),
            connect_wait_s=max(other.connect_wait_s, wish.connect_wait_s),
            gap_s=max(other.gap_s, wish.gap_s),
        )
    return found


def read_address(written: str) -> LinkSettings:
    """Return the link of ``HOST``, ``HOST:PORT`` or ``serial:///dev/ttyUSB0?baud=9600&parity=E``.

    Raises:
        UsageError: It is none of these; the message says what to write.
    """
    if written.startswith("serial:"):
        return LinkSettings("", serial=_serial_line(written))
    if ":" not in written:
        return LinkSettings(written)
    where = host_and_port(written)
    if where is None:
        raise UsageError(f"{written!r}: write the address as HOST or HOST:PORT, port 1 to 65535")
    return LinkSettings(*where)


def check_asked(units: Iterable[int], timeout_s: float) -> None:
    """Refuse a ``--unit`` that no device can have, or a ``--timeout`` that makes no sense.

    Raises:
        UsageError: One of them; the message says what to use.
    """
    for unit in units:
        if not 0 <= unit <= _MOST_UNIT:
            raise UsageError(f"--unit {unit}: use 0 to {_MOST_UNIT}")
    if not SHORTEST_TIMEOUT_S <= timeout_s <= _LONGEST_TIMEOUT_S:
        raise UsageError(
            f"--timeout {timeout_s:g}: use {SHORTEST_TIMEOUT_S:g} to {_LONGEST_TIMEOUT_S:g} seconds"
        )


def _serial_line(written: str) -> SerialLine:
    parts = urlsplit(written)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    usual = SerialLine(parts.path)
    baud = asked.pop("baud", str(usual.baud))
    parity = asked.pop("parity", usual.parity)
    stop = asked.pop("stop", str(usual.stop_bits))
    right = baud in {str(known) for known in BAUDS} and parity in PARITIES and stop in ("1", "2")
    if asked or not right or parts.netloc or not parts.path.startswith("/"):
        raise UsageError(
            f"{written!r}: write a serial line as serial:///dev/ttyUSB0?baud=9600&parity=N&stop=1, "
            f"baud one of {', '.join(map(str, BAUDS))}, parity N, E or O, stop 1 or 2"
        )
    return SerialLine(parts.path, int(baud), parity, int(stop))
