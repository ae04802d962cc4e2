"""Finding the devices of a home: by the names they call out, and by knocking politely.

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

from gateway.commission.found import Found, Kind
from gateway.modbus.link import LinkSettings, ModbusLink, ModbusUnit, NoConnectionError
from gateway.modbus.unit_search import UNITS
from gateway.steer.steering import find_steering
from hardware.profile import Profile, load_profile
from hardware.profile_reader import ProfileReader, profiles_that_fit
from hardware.sunspec import Chain, find_chain, read_model
from kwartier.errors import KwartierError, TemporaryError

_log = logging.getLogger(__name__)

PORTS = (502, 1502)
"""Modbus TCP's own, and the one that SolarEdge takes."""
_MDNS = ("_modbus._tcp.local.", "_mbus._tcp.local.", "_fronius-se-inverter._tcp.local.")
_MDNS_S = 3.0
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
        info = zeroconf.get_service_info(service_type, name, 1000)
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
    found_places: Sequence[Place], tell: Callable[[int, int], None] = lambda _done, _all: None
) -> list[Found]:
    """Return the devices that answer, one connection at a time.

    Args:
        found_places: Where to ask.
        tell: Is told how many places were asked, of how many.
    """
    devices: list[Found] = []
    for done, (host, port) in enumerate(found_places):
        tell(done, len(found_places))
        devices.extend(_at(host, port))
        if len(devices) >= MOST_DEVICES:
            break
    tell(len(found_places), len(found_places))
    return _named(devices[:MOST_DEVICES])


def _opens(place: Place) -> bool:
    try:
        with socket.create_connection(place, _KNOCK_S):
            return True
    except OSError:
        return False


def _at(host: str, port: int) -> list[Found]:
    link = ModbusLink(LinkSettings(host, port, timeout_s=_ASK_S, retries=0))
    found: list[Found] = []
    try:
        for unit_id in UNITS:
            try:
                one = _asked(link.unit(unit_id), host, port, unit_id)
            except NoConnectionError:
                break
            except TemporaryError:
                continue
            if one is None or any(_same(one, other) for other in found):
                continue
            found.append(one)
            if one.profile:
                break  # most that need a profile answer to every unit id
    finally:
        link.close()
    return found


def _asked(unit: ModbusUnit, host: str, port: int, unit_id: int) -> Found | None:
    chain = find_chain(unit)
    if chain is not None:
        return _by_sunspec(unit, chain, host, port, unit_id)
    fitting = profiles_that_fit(unit)
    if not fitting:
        return None
    return _by_profile(unit, load_profile(fitting[0]), host, port, unit_id)


def _by_sunspec(unit: ModbusUnit, chain: Chain, host: str, port: int, unit_id: int) -> Found:
    common = chain.first(1)
    points = {} if common is None else read_model(unit, common).points
    charge_max_w = discharge_max_w = 0
    if chain.first(704, 124) is not None and chain.first(713, 802, 803, 124) is not None:
        kind, series = Kind.BATTERY, "battery_w"
        steering = find_steering(unit, chain)
        try:
            ratings = None if steering is None else steering.ratings()
        except KwartierError:
            ratings = None
        if ratings is not None:
            charge_max_w = ratings.charge_max_w or 0
            discharge_max_w = ratings.discharge_max_w or 0
    elif chain.first(101, 102, 103, 111, 112, 113, 701) is not None:
        kind, series = Kind.SOLAR, "solar_w"
    elif chain.first(201, 202, 203, 204, 211, 212, 213, 214) is not None:
        kind, series = Kind.METER, ""
    else:
        kind, series = Kind.OTHER, ""
    return Found(
        "",
        kind,
        host,
        port,
        unit_id,
        _text(points.get("Mn")),
        _text(points.get("Md")),
        _text(points.get("SN"))[-4:],
        series=series,
        charge_max_w=charge_max_w,
        discharge_max_w=discharge_max_w,
    )


def _by_profile(unit: ModbusUnit, profile: Profile, host: str, port: int, unit_id: int) -> Found:
    values = ProfileReader(profile, unit).read()
    stored = {rule.series for rule in profile.series}
    if "solar_w" in stored:
        kind, series = Kind.SOLAR, "solar_w"
    elif "battery_w" in stored:
        kind, series = Kind.BATTERY, "battery_w"
    else:
        kind, series = Kind.OTHER, ""
    return Found(
        "",
        kind,
        host,
        port,
        unit_id,
        profile.title,
        _text(values.get("model")),
        _text(values.get("serial"))[-4:],
        profile.name,
        profile.status.value,
        profile.requires,
        series,
    )


def _text(value: object) -> str:
    return value.strip()[:60] if isinstance(value, str) else ""


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
