"""Where letters leave the house: a mail server, and an address for everything else."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from api.mail import MailRefusedError, address_parts, one_line
from api.reach import is_loopback
from kwartier.errors import SettingsError
from kwartier.settings import Table, read_secret

_LEAST_SECRET = 16
_BASE64_MARK = "whsec_"


class Security(StrEnum):
    """How the way to the mail server is closed."""

    STARTTLS = "starttls"
    """It begins in the open and is encrypted before anything is told."""
    TLS = "tls"
    """It is encrypted from the first byte."""
    NONE = "none"
    """Not at all: only to this machine itself."""


_PORT = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


@dataclass(frozen=True, slots=True)
class MailSettings:
    """A mail server, and who sends through it.

    Attributes:
        host: Its name or address.
        port: Its port.
        security: How the way to it is closed.
        sender: Who letters are from.
        reply_to: Where answers go; empty for the sender.
        username: Who we are there; empty where nobody asks.
        password: Never in a log or a message.
        ca_file: Who vouches for the server; None for the machine's own list.
    """

    host: str
    port: int
    security: Security
    sender: Address
    reply_to: str = ""
    username: str = ""
    password: str = ""
    ca_file: Path | None = None

    def __repr__(self) -> str:
        return f"MailSettings({self.host!r}, {self.port})"

    def context(self) -> ssl.SSLContext | None:
        """Return how the server is verified; None where nothing is encrypted.

        Raises:
            SettingsError: The file of who vouches for it cannot be used.
        """
        if self.security is Security.NONE:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"mail.ca_file: {self.ca_file} cannot be used: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where messages go that are no mail.

    Attributes:
        url: The address; the only one anything is posted to.
        secret: What signs them. Never in a log or a message.
    """

    url: str
    secret: bytes

    def __repr__(self) -> str:
        return f"WebhookSettings({urlsplit(self.url).hostname!r})"


def read_mail(table: Table, folder: Path) -> MailSettings:
    """Return the mail server of a ``[mail]`` table; files in it are sought in ``folder``.

    Raises:
        SettingsError: A key is wrong or a file is away.
    """
    host, tls = table.text("host"), table.text("tls", "starttls")
    if tls not in set(Security):
        raise SettingsError(f"{table.place}tls is {tls!r}: it must be starttls, tls or none")
    security = Security(tls)
    if security is Security.NONE and not is_loopback(host):
        raise SettingsError(
            f"{table.place}tls is 'none': letters would cross the network in the clear; "
            "that is only for a mail server at 127.0.0.1, ::1 or localhost"
        )
    username = table.text("username", "")
    ca_file = table.text_or_none("ca_file")
    settings = MailSettings(
        host,
        table.whole("port", _PORT[security], low=1, high=65_535),
        security,
        _sender(table),
        _reply_to(table),
        username,
        read_secret(table, "password_file", folder) if username else "",
        None if ca_file is None else folder / ca_file,
    )
    table.refuse_the_rest()
    settings.context()
    return settings


def read_webhook(table: Table, folder: Path) -> WebhookSettings:
    """Return where other messages go, of a ``[webhook]`` table.

    Raises:
        SettingsError: A key is wrong or a file is away; the secret is not in the message.
    """
    url = table.text("url")
    parts = urlsplit(url)
    host = parts.hostname or ""
    plain = parts.scheme == "http" and is_loopback(host)
    if not host or parts.username or parts.fragment or not (parts.scheme == "https" or plain):
        raise SettingsError(
            f"{table.place}url must be https://HOST/PATH, or http:// on this machine, "
            "without a user or password"
        )
    secret = _secret_bytes(read_secret(table, "secret_file", folder))
    if len(secret) < _LEAST_SECRET:
        raise SettingsError(f"{table.place}secret_file: make it {_LEAST_SECRET} letters or more")
    table.refuse_the_rest()
    return WebhookSettings(url, secret)


def _sender(table: Table) -> Address:
    told = table.text("sender")
    name, _, rest = told.rpartition("<")
    address = rest.removesuffix(">") if name or told.startswith("<") else told
    try:
        local, domain = address_parts(address.strip())
    except MailRefusedError as error:
        raise SettingsError(f"{table.place}sender: {error}") from None
    return Address(one_line(name.strip().strip('"'), 100), local, domain)


def _reply_to(table: Table) -> str:
    told = table.text("reply_to", "")
    if not told:
        return ""
    try:
        local, domain = address_parts(told)
    except MailRefusedError as error:
        raise SettingsError(f"{table.place}reply_to: {error}") from None
    return f"{local}@{domain}"


def _secret_bytes(secret: str) -> bytes:
    """Return the secret; one that begins with ``whsec_`` is base64, as many receivers have it."""
    if not secret.startswith(_BASE64_MARK):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_BASE64_MARK), validate=True)
    except ValueError:
        return b""
