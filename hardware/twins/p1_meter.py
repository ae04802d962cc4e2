"""A virtual electricity meter: registers in whole Wh, telegrams of DSMR 5, on a real TCP port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from hardware.crc16 import crc16
from kwartier.interval import HOME_ZONE, QUARTER_S, Zone
from kwartier.units import EpochS, Watt, Wh

_REGISTER_END_WH = 10**12
_POWER_END_W = 10**8
"""Beyond DSMR's own digits (1 GWh and 100 kW): meters of large connections simply write more."""


@dataclass(slots=True)
class GasMeter:
    """A gas meter on the meter's first M-Bus channel.

    Attributes:
        serial: Its number in clear.
        used_dm3: Its counter [dm3].
        at_s: When it last told its counter, each five minutes in the field [s].
    """

    serial: str
    used_dm3: int
    at_s: EpochS


@dataclass(slots=True)
class P1Meter:
    """What one meter counts and shows; import and export are counters that never go back.

    Attributes:
        serial: Its number in clear, at most 48 letters; sent as hex.
        import_t1_wh: Taken from the grid in the low tariff [Wh].
        import_t2_wh: Taken in the normal tariff [Wh].
        export_t1_wh: Given to the grid in the low tariff [Wh].
        export_t2_wh: Given in the normal tariff [Wh].
        tariff: In force now, 1 low or 2 normal.
        power_w: At the grid connection now; positive is taken, negative given [W].
        gas: The gas meter on channel 1, or None.
        zone: Its wall time.
    """

    serial: str
    import_t1_wh: Wh = 0
    import_t2_wh: Wh = 0
    export_t1_wh: Wh = 0
    export_t2_wh: Wh = 0
    tariff: int = 2
    power_w: Watt = 0
    gas: GasMeter | None = None
    zone: Zone = field(default=HOME_ZONE)

    @property
    def import_wh(self) -> Wh:
        """Return what it has counted in, all tariffs [Wh]."""
        return self.import_t1_wh + self.import_t2_wh

    @property
    def export_wh(self) -> Wh:
        """Return what it has counted out, all tariffs [Wh]."""
        return self.export_t1_wh + self.export_t2_wh

    def count(self, import_wh: Wh, export_wh: Wh) -> None:
        """Add energy to the registers of the tariff in force [Wh]."""
        assert import_wh >= 0, import_wh
        assert export_wh >= 0, export_wh
        if self.tariff == 1:
            self.import_t1_wh += import_wh
            self.export_t1_wh += export_wh
        else:
            self.import_t2_wh += import_wh
            self.export_t2_wh += export_wh

    def telegram(self, at_s: EpochS) -> bytes:
        """Return its telegram of an instant [s], checksum and all.

        Source:
            DSMR P1 companion standard 5.0.2, sections 6.1 to 6.4 and 6.12.
        """
        taken_w, given_w = max(self.power_w, 0), max(-self.power_w, 0)
        lines = (
            "/KWT5\\VIRTUAL-P1\r\n\r\n1-3:0.2.8(50)\r\n"
            f"0-0:1.0.0({_stamp(at_s, self.zone)})\r\n"
            f"0-0:96.1.1({self.serial.encode('ascii').hex().upper()})\r\n"
            f"1-0:1.8.1({_kwh(self.import_t1_wh)})\r\n"
            f"1-0:1.8.2({_kwh(self.import_t2_wh)})\r\n"
            f"1-0:2.8.1({_kwh(self.export_t1_wh)})\r\n"
            f"1-0:2.8.2({_kwh(self.export_t2_wh)})\r\n"
            f"0-0:96.14.0({self.tariff:04d})\r\n"
            f"1-0:1.7.0({_kw(taken_w)})\r\n"
            f"1-0:2.7.0({_kw(given_w)})\r\n"
            "1-0:32.7.0(230.0*V)\r\n"
            f"1-0:31.7.0({abs(self.power_w) // 230:03d}*A)\r\n"
            f"1-0:21.7.0({_kw(taken_w)})\r\n"
            f"1-0:22.7.0({_kw(given_w)})\r\n"
            f"{self._gas_lines()}!"
        )
        body = lines.encode("ascii")
        return b"%s%04X\r\n" % (body, crc16(body))

    def _gas_lines(self) -> str:
        if self.gas is None:
            return ""
        whole, rest = divmod(self.gas.used_dm3, 1000)
        return (
            "0-1:24.1.0(003)\r\n"
            f"0-1:96.1.0({self.gas.serial.encode('ascii').hex().upper()})\r\n"
            f"0-1:24.2.1({_stamp(self.gas.at_s, self.zone)})({whole:05d}.{rest:03d}*m3)\r\n"
        )


