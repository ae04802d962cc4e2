"""Whole watt-hours, whole watts and exact text: the only way a quantity enters the house."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TypeAlias

from kwartier.errors import ContractError

Wh: TypeAlias = int
"""Energy [Wh], a whole number."""
Watt: TypeAlias = int
"""Power [W], a whole number; its sign is stated where it is used."""
EpochS: TypeAlias = int
"""An instant [s since 1970-01-01T00:00Z], leap seconds not counted."""

_KWH_TEXT = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?", re.ASCII)


def wh_from_kwh(text: str) -> Wh:
    """Return the whole watt-hours of a kWh text with at most three decimals.

    Raises:
        ContractError: The text is negative, has more than three decimals, or is no number.

    Source:
        Convention C1 of docs/settlement.md.
    """
    match = _KWH_TEXT.fullmatch(text)
    if match is None:
        raise ContractError(
            f"energy {text[:40]!r} is not kWh with at most three decimals, such as '0.250'"
        )
    whole, decimals = match.groups()
    return int(whole) * 1000 + int((decimals or "").ljust(3, "0"))


def kwh_text(energy_wh: Wh) -> str:
    """Return watt-hours as kWh with three decimals, such as ``'0.250'``."""
    sign = "-" if energy_wh < 0 else ""
    whole, rest = divmod(abs(energy_wh), 1000)
    return f"{sign}{whole}.{rest:03d}"


def kwh(energy_wh: Wh) -> Decimal:
    """Return watt-hours as an exact kWh number."""
    return Decimal(energy_wh).scaleb(-3)
