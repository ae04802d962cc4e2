"""Where a device is that calls out its name in the home's network, ``NAME.local``.

A router may give a device another address after each power cut, so that settings hold the name.
It is asked for by multicast DNS, without a part of the operating system that may be missing, and
only when somebody wants to connect: the answer holds until a connection failed.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import Sequence

from kwartier.errors import LinkDownError

_log = logging.getLogger(__name__)

ENDING = ".local"
_WAIT_MS = 2_000


def is_near_name(host: str) -> bool:
    """Return whether a host is a name that a device calls out by itself."""
    return host.lower().rstrip(".").endswith(ENDING)


class NearName:
    """One host; usable from several threads."""

    def __init__(
        self, host: str, interfaces: Sequence[str] | None = None, *, wait_ms: int = _WAIT_MS
    ) -> None:
        """Ask for nothing yet.

        Args:
            host: An address, a name of the wide network, or ``NAME.local``.
            interfaces: Where to ask for the last; None for all networks of this machine.
            wait_ms: How long to wait for an answer [ms].
        """
        self._host = host
        self._interfaces = interfaces
        self._wait_ms = wait_ms
        self._lock = threading.Lock()
        self._at = ""

    def address(self) -> str:
        """Return where it is; a host that calls out no name is returned as it is.

        Raises:
            LinkDownError: Nobody answers to the name now.
        """
        if not is_near_name(self._host):
            return self._host
        with self._lock:
            if not self._at:
                self._at = self._asked()
                _log.info("%s is at %s", self._host, self._at)
            return self._at

    def lost(self) -> None:
        """Ask anew next time: nobody, or another, was there."""
        with self._lock:
            self._at = ""

    def _asked(self) -> str:
        from zeroconf import (  # type: ignore[attr-defined]  # one is not in its list
            AddressResolverIPv4,
            Error,
            IPVersion,
            Zeroconf,
        )

        interfaces = self._interfaces
        try:
            zeroconf = Zeroconf() if interfaces is None else Zeroconf(interfaces=list(interfaces))
        except (OSError, Error) as error:
            raise LinkDownError(f"{self._host}: no network to ask for it: {error}") from error
        try:
            resolver = AddressResolverIPv4(f"{self._host.rstrip('.')}.")
            resolver.request(zeroconf, self._wait_ms)
            found = [str(one) for one in resolver.ip_addresses_by_version(IPVersion.V4Only)]
        except Error as error:  # it was too busy to begin: no reason to end the meter's thread
            raise LinkDownError(f"{self._host}: could not be asked for: {error}") from error
        finally:
            zeroconf.close()
        near = [one for one in found if ipaddress.ip_address(one).is_private]
        if not near:
            raise LinkDownError(
                f"{self._host}: nobody in the home's network answers to this name: is it powered?"
            )
        return near[0]
