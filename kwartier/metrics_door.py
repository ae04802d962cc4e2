"""The small door at which Prometheus asks a service without a web server how it does.

It answers one question at a time, and no question may take longer than a moment: that is enough
for who asks twice a minute, and nobody can fill the memory of a Pi through it.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from kwartier.clock import Clock, SystemClock
from kwartier.errors import KwartierError, SettingsError
from kwartier.host_port import host_and_port
from kwartier.metrics_text import CONTENT_TYPE, Measure, exposition

PATIENCE_S = 1.0
"""How long one question may take to arrive [s]."""
_LONGEST_BYTES = 8 * 1024
_LOOK_EVERY_S = 0.2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a door for measures is: an address and a port."""

    host: str
    port: int


def listening_at(written: str | None, key: str) -> Listening | None:
    """Return where a setting has the door; None where there is no such setting.

    Raises:
        SettingsError: It is no ``HOST:PORT``.
    """
    if written is None:
        return None
    place = host_and_port(written)
    if place is None:
        raise SettingsError(f"{key} is {written[:60]!r}: write HOST:PORT, such as 127.0.0.1:9101")
    return Listening(*place)


class MetricsDoor:
    """Answers ``GET /metrics`` and ``GET /healthz``, and nothing else."""

    def __init__(
        self,
        place: Listening,
        look: Callable[[], Sequence[Measure]],
        clock: Clock | None = None,
    ) -> None:
        """Open the port, and answer on a thread of its own until ``close``.

        Args:
            place: Where; port 0 takes a free one.
            look: Is asked for the measures each time, on that thread.
            clock: Counts the moments; the machine's own when None.

        Raises:
            SettingsError: The port cannot be opened.
        """
        family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        try:
            self._listening = socket.create_server((place.host, place.port), family=family)
        except OSError as error:
            raise SettingsError(
                f"metrics: cannot listen on {place.host} port {place.port}: {error.strerror}"
            ) from error
        self._listening.settimeout(_LOOK_EVERY_S)
        self._look = look
        self._clock = clock or SystemClock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port that is open."""
        return int(self._listening.getsockname()[1])

    def close(self) -> None:
        """Answer no more."""
        self._stop.set()
        self._thread.join()
        self._listening.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                asked, _ = self._listening.accept()
            except TimeoutError:
                continue
            except OSError as error:  # as when no more files may be open: it passes
                _log.warning("measures: nobody can be answered now: %s", error.strerror)
                self._stop.wait(PATIENCE_S)
                continue
            with asked, suppress(OSError):
                self._answer(asked)

    def _answer(self, asked: socket.socket) -> None:
        """Read the first line of a question and answer it."""
        until_s = self._clock.monotonic_s() + PATIENCE_S
        heard = b""
        while b"\r\n\r\n" not in heard and len(heard) < _LONGEST_BYTES:
            left_s = until_s - self._clock.monotonic_s()
            if left_s <= 0:
                return
            asked.settimeout(left_s)
            more = asked.recv(1024)
            if not more:
                return
            heard += more
        words = heard.split(b"\r\n", 1)[0].split(b" ")
        asked.settimeout(PATIENCE_S)
        asked.sendall(self._told(words[:2]))

    def _told(self, question: list[bytes]) -> bytes:
        """Return the whole answer to a method and a path."""
        if question == [b"GET", b"/healthz"]:
            return _whole("200 OK", "text/plain", "ok\n")
        if question != [b"GET", b"/metrics"]:
            return _whole("404 Not Found", "text/plain", "there are /metrics and /healthz\n")
        try:
            return _whole("200 OK", CONTENT_TYPE, exposition(self._look()))
        except KwartierError as error:  # also a damaged record: the door outlives it
            return _whole("503 Service Unavailable", "text/plain", f"{error}\n")


def _whole(status: str, kind: str, text: str) -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
