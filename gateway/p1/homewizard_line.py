"""One question and one answer over HTTP to a HomeWizard meter, plain or over TLS.

Over TLS the connection stays open, for a handshake each second would keep such a small device
busy; who is there is told by its certificate, which the vendor's authority signed and whose common
name is the one that was paired. Its address is no part of that: a router may change it.
"""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPResponse

from gateway.deadline import ended_after, shut_down
from gateway.near_name import NearName
from gateway.p1.homewizard_answer import MOST_BYTES
from gateway.p1.homewizard_key import HomeWizardKey
from kwartier.errors import LinkDownError

_OK = 200


class HomeWizardLine:
    """The way to one meter; asked by one thread at a time, cut off by any."""

    def __init__(
        self, name: str, host: str, port: int, timeout_s: float, near: NearName | None = None
    ) -> None:
        """Describe the way; nothing is opened before a question.

        Args:
            name: How it is called in messages.
            host: Its address, or the name it calls out.
            port: Its port.
            timeout_s: The longest one answer may take from first to last byte [s].
            near: How its name is looked up; None for the usual way.
        """
        self._name = name
        self._port = port
        self._timeout_s = timeout_s
        self._near = near or NearName(host)
        self._open: socket.socket | None = None
        self._standing: HTTPConnection | None = None
        self._is_cut = False

    def cut(self) -> None:
        """Let go of the connection for good, also in the middle of an answer."""
        self._is_cut = True
        line = self._open
        if line is not None:
            shut_down(line)

    def lost(self) -> None:
        """Have the next question look for the meter anew."""
        self._hang_up()
        self._near.lost()

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of a plain answer.

        Raises:
            LinkDownError: It does not answer in time, or not as HTTP.
        """
        connection = self._connection()
        try:
            return self._asked(connection, "GET", path, {"Connection": "close"}, None)
        finally:
            connection.close()

    def get_sealed(self, path: str, key: HomeWizardKey) -> tuple[int, bytes]:
        """Return status and body of an answer over TLS, of the meter that was paired.

        Raises:
            LinkDownError: It does not answer in time, or another meter does.
        """
        headers = {"Authorization": f"Bearer {key.token}", "X-Api-Version": "2"}
        if self._standing is not None:
            try:
                return self._asked(self._standing, "GET", path, headers, None)
            except LinkDownError:  # it may have closed meanwhile: once more, from the start
                self._hang_up()
        self._standing = self._sealed(key.authority, key.appliance)
        try:
            return self._asked(self._standing, "GET", path, headers, None)
        except LinkDownError:
            self._hang_up()
            raise

    def post_sealed(self, path: str, body: bytes, authority: str) -> tuple[int, bytes, str]:
        """Return status, body, and the common name of who answered over TLS.

        Raises:
            LinkDownError: It does not answer in time, or the authority does not vouch for it.
        """
        headers = {"X-Api-Version": "2", "Content-Type": "application/json", "Connection": "close"}
        connection = self._sealed(authority, None)
        try:
            name = _common_name(connection.sock)
            status, told = self._asked(connection, "POST", path, headers, body)
        finally:
            connection.close()
        return status, told, name

    def _connection(self) -> HTTPConnection:
        return HTTPConnection(self._near.address(), self._port, timeout=self._timeout_s)

    def _sealed(self, authority: str, appliance: str | None) -> HTTPConnection:
        """Return an open connection over TLS, to ``appliance`` where one is named."""
        connection = self._connection()
        try:
            connection.connect()
            connection.auto_open = 0  # once closed, its own way back would be one without TLS
            line = _context(authority).wrap_socket(connection.sock, do_handshake_on_connect=False)
            connection.sock = self._open = line
            if self._is_cut:
                raise ConnectionAbortedError("stopped")
            with ended_after(line, self._timeout_s):
                line.do_handshake()
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise LinkDownError(
                f"{self._name}: its certificate is not HomeWizard's ({error.verify_message})"
            ) from error
        except OSError as error:
            connection.close()
            raise LinkDownError(f"{self._name}: {type(error).__name__} ({error})") from error
        found = _common_name(connection.sock)
        if appliance is not None and found.lower() != appliance.lower():
            connection.close()
            raise LinkDownError(f"{self._name}: another device answers than the one paired")
        return connection

    def _asked(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes | None,
    ) -> tuple[int, bytes]:
        """Return status and body; a timer cuts the line, for a drip of bytes is no silence."""
        try:
            if connection.sock is None and connection.auto_open:
                connection.connect()
            self._open = connection.sock
            if self._is_cut:
                raise LinkDownError(f"{self._name}: stopped")
            with ended_after(connection.sock, self._timeout_s):
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                told = response.read(MOST_BYTES + 1)
            whole = response.length in {None, 0}
        except (OSError, HTTPException) as error:
            raise LinkDownError(f"{self._name}: {type(error).__name__} ({error})") from error
        finally:
            self._open = None
        return self._checked(response, told, whole=whole)

    def _checked(self, response: HTTPResponse, told: bytes, *, whole: bool) -> tuple[int, bytes]:
        if len(told) > MOST_BYTES:
            raise LinkDownError(f"{self._name}: answers with more than {MOST_BYTES} bytes")
        if response.status == _OK and not whole:
            raise LinkDownError(f"{self._name}: the answer broke off")
        return response.status, told

    def _hang_up(self) -> None:
        if self._standing is not None:
            self._standing.close()
            self._standing = None


def _context(authority: str) -> ssl.SSLContext:
    """Return TLS that only one authority vouches for; who is there is checked by its name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the name in it is no host's
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority)
    return context


def _common_name(line: socket.socket) -> str:
    """Return the common name in the certificate of who is there; empty for none."""
    assert isinstance(line, ssl.SSLSocket)
    subject = (line.getpeercert() or {}).get("subject", ())
    names = [
        pair[1]
        for part in (subject if isinstance(subject, tuple) else ())
        for pair in part
        if isinstance(pair, tuple) and pair[0] == "commonName"
    ]
    return str(names[0]) if len(names) == 1 else ""
