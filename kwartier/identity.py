"""Who and what is meant: connections, gateways, devices, and names short enough for a log."""

from __future__ import annotations

import hashlib
import re
from typing import TypeAlias

from kwartier.errors import ContractError

GatewayId: TypeAlias = str
"""A gateway's name: 1 to 32 of a-z, 0-9 and '-', as it stands in topics."""
DeviceId: TypeAlias = str
"""A device's name on its gateway: 1 to 32 of a-z, 0-9 and '-'."""
CoopId: TypeAlias = str
"""A cooperative's name: 1 to 32 of a-z, 0-9 and '-'."""
MeterId: TypeAlias = str
"""A meter's own equipment id as it sends it; empty when it sends none. Personal data."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_EAN18 = re.compile(r"[0-9]{18}", re.ASCII)


def checked_name(text: str, what: str = "name") -> str:
    """Return a gateway, device or cooperative name, or refuse it."""
    if _NAME.fullmatch(text) is None:
        raise ContractError(
            f"{what} {text[:60]!r}: use 1 to 32 of a-z, 0-9 and '-', "
            "starting with a letter or digit"
        )
    return text


def checked_ean(text: str) -> str:
    """Return an EAN-18 whose check digit is right, or refuse it.

    Source:
        GS1 General Specifications, section 7.9: weights 3 and 1 from the right.
    """
    if _EAN18.fullmatch(text) is None:
        raise ContractError(f"EAN of {len(text)} characters: it must be 18 digits")
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(text[:17]))
    if (10 - total % 10) % 10 != int(text[17]):
        raise ContractError("EAN whose check digit is wrong: compare it with the bill")
    return text


def short_id(text: str) -> str:
    """Return eight letters that stand for a personal id in a log line."""
    return hashlib.blake2s(text.encode(), digest_size=4).hexdigest()
