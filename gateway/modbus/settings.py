"""Where Modbus devices are, and who else may read them, as written in gateway.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from gateway.modbus.line import (
    BAUDS,
    PARITIES,
    SHORTEST_TIMEOUT_S,
    LinkSettings,
    SerialLine,
)
from hardware.profile import Profile, load_profile
from kwartier.errors import InputError, SettingsError
from kwartier.host_port import host_and_port
from kwartier.identity import DeviceId
from kwartier.settings import Table

Network: TypeAlias = IPv4Network | IPv6Network

_LOOPBACK = "127.0.0.0/8 ::1/128"


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """A door through which the resident's own programs read devices.

    Attributes:
        host: The address it listens on.
        port: Its port.
        allow: Networks that may come in; all of them private.
        link: The line that is read.
        units: The unit ids that may be read; the ones the gateway knows there.
        per_second: Requests each client may make a second.
    """

    host: str
    port: int
    allow: tuple[Network, ...]
    link: LinkSettings
    units: frozenset[int]
    per_second: int


def read_link(row: Table, profile: Profile | None = None) -> LinkSettings:
    """Return where a device is; a profile's pauses hold where the row gives none.

    Raises:
        SettingsError: A key is wrong; it is named.
    """
    usual = LinkSettings("")
    serial = _serial(row)
    link = LinkSettings(
        "" if serial is not None else row.text("host"),
        row.whole("port", usual.port, low=1, high=65_535),
        timeout_s=row.number("timeout_s", usual.timeout_s, high=60.0),
        connect_wait_s=row.number(
            "connect_wait_s", profile.connect_wait_s if profile else 0.0, high=60.0
        ),
        gap_s=row.number("gap_s", profile.gap_s if profile else 0.0, high=10.0),
        serial=serial,
    )
    if link.timeout_s < SHORTEST_TIMEOUT_S:
        raise SettingsError(
            f"{row.place}timeout_s is {link.timeout_s:g}: give it at least {SHORTEST_TIMEOUT_S:g}"
        )
    if serial is not None and "host" in row.values:
        raise SettingsError(f"{row.place}host and serial both stand there: leave one out")
    return link


def profile_named(name: str | None, place: str) -> Profile | None:
    """Return the profile that a device is read by; None for SunSpec, which has no name.

    Raises:
        SettingsError: There is none of that name; the message begins with ``place``.
    """
    try:
        return None if name is None else load_profile(name)
    except InputError as error:
        raise SettingsError(f"{place}profile: {error}") from error


def read_proxy(
    top: Table, known: Mapping[DeviceId, tuple[LinkSettings, int]]
) -> ProxySettings | None:
    """Return the proxy of ``[modbus_proxy]``; None where there is none.

    Args:
        top: The whole file.
        known: Where each Modbus device is, and its unit id.

    Raises:
        SettingsError: A key is wrong, or no line can be told; the key is named.
    """
    if "modbus_proxy" not in top.values:
        return None
    row = top.table("modbus_proxy")
    host, port = _listen(row)
    link = _fronted(row, known)
    allow = _networks(row)
    per_second = row.whole("per_second", 20, low=1, high=1000)
    row.refuse_the_rest()
    units = frozenset(unit for its, unit in known.values() if its.where == link.where)
    return ProxySettings(host, port, allow, link, units, per_second)


def _serial(row: Table) -> SerialLine | None:
    path = row.text_or_none("serial")
    if path is None:
        return None
    baud = row.whole("baud", 9600)
    parity = row.text("parity", "N")
    stop_bits = row.whole("stop_bits", 1, low=1, high=2)
    if baud not in BAUDS:
        raise SettingsError(f"{row.place}baud is {baud}: use one of {', '.join(map(str, BAUDS))}")
    if parity not in PARITIES:
        raise SettingsError(f"{row.place}parity is {parity!r}: use N, E or O")
    if not path.startswith("/"):
        raise SettingsError(f"{row.place}serial is {path!r}: write a path such as /dev/ttyUSB0")
    return SerialLine(path, baud, parity, stop_bits)


def _listen(row: Table) -> tuple[str, int]:
    written = row.text("listen", "127.0.0.1:1502")
    where = host_and_port(written)
    if where is None or not _is_address(where[0]):
        raise SettingsError(
            f"{row.place}listen is {written!r}: write an address and a port as 192.168.1.5:1502"
        )
    return where


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _networks(row: Table) -> tuple[Network, ...]:
    written = row.text("allow", _LOOPBACK)
    try:
        networks = tuple(ip_network(part) for part in written.split())
    except ValueError as error:
        raise SettingsError(
            f'{row.place}allow: {error}: write networks as "192.168.1.0/24 127.0.0.0/8"'
        ) from error
    for network in networks:
        if not (network.is_private or network.is_loopback) or network.prefixlen == 0:
            raise SettingsError(
                f"{row.place}allow: {network} is not a private network: name only ones of the home"
            )
    return networks


def _fronted(row: Table, known: Mapping[DeviceId, tuple[LinkSettings, int]]) -> LinkSettings:
    name = row.name_or_none("device")
    places = {link.where: link for link, _ in known.values()}
    if name is None and len(places) == 1:
        return next(iter(places.values()))
    if name is None or name not in known:
        names = ", ".join(sorted(known)) or "none"
        raise SettingsError(f"{row.place}device: name the one that is read: {names}")
    return known[name][0]
