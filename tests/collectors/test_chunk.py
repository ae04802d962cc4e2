"""Chunks: what is packed comes back, in few bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors import chunk

_whole = st.integers(-(2**53), 2**53)


@given(data=st.data(), offsets=st.sets(st.integers(0, 3599), min_size=1, max_size=30))
def test_what_is_packed_unpacks_the_same(data: st.DataObject, offsets: set[int]) -> None:
    rows = sorted(offsets)
    values = st.lists(st.none() | _whole, min_size=len(rows), max_size=len(rows))
    columns = data.draw(st.dictionaries(st.integers(1, 2**32 - 1), values, max_size=5))

    blob = chunk.pack(rows, columns)

    said = {
        series: {at: value for at, value in zip(rows, column, strict=True) if value is not None}
        for series, column in columns.items()
    }
    assert chunk.offsets_of(blob) == rows
    assert chunk.unpack(blob) == {series: points for series, points in said.items() if points}
    for series, points in said.items():
        assert chunk.column_of(blob, series) == sorted(points.items())


def test_a_series_that_is_not_in_a_chunk_has_no_points() -> None:
    assert chunk.column_of(chunk.pack([0, 1], {3: [5, 6]}), 4) == []


def test_packing_points_is_packing_their_rows() -> None:
    points = {7: {10: 5, 30: 8}, 8: {20: 1}}

    assert chunk.unpack(chunk.pack_points(points)) == points


def test_a_register_costs_a_byte_a_second_and_a_constant_nothing() -> None:
    seconds = range(3600)
    rows = 4 + 2 * 3600

    register = chunk.pack(seconds, {1: [10_000 + second for second in seconds]})
    constant = chunk.pack(seconds, {1: [1] * 3600})

    # A column's head is 15 bytes: series 4, count 2, width 1, first value 8.
    assert len(register) == rows + 15 + 3599
    assert len(constant) == rows + 15
