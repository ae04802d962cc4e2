"""The door to pyarrow for month files: written series by series, read back one series at a time.

Each row group holds one series of one meter, in order of time, so that a question reads only its
own. Numbers are differences in as few bits as they need, then zstd; pages carry checksums.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO

from kwartier.errors import KwartierError, MissingExtraError
from kwartier.identity import DeviceId, GatewayId, MeterId
from kwartier.units import EpochS

if TYPE_CHECKING:
    import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types

_NAMES = ("gateway", "device", "meter", "series")
_NUMBERS = ("at_s", "value")
_WRAP = 2**64


class MonthDamagedError(KwartierError):
    """A month file is damaged, or is not what it should be; trying again does not help."""

    def __init__(
        self, name: str, what: str, do: str = "put the file of a backup in its place"
    ) -> None:
        """Keep which file."""
        super().__init__(f"{name}: {what}: {do}")
        self.name = name


@dataclass(frozen=True, slots=True, order=True)
class Strand:
    """One series of one meter."""

    gateway: GatewayId
    device: DeviceId
    meter: MeterId
    name: str


@dataclass(frozen=True, slots=True)
class Total:
    """What a series adds up to, modulo 2**64: two that are equal hold the same.

    Attributes:
        points: How many.
        at_s: The sum of their instants [s].
        value: The sum of their values.
    """

    points: int = 0
    at_s: int = 0
    value: int = 0

    def plus(self, other: Total) -> Total:
        """Return the total of both."""
        return Total(
            self.points + other.points,
            (self.at_s + other.at_s) % _WRAP,
            (self.value + other.value) % _WRAP,
        )


class PartWriter:
    """Writes one file, and adds up what it was given."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin a file; whoever opened it closes it.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        pa, pq = _pyarrow()
        self._pa = pa
        text = pa.dictionary(pa.int8(), pa.string())
        self._schema = pa.schema(
            [(name, text) for name in _NAMES] + [(name, pa.int64()) for name in _NUMBERS]
        )
        self._writer = pq.ParquetWriter(
            file,
            self._schema,
            compression="zstd",
            use_dictionary=list(_NAMES),
            column_encoding=dict.fromkeys(_NUMBERS, "DELTA_BINARY_PACKED"),
            write_page_checksum=True,
        )
        self.totals: dict[Strand, Total] = {}

    def add(self, strand: Strand, at_s: array[int], values: array[int]) -> None:
        """Append a part of a series, in order of time; both are 64 bits wide, shape ``(N,)``."""
        pa = self._pa
        count = len(at_s)
        place = pa.repeat(pa.scalar(0, pa.int8()), count)
        columns = [
            pa.DictionaryArray.from_arrays(place, pa.array([text]))
            for text in (strand.gateway, strand.device, strand.meter, strand.name)
        ]
        columns += [
            pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(numbers)])
            for numbers in (at_s, values)
        ]
        self._writer.write_table(
            pa.Table.from_arrays(columns, schema=self._schema), row_group_size=count
        )
        told = Total(count, sum(at_s) % _WRAP, sum(values) % _WRAP)
        self.totals[strand] = self.totals.get(strand, Total()).plus(told)

    def close(self) -> None:
        """Write what stands at the end of a file; before the file itself is closed."""
        self._writer.close()


@dataclass(frozen=True, slots=True)
class _Group:
    """One row group: which, whose, and from when to when [s]."""

    number: int
    strand: Strand
    first_s: EpochS
    last_s: EpochS


class Part:
    """What one file holds and where; knows its table of contents, and no open file."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        """Read the table of contents.

        Raises:
            MonthDamagedError: It is no month file, or is damaged.
            MissingExtraError: pyarrow is not installed.
        """
        self._name = name
        with _reading(name, file) as told:
            self._contents = told.metadata
            if told.schema_arrow.names != [*_NAMES, *_NUMBERS]:
                raise MonthDamagedError(name, "is no file of single readings")
            groups = [_group(self._contents, n) for n in range(self._contents.num_row_groups)]
        self._groups: dict[tuple[str, str, str], list[_Group]] = {}
        for group in groups:
            strand = group.strand
            self._groups.setdefault((strand.gateway, strand.device, strand.name), []).append(group)

    @property
    def points(self) -> int:
        """How many points it holds."""
        return int(self._contents.num_rows)

    def points_of(
        self,
        file: BinaryIO,
        series: tuple[GatewayId, DeviceId, str],
        start_s: EpochS,
        end_s: EpochS,
    ) -> Iterator[tuple[MeterId, Sequence[EpochS], Sequence[int]]]:
        """Yield meter, instants and values of ``[start_s, end_s)`` of one series.

        Raises:
            MonthDamagedError: It is damaged.
        """
        wanted = [
            group
            for group in self._groups.get(series, [])
            if group.first_s < end_s and start_s <= group.last_s
        ]
        if not wanted:
            return
        with _reading(self._name, file, self._contents) as told:
            for group in wanted:
                table = told.read_row_group(group.number, columns=list(_NUMBERS))
                if start_s > group.first_s or group.last_s >= end_s:
                    table = _between(table, start_s, end_s)
                at_s, values = (table.column(name).to_pylist() for name in _NUMBERS)
                yield group.strand.meter, at_s, values

    def totals(self, file: BinaryIO) -> dict[Strand, Total]:
        """Read everything, and return what each series adds up to.

        Raises:
            MonthDamagedError: It is damaged.
        """
        import pyarrow.compute as pc  # type: ignore[import-untyped] # pyarrow ships no types

        found: dict[Strand, Total] = {}
        with _reading(self._name, file, self._contents) as told:
            for groups in self._groups.values():
                for group in groups:
                    table = told.read_row_group(group.number, columns=list(_NUMBERS))
                    at_s, value = (int(pc.sum(table.column(n)).as_py()) % _WRAP for n in _NUMBERS)
                    total = Total(table.num_rows, at_s, value)
                    found[group.strand] = found.get(group.strand, Total()).plus(total)
        return found


def _group(contents: pq.FileMetaData, number: int) -> _Group:
    row_group = contents.row_group(number)
    bounds = [row_group.column(place).statistics for place in range(len(_NAMES) + 1)]
    gateway, device, meter, name = (str(bound.min) for bound in bounds[: len(_NAMES)])
    span = bounds[len(_NAMES)]
    return _Group(number, Strand(gateway, device, meter, name), int(span.min), int(span.max))


def _between(table: pq.Table, start_s: EpochS, end_s: EpochS) -> pq.Table:
    import pyarrow.compute as pc

    at_s = table.column("at_s")
    return table.filter(pc.and_(pc.greater_equal(at_s, start_s), pc.less(at_s, end_s)))


@contextmanager
def _reading(
    name: str, file: BinaryIO, contents: pq.FileMetaData | None = None
) -> Iterator[pq.ParquetFile]:
    pa, pq = _pyarrow()
    try:
        yield pq.ParquetFile(file, metadata=contents, page_checksum_verification=True)
    except (pa.ArrowException, OSError, AttributeError, ValueError) as error:
        raise MonthDamagedError(name, f"cannot be read: {error}") from error


def require_parquet() -> None:
    """Raise where month files cannot be written or read.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    _pyarrow()


def _pyarrow() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise MissingExtraError("collect", "collect", "pyarrow") from error
    return pa, pq
