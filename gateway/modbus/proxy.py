"""A read-only door to a Modbus line, for the resident's own programs.

Many devices take one connection only, and the gateway has it. Through this door other programs
read along: in turn with the gateway's own reads and after them, nothing is ever written.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address

from gateway.modbus import mbap
from gateway.modbus.link import ModbusLink
from gateway.modbus.refusals import DeviceRefusedError
from gateway.modbus.settings import ProxySettings
from gateway.modbus.turns import Lane
from hardware.registers import RegistersRefusedError, Words
from kwartier.errors import LinkDownError, TemporaryError

_log = logging.getLogger(__name__)

MOST_CLIENTS = 8
"""Programs that may be connected at once."""
_IDLE_S = 60.0
_FRAME_S = 5.0
_LOOK_S = 1.0
_LISTEN_AGAIN_S = 5.0


@dataclass(slots=True)
class ProxyCounters:
    """What happened at the door, since it opened.

    Attributes:
        served: Reads that were answered with registers.
        from_memory: Of these, the ones the gateway had just read itself.
        refused: Requests answered with an exception code.
        writes: Of these, the ones that were no reads.
        turned_away: Connections from outside the networks, or too many.
        garbage: Connections closed as what came was no Modbus TCP.
    """

    served: int = 0
    from_memory: int = 0
    refused: int = 0
    writes: int = 0
    turned_away: int = 0
    garbage: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, name: str) -> None:
        """Count one more."""
        with self.lock:
            setattr(self, name, getattr(self, name) + 1)


class ModbusProxy:
    """Serves reads over one link to programs on the home's own network."""

    def __init__(
        self, settings: ProxySettings, link: ModbusLink, *, idle_s: float = _IDLE_S
    ) -> None:
        """Prepare the door; it opens with ``start``."""
        self.counters = ProxyCounters()
        self._settings = settings
        self._link = link
        self._idle_s = idle_s
        self._stopping = threading.Event()
        self._open = threading.Event()
        self._port = 0
        self._listener: socket.socket | None = None
        self._lock = threading.Lock()
        self._visits: list[_Visit] = []
        self._thread = threading.Thread(target=self._run, name="modbus proxy", daemon=True)

    @property
    def clients(self) -> int:
        """How many programs are connected."""
        with self._lock:
            return len(self._visits)

    def start(self) -> None:
        """Listen on a thread of its own; a port that is taken is tried again and again."""
        self._thread.start()

    def wait_open(self, timeout_s: float) -> int:
        """Return the port once it listens there.

        Raises:
            LinkDownError: It did not listen in time.
        """
        if not self._open.wait(timeout_s):
            raise LinkDownError(f"the Modbus proxy does not listen on {self._where}")
        return self._port

    def stop(self) -> None:
        """Close the door and every connection."""
        self._stopping.set()
        if self._listener is not None:
            with suppress(OSError):  # it may be closed already
                self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        with self._lock:
            visits = [*self._visits]
        for visit in visits:
            visit.leave()

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _run(self) -> None:
        told = False
        while not self._stopping.is_set():
            try:
                family = socket.AF_INET6 if ":" in self._settings.host else socket.AF_INET
                address = (self._settings.host, self._settings.port)
                with socket.create_server(address, family=family) as listener:
                    self._port = listener.getsockname()[1]
                    _log.info("modbus proxy listens on %s", self._where)
                    self._listener = listener
                    self._open.set()
                    self._welcome_all(listener)
            except OSError as error:
                if not told and not self._stopping.is_set():
                    _log.warning("modbus proxy cannot listen on %s: %s", self._where, error)
                told = True
                self._stopping.wait(_LISTEN_AGAIN_S)

    def _welcome_all(self, listener: socket.socket) -> None:
        listener.settimeout(_LOOK_S)
        while not self._stopping.is_set():
            try:
                visitor, peer = listener.accept()
            except TimeoutError:
                continue
            if not self._welcome(visitor, str(peer[0])):
                self.counters.add("turned_away")
                visitor.close()

    def _welcome(self, visitor: socket.socket, peer: str) -> bool:
        """Return whether a visitor may stay."""
        address = ip_address(peer.split("%", maxsplit=1)[0])
        if not any(address in network for network in self._settings.allow):
            return False
        with self._lock:
            if len(self._visits) >= MOST_CLIENTS:
                return False
            visit = _Visit(self, visitor)
            self._visits.append(visit)
        visit.thread.start()
        return True

    def gone(self, visit: _Visit) -> None:
        """Take note that a visit ended."""
        with self._lock:
            self._visits.remove(visit)

    def answer(self, head: bytes, request: bytes) -> bytes:
        """Return the frame that answers one request."""
        try:
            words, function_code = self._words(head[6], request)
        except mbap.CannotServeError as error:
            code = error.code
            if code == mbap.ILLEGAL_FUNCTION:
                self.counters.add("writes")
        except DeviceRefusedError as error:
            code = error.code
        except RegistersRefusedError:
            code = mbap.ILLEGAL_ADDRESS
        except LinkDownError:
            code = mbap.UNIT_AWAY
        except TemporaryError:
            code = mbap.BUSY
        else:
            self.counters.add("served")
            return mbap.answer(head, function_code, words)
        self.counters.add("refused")
        return mbap.refusal(head, request[0], code)

    def _words(self, unit: int, request: bytes) -> tuple[Words, int]:
        asked = mbap.read_asked(request)
        if unit not in self._settings.units:
            raise mbap.CannotServeError(mbap.UNIT_AWAY, f"unit {unit} is not one of the gateway's")
        where = (asked.address, asked.count)
        found = self._link.recent.find(unit, asked.function_code, *where)
        if found is not None:
            self.counters.add("from_memory")
            return found, asked.function_code
        words = self._link.read(unit, *where, asked.function_code, Lane.GUEST)
        return words, asked.function_code

    @property
    def seconds_each(self) -> float:
        """How long a client waits between two requests, at least [s]."""
        return 1.0 / self._settings.per_second

    @property
    def idle_s(self) -> float:
        """How long a client may be silent [s]."""
        return self._idle_s

    @property
    def stopping(self) -> threading.Event:
        """Set when the door closes."""
        return self._stopping


