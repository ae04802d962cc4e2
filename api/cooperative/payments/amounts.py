"""Euros as banks and tax offices write them, and whole cents."""

from __future__ import annotations

import re

from api.cooperative.errors import BooksError

_EUROS = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,5}))?", re.ASCII)


def cents_of(text: str) -> int:
    """Return the cents of an amount such as ``12.5``, without passing through a float.

    Raises:
        BooksError: It is no amount, is below zero, or has parts of a cent.
    """
    match = _EUROS.fullmatch(text.strip())
    if match is None:
        raise BooksError(f"amount {text[:40]!r} is no number of euros such as 12.50")
    whole, decimals = match.group(1), (match.group(2) or "").ljust(2, "0")
    if decimals[2:].strip("0"):
        raise BooksError(f"amount {text[:40]!r} has parts of a cent")
    return int(whole) * 100 + int(decimals[:2])


def euros(cents: int) -> str:
    """Return cents as euros with two decimals, such as ``-12.50``."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole}.{rest:02d}"
