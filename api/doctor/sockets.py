"""Questions over the network that end in a moment: MQTT's first handshake, and HTTP."""

from __future__ import annotations

import http.client
import secrets
import socket
import ssl
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

from api.doctor.finding import PATIENCE_S
from kwartier.broker import Broker
from kwartier.errors import InputError, LinkDownError
from kwartier.units import EpochS

_REFUSED = {
    0x80: "an error it does not name",
    0x84: "it does not speak MQTT 5",
    0x85: "the client id",
    0x86: "user or password",
    0x87: "who we are (the certificate)",
    0x88: "that it is not available now",
    0x89: "that it is busy",
    0x8A: "that we are banned",
    0x97: "that a quota is used up",
    0x9F: "that we connect too often",
}
"""Source: MQTT 5.0, table 3-1 (OASIS)."""


@dataclass(frozen=True, slots=True)
class BrokerAnswer:
    """How a broker answered.

    Attributes:
        reason: Why it lets us not in; empty when it does.
        certificate_until_s: Until when its certificate holds [s]; None without TLS.
    """

    reason: str
    certificate_until_s: EpochS | None


def ask_broker(broker: Broker) -> BrokerAnswer:
    """Connect as MQTT 5 does, and let go at once.

    Raises:
        LinkDownError: It answers nothing, or in no way that is MQTT.
        SettingsError: Our certificate's files cannot be used.
    """
    try:
        with ExitStack() as parts:
            link: socket.socket = parts.enter_context(
                socket.create_connection((broker.host, broker.port), PATIENCE_S)
            )
            until_s: EpochS | None = None
            if broker.tls is not None:
                secured = broker.tls.context().wrap_socket(link, server_hostname=broker.host)
                parts.enter_context(secured)
                told = (secured.getpeercert() or {}).get("notAfter")
                until_s = int(ssl.cert_time_to_seconds(told)) if isinstance(told, str) else None
                link = secured
            link.sendall(_connect(broker))
            kind, code = _connack(link)
            link.sendall(b"\xe0\x00")
    except (OSError, ssl.SSLError) as error:
        raise LinkDownError(f"{broker.url}: {_why(error)}") from error
    if kind != 0x20:
        raise LinkDownError(f"{broker.url}: what listens there does not speak MQTT")
    return BrokerAnswer(_REFUSED.get(code, f"code {code}") if code else "", until_s)


def here(host: str, port: int) -> str:
    """Return the address at which this machine reaches a service of its own.

    Args:
        host: Where the service listens; on all addresses it is asked at the loopback.
        port: Its port.
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def ask_http(url: str, path: str) -> tuple[int, bytes]:
    """Return the status and the first bytes of what is answered to a GET.

    Raises:
        InputError: It is no address.
        LinkDownError: Nobody answers, or not in HTTP.
    """
    place = urlsplit(url)
    if place.scheme not in {"http", "https"} or not place.hostname:
        raise InputError("the address in the settings is none: write http://HOST:PORT")
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    link = kind(place.hostname, place.port, timeout=PATIENCE_S)
    try:
        link.request("GET", place.path.rstrip("/") + path, headers={"Connection": "close"})
        reply = link.getresponse()
        return reply.status, reply.read(4_000)
    except (OSError, http.client.HTTPException) as error:
        where = f"{place.scheme}://{place.hostname}:{place.port or link.port}"
        raise LinkDownError(f"{where}: {_why(error)}") from error
    finally:
        link.close()


def _connect(broker: Broker) -> bytes:
    """Return a CONNECT that begins clean; MQTT 5.0, section 3.1."""
    flags, tail = 0x02, b""
    if broker.username:
        flags |= 0xC0
        tail = _text(broker.username) + _text(broker.password)
    name = f"kwartier-doctor-{secrets.token_hex(4)}"
    body = _text("MQTT") + bytes([5, flags, 0, 10, 0]) + _text(name) + tail
    return b"\x10" + _length(len(body)) + body


def _text(text: str) -> bytes:
    content = text.encode()
    return len(content).to_bytes(2, "big") + content


def _length(number: int) -> bytes:
    low, high = number % 128, number // 128
    return bytes([low | 0x80, high]) if high else bytes([low])


def _connack(link: socket.socket) -> tuple[int, int]:
    """Return the kind of a packet and its reason; MQTT 5.0, sections 2.1.4 and 3.2.2."""
    head = _received(link, 2)
    if head[1] & 0x80:  # many properties: the length has a second byte
        _received(link, 1)
    return head[0], _received(link, 2)[1]


def _received(link: socket.socket, size: int) -> bytes:
    heard = b""
    while len(heard) < size:
        more = link.recv(size - len(heard))
        if not more:
            raise ConnectionResetError(0, "it hung up on us")
        heard += more
    return heard


def _why(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE_S:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not hold: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'refused'}"
    told = error.strerror if isinstance(error, OSError) else None
    return told or "what listens there does not answer as it should"
