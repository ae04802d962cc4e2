"""A mail server on this machine that takes letters, refuses, is busy, or hangs up."""

from __future__ import annotations

import asyncio
import datetime
import email
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.post.settings import MailSettings, Security

HOST = "127.0.0.1"
USER, PASSWORD = "post@wijk.example", "geheim-van-de-post"


@dataclass(slots=True)
class Counter:
    """What the mail server does, and what it took.

    Attributes:
        refused: Addresses it answers with 550.
        busy: Addresses it answers with 451 as often as it says.
        hang_up_after_data: How many letters it takes without saying so.
        letters: What it took: to whom, and the letter.
    """

    refused: set[str] = field(default_factory=set)
    busy: dict[str, int] = field(default_factory=dict)
    hang_up_after_data: int = 0
    letters: list[tuple[str, EmailMessage[str, str]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer who may get letters."""
        del server, session, options
        if address in self.refused:
            return f"550 5.1.1 <{address}>: there is no such mailbox"
        if self.busy.get(address, 0):
            self.busy[address] -= 1
            return f"451 4.7.1 <{address}>: greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a letter, and say so or hang up."""
        del session
        assert isinstance(envelope.content, bytes)
        letter = email.message_from_bytes(envelope.content, policy=WIRE)
        with self.lock:
            self.letters += [(address, letter) for address in envelope.rcpt_tos]
        if self.hang_up_after_data:
            self.hang_up_after_data -= 1
            assert server.transport is not None
            server.transport.close()
        return "250 2.0.0 taken"

    def to(self, address: str) -> list[EmailMessage[str, str]]:
        """Return the letters an address got."""
        with self.lock:
            return [letter for whom, letter in self.letters if whom == address]


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server that runs: what it does and takes, and the settings that reach it."""

    counter: Counter
    settings: MailSettings


class _OnAnyPort(Controller):
    """Knows which port it was given before it calls itself to see whether it answers."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd leaves it out


@contextmanager
def mail_server(
    certificate: tuple[Path, Path] | None = None, *, security: Security = Security.NONE
) -> Iterator[MailServer]:
    """Run a mail server; with a certificate it asks for TLS and a password.

    Args:
        certificate: Files of the certificate and its key.
        security: How it is reached.
    """
    counter = Counter()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    controller = _OnAnyPort(
        counter,
        hostname=HOST,
        port=0,
        ssl_context=context if security is Security.TLS else None,
        tls_context=context if security is Security.STARTTLS else None,
        require_starttls=security is Security.STARTTLS,
        authenticator=_check,
        auth_required=security is Security.STARTTLS,
        auth_require_tls=security is not Security.TLS,
        enable_SMTPUTF8=True,
    )
    controller.start()
    known = (USER, PASSWORD) if context is not None else ("", "")
    settings = MailSettings(
        HOST,
        controller.port,
        security,
        Address("De Straat", "post", "wijk.example"),
        "bestuur@wijk.example",
        *known,
        None if certificate is None else certificate[0],
    )
    try:
        yield MailServer(counter, settings)
    finally:
        controller.stop()


def make_certificate(folder: Path, name: str = HOST) -> tuple[Path, Path]:
    """Return the files of a new certificate for an address, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a mail server of a test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def _check(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
) -> AuthResult:
    del server, session, envelope, mechanism
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)
