"""How people reach the server: its address, and whom they call."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

LOCAL_URL = "http://127.0.0.1:8000"
"""Where pages are served unless another address is set."""


@dataclass(frozen=True, slots=True)
class HelpLine:
    """Whom people call.

    Attributes:
        phone: The number; empty without one.
        hours: When somebody answers, in words; empty when nobody said.
    """

    phone: str = ""
    hours: str = ""


def is_loopback(host: str) -> bool:
    """Return whether a host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
