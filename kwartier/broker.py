"""Where the broker is and how to prove who we are."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kwartier.errors import SettingsError
from kwartier.host_port import can_be_asked_for
from kwartier.settings import Table, place_of, read_secret

_PORT = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Tls:
    """Files that prove the broker to us, and us to the broker.

    Attributes:
        ca_file: Who vouches for the broker; None for the machine's own list.
        certificate_file: Who we are; None where a password says that.
        key_file: The key that belongs to it.
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return a TLS 1.3 context of these files.

        Raises:
            SettingsError: A file is away or is not what it should be.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate_file is not None:
                context.load_cert_chain(self.certificate_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(
                str(file)
                for file in (self.ca_file, self.certificate_file, self.key_file)
                if file is not None
            )
            raise SettingsError(f"TLS files {files} cannot be used: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context


@dataclass(frozen=True, slots=True)
class Broker:
    """One broker.

    Attributes:
        host: Its name or address.
        port: Its port.
        tls: How to prove who is who; None for a broker on this machine.
        username: Empty where a certificate says who we are.
        password: Never in a log or a message.
    """

    host: str
    port: int = 1883
    tls: Tls | None = None
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Broker({self.url!r})"

    @property
    def url(self) -> str:
        """The broker as an address, without secrets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def broker_at(url: str, tls: Tls | None = None, username: str = "", password: str = "") -> Broker:
    """Return the broker at ``mqtt://HOST[:PORT]`` or, with TLS, at ``mqtts://HOST[:PORT]``.

    Raises:
        SettingsError: It is no such address.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(f"broker {url!r}: {error}; use mqtt://HOST:PORT") from error
    is_address = parts.scheme in _PORT and not parts.path.strip("/") and not parts.query
    if not is_address or not host or not can_be_asked_for(host):
        raise SettingsError(f"broker {url!r} is no address: use mqtt://HOST:PORT or mqtts://…")
    if parts.username or parts.password:
        raise SettingsError("broker address holds a user or password: give them as settings")
    if parts.scheme == "mqtt" and tls is not None:
        raise SettingsError(f"broker {url!r} has TLS files but no TLS: write mqtts://")
    secured = (tls or Tls()) if parts.scheme == "mqtts" else None
    return Broker(host, port or _PORT[parts.scheme], secured, username, password)


def read_broker(table: Table, folder: Path) -> Broker:
    """Return the broker of a ``[broker]`` table; files named in it are sought in ``folder``.

    Raises:
        SettingsError: A key is wrong or a file is away.
    """
    files = [table.text_or_none(key) for key in ("ca_file", "certificate_file", "key_file")]
    places = [None if file is None else place_of(file, folder) for file in files]
    tls = Tls(*places) if any(files) else None
    username = table.text("username", "")
    password = read_secret(table, "password_file", folder) if username else ""
    try:
        broker = broker_at(table.text("url"), tls, username, password)
    except SettingsError as error:
        raise SettingsError(f"{table.place}url: {error}") from error
    table.refuse_the_rest()
    if broker.tls is not None:
        broker.tls.context()
    return broker
