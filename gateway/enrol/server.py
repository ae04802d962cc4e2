"""How a gateway talks to its server: small JSON over https, bounded, no redirects."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from gateway.deadline import ended_after
from kwartier.errors import InputError, LinkDownError, SettingsError
from kwartier.packing import Json

PATIENCE_S = 20.0
"""How long the server may be silent [s]."""
POST_S = 60.0
"""How long a question and its answer may take as a whole [s]."""
STREAM_S = 1800.0
"""The same of an answer that comes in pieces, unless told [s]."""
MOST_BYTES = 65_536
OCTETS = "application/octet-stream"
_AT_ONCE_BYTES = 65_536
_FINE = {HTTPStatus.OK, HTTPStatus.NO_CONTENT}
_LOCAL = {"127.0.0.1", "localhost", "::1"}


class ServerDownError(LinkDownError):
    """The server cannot be reached, or is too busy, now."""


class ServerRefusedError(InputError):
    """The server refused it; trying the same again will not help."""

    def __init__(self, status: int, detail: str) -> None:
        """Keep what it said."""
        super().__init__(f"the server refused it ({status}): {detail}")
        self.status = status


class _TooSlowError(OSError):
    """The time of a whole exchange was over."""

    def __init__(self, within_s: float) -> None:
        """Keep how long it was [s]."""
        super().__init__(f"it was not done within {within_s:g} s")


@dataclass(frozen=True, slots=True)
class Server:
    """One server.

    Attributes:
        url: Its public address, such as ``https://wijk.example``.
        ca_file: Who vouches for it; None for the machine's own list.
        post_s: How long a question and its answer may take as a whole [s].
    """

    url: str
    ca_file: Path | None = None
    post_s: float = POST_S

    def __post_init__(self) -> None:
        """Refuse an address that is none, or that would send secrets in the clear."""
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname or "", parts.port
            host.encode("idna")  # what cannot be, such as a..b, cannot be asked for later
        except ValueError as error:
            raise SettingsError(f"server {self.url!r}: {error}; write https://HOST") from error
        if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
            raise SettingsError(f"server {self.url!r} is no address: write https://HOST")
        if parts.scheme == "http" and host not in _LOCAL:
            raise SettingsError(f"server {self.url!r} has no TLS: write https://{host}")

    def post(self, path: str, body: Mapping[str, Json]) -> dict[str, Json]:
        """Send an object and return the one that comes back; an empty one for no content.

        Raises:
            ServerDownError: It cannot be reached, is too slow, or asks to come back later.
            ServerRefusedError: It refused.
        """
        with self._asked(path, body, self.post_s) as answer:
            status, content = answer.status, answer.read(MOST_BYTES + 1)
        return self._judged(status, content)

    def stream(
        self, path: str, body: Mapping[str, Json], most: int, within_s: float = STREAM_S
    ) -> Iterator[bytes]:
        """Send an object and yield the bytes that come back, as they come, at most so many.

        Where the line is cut it ends early, or raises; what was yielded until then came whole.

        Args:
            path: Where on the server.
            body: What is sent.
            most: Bytes that are taken.
            within_s: How long all of it may take [s].

        Raises:
            ServerDownError: It cannot be reached, is too slow, or asks to come back later.
            ServerRefusedError: It refused.
        """
        with self._asked(path, body, within_s) as answer:
            kind = answer.getheader("Content-Type", "").partition(";")[0].strip()
            if answer.status != HTTPStatus.OK or kind != OCTETS:
                self._judged(answer.status, answer.read(MOST_BYTES + 1))
                raise ServerDownError(f"at {self.url} something else answers, no kwartier")
            while most and (piece := answer.read1(min(most, _AT_ONCE_BYTES))):
                most -= len(piece)
                yield piece

    @contextmanager
    def _asked(
        self, path: str, body: Mapping[str, Json], within_s: float
    ) -> Iterator[http.client.HTTPResponse]:
        """Give the answer to an object; what goes wrong while it is read is the server's too."""
        end_s = time.monotonic() + within_s
        parts = urlsplit(self.url)
        connection = self._connection(
            parts.hostname or "", parts.port, secure=parts.scheme == "https"
        )
        try:
            connection.connect()
            with ended_after(connection.sock, end_s - time.monotonic()) as over:
                try:
                    self._ask(connection, path, body)
                    answer = connection.getresponse()
                    if over.is_set():  # a head that was cut looks like a short one
                        raise _TooSlowError(within_s)
                    yield answer
                except (OSError, http.client.HTTPException) as error:
                    raise (_TooSlowError(within_s) if over.is_set() else error) from None
                if over.is_set():
                    raise _TooSlowError(within_s)
        except (OSError, http.client.HTTPException) as error:
            raise ServerDownError(f"server {self.url} cannot be reached: {error}") from error
        finally:
            connection.close()

    def _ask(
        self, connection: http.client.HTTPConnection, path: str, body: Mapping[str, Json]
    ) -> None:
        parts = urlsplit(self.url)
        connection.request(
            "POST",
            parts.path.rstrip("/") + path,
            json.dumps(dict(body), ensure_ascii=False).encode(),
            {
                "Content-Type": "application/json",
                "Connection": "close",
                "Origin": f"{parts.scheme}://{parts.netloc}",
            },
        )

    def _connection(
        self, host: str, port: int | None, *, secure: bool
    ) -> http.client.HTTPConnection:
        if not secure:
            return http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"{self.ca_file}: cannot vouch for the server: {error}") from error
        return http.client.HTTPSConnection(host, port, timeout=PATIENCE_S, context=context)

    def _judged(self, status: int, content: bytes) -> dict[str, Json]:
        told: Json = {} if status == HTTPStatus.NO_CONTENT else None
        if content and len(content) <= MOST_BYTES:
            try:
                told = json.loads(content)
            except (ValueError, RecursionError):
                told = None
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ServerDownError(f"server {self.url} is busy ({status}): try again later")
        if status in _FINE and isinstance(told, dict):
            return told
        if status in _FINE or not isinstance(told, dict):
            # A portal or another web server answers here: ours sends objects also when it refuses.
            raise ServerDownError(f"at {self.url} something else answers ({status}), no kwartier")
        raise ServerRefusedError(status, str(told.get("detail", ""))[:300])