class P1TcpPort:
    """A P1 port behind a TCP server, as ser2net makes one: every client gets every telegram.

    It needs no thread: whoever pushes does the work. A client that takes nothing for as long as
    the patience lasts is dropped; until then pushing waits, so nothing is lost in between.

    Attributes:
        pushed: Telegrams handed to at least one client so far.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, patience_s: float = 30.0) -> None:
        """Listen; port 0 takes a free one."""
        self._server = socket.create_server((host, port))
        self._server.setblocking(False)
        self._patience_s = patience_s
        self._clients: list[socket.socket] = []
        self.pushed = 0

    @property
    def address(self) -> str:
        """Return where a gateway finds it, such as ``socket://127.0.0.1:40001``."""
        host, port = self._server.getsockname()[:2]
        return f"socket://{host}:{port}"

    @property
    def clients(self) -> int:
        """Return how many clients are connected, as far as the last push could tell."""
        self._welcome()
        return len(self._clients)

    def wait_for_client(self, timeout_s: float) -> bool:
        """Wait until at least one client is connected; return whether one is."""
        return self.clients > 0 or self.wait_for_clients(1, timeout_s)

    def wait_for_clients(self, more: int, timeout_s: float) -> bool:
        """Wait until so many more clients have come, at most ``timeout_s`` for each."""
        self._server.settimeout(timeout_s)
        try:
            for _ in range(more):
                self._take(self._server.accept()[0])
        except TimeoutError:
            return False
        finally:
            self._server.setblocking(False)
        return True

    def push(self, telegram: bytes) -> int:
        """Send bytes to every client as fast as they take them; return how many got them."""
        self._welcome()
        for client in list(self._clients):
            try:
                client.sendall(telegram)
            except OSError:
                self._clients.remove(client)
                client.close()
        self.pushed += bool(self._clients)
        return len(self._clients)

    def run(
        self, telegram: Callable[[], bytes], stop: threading.Event, *, period_s: float = 1.0
    ) -> None:
        """Push what ``telegram`` returns once per period until told to stop."""
        while not stop.is_set():
            self.push(telegram())
            stop.wait(period_s)

    def hang_up(self) -> None:
        """Close the connection of every client, as a server that restarts does."""
        self._welcome()
        for client in self._clients:
            client.close()
        self._clients.clear()

    def close(self) -> None:
        """Hang up and listen no more; a second time does nothing."""
        if self._server.fileno() >= 0:
            self.hang_up()
            self._server.close()

    def _welcome(self) -> None:
        while True:
            try:
                self._take(self._server.accept()[0])
            except BlockingIOError:
                return

    def _take(self, client: socket.socket) -> None:
        client.settimeout(self._patience_s)
        self._clients.append(client)


def _kwh(energy_wh: Wh) -> str:
    assert 0 <= energy_wh < _REGISTER_END_WH, energy_wh
    return f"{energy_wh // 1000:06d}.{energy_wh % 1000:03d}*kWh"


def _kw(power_w: Watt) -> str:
    assert 0 <= power_w < _POWER_END_W, power_w
    return f"{power_w // 1000:02d}.{power_w % 1000:03d}*kW"


def _stamp(at_s: EpochS, zone: Zone) -> str:
    quarter, into_s = divmod(at_s, QUARTER_S)
    hour, minute, letter = _quarter(quarter, zone)
    return f"{hour}{minute + into_s // 60:02d}{into_s % 60:02d}{letter}"


@lru_cache(maxsize=256)
def _quarter(quarter: int, zone: Zone) -> tuple[str, int, str]:
    """Return the local hour ``YYMMDDhh``, the minute, and the season's letter of its start."""
    local = datetime.fromtimestamp(quarter * QUARTER_S, zone)
    return f"{local:%y%m%d%H}", local.minute, "W" if local.dst() == timedelta(0) else "S"
