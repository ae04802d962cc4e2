"""HomeWizard P1 meters that call out their name in the home's network: nobody types an address.

Source:
    HomeWizard Energy API documentation, "Discovery": ``_hwenergy._tcp`` for the API that is
    switched on in the app, ``_homewizard._tcp`` for the one with a key of its own; both tell
    ``product_type`` in their TXT record, ``HWE-P1`` for a P1 meter.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import threading
from collections.abc import Mapping, Sequence

from zeroconf import NonUniqueNameException, ServiceBrowser, ServiceStateChange, Zeroconf

from gateway.p1.homewizard import SCHEME

_log = logging.getLogger(__name__)

PLAIN, KEYED = "_hwenergy._tcp.local.", "_homewizard._tcp.local."
_P1 = "HWE-P1"
_WAIT_MS = 1000
_MOST = 8
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}\.local", re.ASCII)


def address_of(
    service: str,
    addresses: Sequence[str],
    port: int,
    properties: Mapping[bytes, bytes | None],
    name: str = "",
) -> str:
    """Return how a meter is written in the settings; empty for what is no meter near by.

    By the name of its own that it calls out, for a router may give it another address one day; by
    its address where it has none.

    One that calls out the API with a key only is read at the plain one's port, so that somebody
    is told to switch that on.
    """
    product = (properties.get(b"product_type") or b"").decode("ascii", "replace")
    near = [one for one in addresses if _is_near(one)]
    if not near or not product.startswith(_P1):
        return ""
    plain_port = port if service == PLAIN else 80
    own = name.rstrip(".")
    host = own if _NAME.fullmatch(own) else near[0]
    return f"{SCHEME}{host}" + ("" if plain_port == 80 else f":{plain_port}")


class HomeWizardsSeen:
    """Listens to the names until it is closed."""

    def __init__(self, interfaces: Sequence[str] | None = None) -> None:
        """Listen on the networks of this machine, or on ``interfaces``."""
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._zeroconf: Zeroconf | None = None
        try:
            zeroconf = Zeroconf() if interfaces is None else Zeroconf(interfaces=list(interfaces))
        except (OSError, NonUniqueNameException) as error:
            _log.info("no HomeWizard can be heard: %s", error)
            return
        self._zeroconf = zeroconf
        ServiceBrowser(zeroconf, [PLAIN, KEYED], handlers=[self._heard])

    def addresses(self) -> list[str]:
        """Return the meters that were heard, as settings write them."""
        with self._lock:
            return sorted(set(self._found.values()))

    def close(self) -> None:
        """Listen no more."""
        if self._zeroconf is not None:
            self._zeroconf.close()

    def _heard(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            with self._lock:
                self._found.pop(name, None)
            return
        info = zeroconf.get_service_info(service_type, name, _WAIT_MS)
        if info is None or info.port is None:
            return
        address = address_of(
            service_type, info.parsed_addresses(), info.port, info.properties, info.server or ""
        )
        with self._lock:
            if address and (name in self._found or len(self._found) < _MOST):
                self._found[name] = address


def _is_near(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    return ip.version == 4 and ip.is_private
