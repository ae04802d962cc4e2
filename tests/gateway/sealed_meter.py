"""A HomeWizard meter that answers over TLS: its authority, its certificate, its button."""

from __future__ import annotations

import json
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

APPLIANCE = "appliance/p1dongle/5c2fafaabbcc"
TOKEN = "0123456789ABCDEF" * 2


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Vendor:
    """An authority that vouches for meters."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed(named("Appliance Access CA"), self._key, is_ca=True)
        self.pem = self.certificate.public_bytes(Encoding.PEM).decode()

    def certified(self, name: str) -> bytes:
        """Return a key and a certificate of that common name, in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(named(name), key, is_ca=False)
        return key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ) + certificate.public_bytes(Encoding.PEM)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_ca: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(named("Appliance Access CA"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        return builder.sign(self._key, hashes.SHA256())


class SealedMeter(ThreadingHTTPServer):
    """A real HTTPS server on a spare port of this machine."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, folder: Path, vendor: Vendor, appliance: str = APPLIANCE, host: str = "127.0.0.1"
    ) -> None:
        super().__init__((host, 0), _Handler)
        file = folder / f"{appliance.replace('/', '-')}.pem"
        file.write_bytes(vendor.certified(appliance))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.connections = 0
        self.token = TOKEN
        self.presses_needed = 0
        """How many questions for a token are refused before its button is pressed."""
        self.names: list[str] = []
        """Whose tokens were asked for."""
        self.hangs_up = False
        """Whether it closes each connection after one answer, without saying so."""
        self.says_goodbye = False
        """Whether it closes each connection after one answer, and says so."""
        self.heard_plain = 0
        """How many connections began with something else than TLS."""
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"homewizard://{self.server_address[0]!s}:{self.server_address[1]}"

    def get_request(self) -> tuple[socket, tuple[str, int]]:
        self.connections += 1
        line, place = super().get_request()
        return line, place

    def finish_request(self, request: object, client_address: object) -> None:
        """Count who speaks without TLS, whose words are open to everybody."""
        assert isinstance(request, ssl.SSLSocket)
        try:
            request.do_handshake()
        except ssl.SSLError as error:
            self.heard_plain += "HTTP_REQUEST" in str(error)
            raise
        super().finish_request(request, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever goes away is meant to."""

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SealedMeter

    def do_GET(self) -> None:
        meter = self.server
        meter.asked.append(self.path)
        if self.headers["Authorization"] != f"Bearer {meter.token}":
            self._answer(401, b'{"error":"user:unauthorized"}')
        elif self.headers["X-Api-Version"] != "2" or self.path not in meter.answers:
            self._answer(404, b"")
        else:
            self._answer(200, meter.answers[self.path])
        self.close_connection |= meter.hangs_up

    def do_POST(self) -> None:
        meter = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        meter.names.append(body["name"])
        if len(meter.names) <= meter.presses_needed:
            self._answer(403, b'{"error":"user:creation-not-enabled"}')
        else:
            self._answer(200, json.dumps({"token": meter.token, "name": body["name"]}).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if self.server.says_goodbye:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its word
        """Write nothing."""