class _Visit:
    """One connected program, on a thread of its own."""

    def __init__(self, proxy: ModbusProxy, visitor: socket.socket) -> None:
        self._proxy = proxy
        self._socket = visitor
        self.thread = threading.Thread(target=self._run, name="modbus guest", daemon=True)

    def leave(self) -> None:
        """End the visit and wait for its thread."""
        with suppress(OSError):  # the other side may have been quicker
            self._socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()

    def _run(self) -> None:
        try:
            while not self._proxy.stopping.is_set():
                began_s = time.monotonic()
                head = self._take(mbap.HEAD, self._proxy.idle_s)
                request = self._take(mbap.length_after(head), _FRAME_S)
                self._socket.settimeout(_FRAME_S)
                self._socket.sendall(self._proxy.answer(head, request))
                spare_s = self._proxy.seconds_each - (time.monotonic() - began_s)
                if spare_s > 0:
                    self._proxy.stopping.wait(spare_s)
        except mbap.FrameError:
            self._proxy.counters.add("garbage")
        except OSError:
            pass  # gone, or too slow: both end the visit
        finally:
            self._socket.close()
            self._proxy.gone(self)

    def _take(self, count: int, first_s: float) -> bytes:
        """Return bytes; the first may take long, the rest together not."""
        self._socket.settimeout(first_s)
        content = self._socket.recv(count)
        until_s = time.monotonic() + _FRAME_S
        while content and len(content) < count:
            self._socket.settimeout(max(0.001, until_s - time.monotonic()))
            more = self._socket.recv(count - len(content))
            content = content + more if more else b""
        if not content:
            raise ConnectionResetError
        return content
