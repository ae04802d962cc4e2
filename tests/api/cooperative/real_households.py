"""Recorded households as the engine reads them; their kWh are rounded to whole Wh once, here."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped] # pyarrow ships no types

from kwartier.interval import QUARTER_S, Quarter, local_day
from optimizer.settling.matrix import ReadingMatrix, RegisterMatrix, WhArray

_FOLDER = "households"


def neighbourhood(shared_data: Path, first: date, after: date) -> ReadingMatrix:
    """Return 39 connections of SimBench in 2016, six with a roof: made from measured profiles."""
    return _months(
        shared_data / _FOLDER / "de_simbench_neighbourhood_2016_15min.parquet", first, after
    )


def metered_homes(shared_data: Path, first: date, after: date) -> ReadingMatrix:
    """Return 324 Swiss meters of November 2018, import only, as they were measured."""
    return _months(shared_data / _FOLDER / "ch_2018_15min.parquet", first, after)


def profiles(shared_data: Path) -> dict[str, set[str]]:
    """Return the profiles that each connection of the neighbourhood was made from."""
    file = shared_data / _FOLDER / "de_simbench_neighbourhood_2016.csv"
    with file.open(encoding="utf-8", newline="") as opened:
        return {
            row["household"].lower(): set(f"{row['base_profiles']} {row['pv_profiles']}".split())
            for row in csv.DictReader(opened)
        }


def _months(file: Path, first: date, after: date) -> ReadingMatrix:
    names, starts_s, taken, given = _every(file)
    start_s, end_s = local_day(first)[0], local_day(after)[0]
    begin, end = ((at_s - starts_s) // QUARTER_S for at_s in (start_s, end_s))
    shape = len(names), end - begin
    none = np.zeros(shape, np.bool_)
    still = RegisterMatrix.empty(1, shape[1])
    return ReadingMatrix(
        Quarter(start_s),
        names,
        np.ones(shape, np.bool_),
        RegisterMatrix(taken[:, begin:end].copy(), none, none),
        RegisterMatrix(given[:, begin:end].copy(), none, none),
        still,
        still,
    )


@cache
def _every(file: Path) -> tuple[tuple[str, ...], int, WhArray, WhArray]:
    table = pq.read_table(file).combine_chunks()
    at_s = table["utc"].to_numpy().astype("datetime64[s]").astype(np.int64)
    homes = table["household"].chunk(0)
    named = [str(name) for name in homes.dictionary.to_pylist()]
    order = sorted(range(len(named)), key=named.__getitem__)
    row_of = np.empty(len(named), np.int64)
    row_of[order] = np.arange(len(named))
    rows = row_of[homes.indices.to_numpy()]
    columns = (at_s - at_s.min()) // QUARTER_S
    energies = []
    for name in ("kwh_import", "kwh_export"):
        energy_wh = np.zeros((len(named), int(columns.max()) + 1), np.int64)
        if name in table.column_names:
            energy_wh[rows, columns] = np.rint(table[name].to_numpy().astype(np.float64) * 1000)
        energies.append(energy_wh)
    names = tuple(named[place].lower() for place in order)
    return names, int(at_s.min()), energies[0], energies[1]
