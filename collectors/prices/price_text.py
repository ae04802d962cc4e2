"""A price as text: exact, and nothing that a number is not."""

from __future__ import annotations

import re
from decimal import Context, Decimal

from kwartier.errors import ContractError

_PRICE_TEXT = re.compile(
    r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?", re.ASCII
)

_EXACT = Context(prec=60)
"""More digits than a price text may have, so that moving the point rounds nothing."""


def price_of(text: str) -> Decimal:
    """Return the exact number of a price text, such as ``'-12.34'``.

    Raises:
        ContractError: It is no plain number; a comma, a currency sign or ``nan`` is none.
    """
    if _PRICE_TEXT.fullmatch(text) is None:
        raise ContractError(f"price {text[:40]!r} is no number: write it as '-12.34'")
    return Decimal(text)


def mwh_from_kwh(eur_per_kwh: Decimal) -> Decimal:
    """Return a price per kWh as a price per MWh, exactly."""
    return eur_per_kwh.scaleb(3, _EXACT)
