"""One row of a price file, before anybody has understood it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kwartier.errors import InputError
from kwartier.printable import columns_shown

STAMP = "utc"
PER_MWH = "eur_per_mwh"
PER_KWH = "eur_per_kwh"
KNOWN_AS = {"datum_utc": STAMP, "prijs_excl_belastingen": PER_KWH}
"""Columns of the yearly files of jeroen.nl, and what they are here."""
MAX_ROWS = 1_000_000
"""More than 28 years of quarters is no price file."""


class PriceFileError(InputError):
    """A price file cannot be read; the message names the place, the value and the remedy."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a price file.

    Attributes:
        place: File and line, for whoever has to mend it.
        stamp: The start of the row, as it stands there.
        price: The price, as it stands there; empty when it is missing.
        per_kwh: Whether it is in EUR/kWh; else in EUR/MWh.
    """

    place: str
    stamp: str
    price: str
    per_kwh: bool


def price_column(file: object, names: Sequence[str]) -> str:
    """Return which of a file's columns holds the price, or refuse the file."""
    prices = [name for name in names if name in {PER_MWH, PER_KWH}]
    if names.count(STAMP) != 1 or len(prices) != 1:
        raise PriceFileError(
            f"{file}: has the columns {columns_shown(names)}: it needs '{STAMP}' and one of "
            f"'{PER_MWH}' and '{PER_KWH}', separated by commas"
        )
    return prices[0]
