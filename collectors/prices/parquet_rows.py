"""The rows of a price file that is Parquet; pyarrow comes with the ``serve`` extra."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from collectors.prices.rows import MAX_ROWS, PER_KWH, STAMP, PriceFileError, Row, price_column
from kwartier.errors import MissingExtraError

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped] # pyarrow ships no types

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parquet_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a Parquet file; stamps are instants or text.

    Raises:
        PriceFileError: The file cannot be read or a column has another type.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types
    except ModuleNotFoundError as error:
        raise MissingExtraError("replay", "serve", "pyarrow") from error
    try:
        with pq.ParquetFile(path) as file:
            priced = price_column(path, file.schema_arrow.names)
            if file.metadata.num_rows > MAX_ROWS:
                raise PriceFileError(f"{path}: more than {MAX_ROWS} rows: is this a price file?")
            table = file.read(columns=[STAMP, priced])
        stamps, prices = _stamps(table.column(STAMP)), _texts(table.column(priced))
    except (pa.ArrowException, OSError, OverflowError) as error:
        raise PriceFileError(f"{path}: is no Parquet that can be read: {error}") from error
    for number, (stamp, price) in enumerate(zip(stamps, prices, strict=True), start=1):
        yield Row(f"{path} row {number}", stamp, price, priced == PER_KWH)


def _stamps(column: pa.ChunkedArray) -> list[str]:
    """Return stamps as text; a column without zone is UTC, as its name says."""
    import pyarrow as pa

    if not pa.types.is_timestamp(column.type):
        return _texts(column)
    micros = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64()).to_pylist()
    return [
        "" if at is None else (_EPOCH + timedelta(microseconds=at)).isoformat() for at in micros
    ]


def _texts(column: pa.ChunkedArray) -> list[str]:
    """Return values as text: the shortest that reads back the same, so no digit is invented."""
    import pyarrow as pa

    return ["" if text is None else text for text in column.cast(pa.string()).to_pylist()]
