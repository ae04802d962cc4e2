"""Finding the devices of a home: by the names they call out, by knocking, and on serial lines.

Only private networks are looked at, one address block of 256 at most per network. A door is
knocked on once; who opens is asked over one connection at a time, read-only.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from gateway.commission.asked import by_profile, by_sunspec
from gateway.commission.found import Found, Kind
from gateway.commission.serial_lines import SERIAL_UNITS, ways_on
from gateway.modbus.link import LinkSettings, ModbusLink, ModbusUnit, NoConnectionError
from gateway.modbus.unit_search import UNITS
from hardware.profile import load_profile
from hardware.profile_reader import profiles_that_fit
from hardware.sunspec import find_chain
from kwartier.errors import TemporaryError

_log = logging.getLogger(__name__)

PORTS = (502, 1502)
"""Modbus TCP's own, and the one that SolarEdge takes."""
_MDNS = ("_modbus._tcp.local.", "_mbus._tcp.local.", "_fronius-se-inverter._tcp.local.")
_MDNS_S = 3.0
_MDNS_WAIT_MS = 1000
_KNOCK_S = 0.4
_AT_ONCE = 16
_MOST_NETWORKS = 3
_ASK_S = 1.0
MOST_DEVICES = 16

Place = tuple[str, int]
"""A host and a port."""


def places(ports: Sequence[int] = PORTS) -> list[Place]:
    """Return where somebody opens in the networks of this machine."""
    called = mdns_places()
    knocked = open_places(addresses_beside(own_networks()), ports)
    return list(dict.fromkeys((*called, *knocked)))


def own_networks() -> list[ipaddress.IPv4Interface]:
    """Return this machine's private networks."""
    import ifaddr

    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, str):
                one = ipaddress.IPv4Interface(f"{ip.ip}/{max(ip.network_prefix, 24)}")
                if one.ip.is_private and not one.ip.is_loopback and not one.ip.is_link_local:
                    found.append(one)
    return found[:_MOST_NETWORKS]


def addresses_beside(networks: Iterable[ipaddress.IPv4Interface]) -> Iterator[str]:
    """Yield the other addresses of networks, 254 each at most."""
    for one in networks:
        for address in one.network.hosts():
            if address != one.ip:
                yield str(address)


def open_places(addresses: Iterable[str], ports: Sequence[int]) -> list[Place]:
    """Return where a connection is taken; it is closed at once."""
    asked = [(address, port) for address in addresses for port in ports]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="knock") as pool:
        answers = pool.map(_opens, asked)
    return [place for place, opens in zip(asked, answers, strict=True) if opens]


def mdns_places(seconds: float = _MDNS_S) -> list[Place]:
    """Return who calls out a Modbus service in the local network."""
    from zeroconf import NonUniqueNameException, ServiceBrowser, ServiceStateChange, Zeroconf

    found: list[Place] = []
    lock = threading.Lock()

    def heard(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is not ServiceStateChange.Added:
            return
        info = zeroconf.get_service_info(service_type, name, _MDNS_WAIT_MS)
        if info is None or info.port is None:
            return
        with lock:
            found.extend(
                (address, info.port)
                for address in info.parsed_addresses()[:2]
                if ipaddress.ip_address(address).is_private
            )

    try:
        zeroconf = Zeroconf()
    except (OSError, NonUniqueNameException) as error:
        _log.info("nobody can be heard by mDNS: %s", error)
        return []
    try:
        ServiceBrowser(zeroconf, list(_MDNS), handlers=[heard])
        time.sleep(seconds)
    finally:
        zeroconf.close()
    return found


def identify(
    found_places: Sequence[Place],
    tell: Callable[[int, int], None] = lambda _done, _all: None,
    lines: Sequence[str] = (),
) -> list[Found]:
    """Return the devices that answer, one connection at a time.

    Args:
        found_places: Where to ask.
        tell: Is told how many places were asked, of how many.
        lines: Serial lines to ask too.
    """
    asked: list[tuple[LinkSettings, Sequence[int]]] = [
        (LinkSettings(host, port, timeout_s=_ASK_S, retries=0), UNITS)
        for host, port in found_places
    ]
    asked += [(settings, SERIAL_UNITS) for path in lines for settings in ways_on(path)]
    devices: list[Found] = []
    heard: set[str] = set()
    for done, (settings, units) in enumerate(asked):
        tell(done, len(asked))
        if settings.where in heard:
            continue  # a line that answered one way is not asked the other way
        found = units_on(settings, units)
        if found and settings.serial is not None:
            heard.add(settings.where)
        devices.extend(found)
        if len(devices) >= MOST_DEVICES:
            break
    tell(len(asked), len(asked))
    return _named(devices[:MOST_DEVICES])


def _opens(place: Place) -> bool:
    try:
        with socket.create_connection(place, _KNOCK_S):
            return True
    except OSError:
        return False


def units_on(settings: LinkSettings, units: Sequence[int]) -> list[Found]:
    """Return the devices behind one link, each once; nothing is written to them."""
    link = ModbusLink(settings)
    found: list[Found] = []
    try:
        for unit_id in units:
            try:
                one = _asked(link.unit(unit_id))
            except NoConnectionError:
                break
            except TemporaryError:
                continue
            if one is None or any(_same(one, other) for other in found):
                continue
            found.append(_placed(one, settings, unit_id))
            if one.profile and settings.serial is None:
                break  # most that need a profile answer to every unit id
    finally:
        link.close()
    return found


def _placed(one: Found, settings: LinkSettings, unit_id: int) -> Found:
    """Return a device with where it is."""
    if settings.serial is None:
        return replace(one, host=settings.host, port=settings.port, unit=unit_id)
    line = settings.serial
    return replace(one, host="", unit=unit_id, serial=line.path, parity=line.parity)


def _asked(unit: ModbusUnit) -> Found | None:
    chain = find_chain(unit)
    if chain is not None:
        return by_sunspec(unit, chain)
    fitting = profiles_that_fit(unit)
    return by_profile(unit, load_profile(fitting[0])) if fitting else None


def _same(one: Found, other: Found) -> bool:
    """Return whether two units are one device: some answer to every unit id."""
    return (one.make, one.model, one.serial4, one.kind) == (
        other.make,
        other.model,
        other.serial4,
        other.kind,
    )


def _named(devices: list[Found]) -> list[Found]:
    """Give each a name of its own on this gateway."""
    words = {
        Kind.SOLAR: "inverter",
        Kind.BATTERY: "battery",
        Kind.METER: "meter",
        Kind.OTHER: "device",
    }
    seen: dict[Kind, int] = {}
    named = []
    for device in devices:
        seen[device.kind] = seen.get(device.kind, 0) + 1
        count = seen[device.kind]
        named.append(replace(device, name=words[device.kind] + ("" if count == 1 else f"-{count}")))
    return named
