"""Day-ahead prices from a file: CSV, CSV.gz or Parquet with ``utc`` and one price column.

The price column is ``eur_per_mwh`` or ``eur_per_kwh``; other columns are left alone. A row is
stamped at its start, on the quarter-hour; a file whose every stamp is a whole hour is hourly, and
each of its prices holds for four quarters. An empty price is a missing one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from collectors.answers import NothingToldError
from collectors.prices.csv_rows import csv_rows
from collectors.prices.model import (
    HOUR_S,
    TIMES_S,
    PriceDay,
    PriceQuarter,
    PriceSeries,
    checked_price,
    hour_of,
)
from collectors.prices.parquet_rows import parquet_rows
from collectors.prices.price_text import mwh_from_kwh, price_of
from collectors.prices.rows import PriceFileError, Row
from kwartier.errors import ContractError
from kwartier.interval import HOME_ZONE, QUARTER_S, Quarter, Zone, instant_text
from kwartier.units import EpochS

_PARQUET = b"PAR1"


def read_prices(path: Path) -> PriceSeries:
    """Return the prices of a file.

    Raises:
        PriceFileError: It cannot be read or a row is wrong; names file, line, value and remedy.
        MissingExtraError: It is Parquet, and pyarrow is not installed.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_PARQUET))
    except OSError as error:
        raise PriceFileError(f"{path}: cannot be read: {error.strerror}") from error
    rows = parquet_rows(path) if start == _PARQUET else csv_rows(path)
    return _series(path, rows)


class FilePrices:
    """A source of prices that were read from a file once."""

    name = "file"

    def __init__(self, path: Path, zone: Zone = HOME_ZONE) -> None:
        """Read the file whole."""
        self._path = path
        self._zone = zone
        self.series = read_prices(path)

    def close(self) -> None:
        """Do nothing: the file was read whole."""

    def day(self, day: date) -> PriceDay:
        """Return the prices of a local day; quarters that are not in the file are missing.

        Raises:
            NothingToldError: The file has none for that day.
        """
        told = self.series.day(day, self._zone)
        if len(told.missing) == len(told.quarters):
            raise NothingToldError(f"{self._path}: has no prices for {day}")
        return told


@dataclass(frozen=True, slots=True)
class _Priced:
    """A row that was understood."""

    place: str
    start_s: EpochS
    eur_per_mwh: Decimal


def _series(path: Path, rows: Iterable[Row]) -> PriceSeries:
    first: dict[EpochS, str] = {}
    priced: list[_Priced] = []
    for row in rows:
        start_s = _start_s(row)
        before = first.setdefault(start_s, row.place)
        if before != row.place:
            raise PriceFileError(
                f"{row.place}: {row.stamp!r} was given before, in {before}: keep one of the two"
            )
        if row.price.strip():
            priced.append(_Priced(row.place, start_s, _eur_per_mwh(row)))
    if not priced:
        raise PriceFileError(f"{path}: holds no price: give one row a quarter-hour")
    if _hourly(path, sorted(first)):
        return PriceSeries.of(
            quarter for one in priced for quarter in hour_of(one.start_s, one.eur_per_mwh)
        )
    return PriceSeries.of(PriceQuarter(Quarter(one.start_s), one.eur_per_mwh) for one in priced)


def _start_s(row: Row) -> EpochS:
    """Return the start of a row; a stamp without offset is UTC, as its column says."""
    try:
        stamp = datetime.fromisoformat(row.stamp.strip())
        aware = stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)
        at_s = aware.timestamp()
    except (ValueError, OverflowError) as error:
        raise PriceFileError(
            f"{row.place}: {row.stamp[:60]!r} is no instant: write it as '2026-07-01T09:45:00Z'"
        ) from error
    if int(at_s) not in TIMES_S:
        raise PriceFileError(f"{row.place}: {row.stamp!r} is no year of prices: check the stamp")
    if at_s % QUARTER_S:
        raise PriceFileError(
            f"{row.place}: {row.stamp!r} is not the start of a quarter-hour: "
            "use minute 00, 15, 30 or 45"
        )
    return int(at_s)


def _eur_per_mwh(row: Row) -> Decimal:
    try:
        price = price_of(row.price.strip())
        return checked_price(mwh_from_kwh(price) if row.per_kwh else price)
    except ContractError as error:
        raise PriceFileError(f"{row.place}: {error}") from error


def _hourly(path: Path, starts_s: list[EpochS]) -> bool:
    """Return whether every stamp is a whole hour; half-hours are refused, not guessed at.

    One stamp alone is one quarter: nothing tells that it should hold for an hour.
    """
    if len(starts_s) > 1 and all(start_s % 1800 == 0 for start_s in starts_s):
        odd = [start_s for start_s in starts_s if start_s % HOUR_S]
        if odd:
            raise PriceFileError(
                f"{path}: its stamps are half-hours, such as {instant_text(odd[0])}: "
                "give one row a quarter-hour or one an hour"
            )
        return True
    return False
