"""Versions of days: what is recorded stays, and a run is read again from exactly what it used."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, text

from api.cooperative.database import Books
from api.cooperative.errors import BooksError
from api.cooperative.officers import Officer
from api.cooperative.readings import (
    DayValues,
    Direction,
    Source,
    day_values,
    latest_reading,
    matrix,
    store_day,
    store_days,
    versions_of,
)
from api.cooperative.readings.record import days_as_hashed
from api.cooperative.tables.base import NAMES, Base
from kwartier.errors import ContractError
from kwartier.interval import local_day

MONDAY = date(2026, 7, 6)
START_S, END_S = local_day(MONDAY)


def day(
    connection: str = "huis-01",
    direction: Direction = Direction.IMPORT,
    *,
    on: date = MONDAY,
    wh: int = 100,
    quarters: int = 96,
    source: Source = Source.P1,
) -> DayValues:
    """Return a day in which every quarter counted the same."""
    return DayValues(connection, direction, on, (wh,) * quarters, "m" * quarters, source)


def test_the_same_day_again_adds_no_version(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        first = store_day(desk, day())
        again = store_day(desk, day())
        changed = store_day(desk, day(wh=101))
    with books.reading(treasurer) as desk:
        known = versions_of(desk, "huis-01", Direction.IMPORT, MONDAY)
    assert (first, again, changed) == (1, 1, 2)
    assert [version.values for version in known] == [day(), day(wh=101)]
    assert [version.recorded_by for version in known] == ["treasurer", "treasurer"]


def test_the_tables_are_those_that_the_migrations_make(books: Books, treasurer: Officer) -> None:
    ours = {name for name in Base.metadata.tables if name.startswith(("reading", "meter"))}
    ours.add("register_reading")
    with books.reading(treasurer) as desk:
        context = MigrationContext.configure(
            desk.session.connection(),
            opts={"include_name": lambda name, kind, _: kind != "table" or name in ours},
        )
        metadata = MetaData(naming_convention=NAMES)
        for name in ours:
            Base.metadata.tables[name].to_metadata(metadata)
        assert compare_metadata(context, metadata) == []
    assert len(ours) == 5


@pytest.mark.parametrize(
    "statement",
    ["UPDATE reading_day SET wh = '[]'", "DELETE FROM reading_day"],
)
def test_no_version_is_ever_changed(books: Books, treasurer: Officer, statement: str) -> None:
    with books.desk(treasurer) as desk:
        store_day(desk, day())
    with pytest.raises(BooksError), books.desk(treasurer) as desk:
        desk.session.execute(text(statement))


@pytest.mark.parametrize("books_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("wrong", ["'[' || substr(wh, 3)", "replace(wh, '100,', '101,')", "'x'"])
def test_a_day_that_was_changed_behind_the_guards_is_found(
    books: Books, treasurer: Officer, wrong: str
) -> None:
    with books.desk(treasurer) as desk:
        store_days(desk, [day(), day("huis-02")])
        assert days_as_hashed(desk) == []
        desk.session.execute(text("DROP TRIGGER reading_day_no_update"))
        desk.session.execute(
            text(f"UPDATE reading_day SET wh = {wrong} WHERE connection = 'huis-02'")  # noqa: S608
        )
        assert [str(fault) for fault in days_as_hashed(desk)] == [
            "reading huis-02 import 2026-07-06 version 1: is not what its hash says"
        ]


def test_the_database_refuses_a_hole_between_versions(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        store_day(desk, day())
    skipping = text(
        "INSERT INTO reading_day (connection, direction, day, version, wh, quality, origins,"
        " source, method, reason, hash, recorded_at_s, recorded_by) SELECT connection, direction,"
        " day, 3, wh, quality, origins, source, method, reason, hash, recorded_at_s, recorded_by"
        " FROM reading_day"
    )
    with pytest.raises(BooksError, match="without a hole"), books.desk(treasurer) as desk:
        desk.session.execute(skipping)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: replace(day(), wh=(1,) * 95), "the day has 96 quarter-hours"),
        (lambda: day(on=date(2026, 3, 29)), "the day has 92 quarter-hours"),
        (lambda: day(on=date(2026, 10, 25)), "the day has 100 quarter-hours"),
        (lambda: day(wh=-1), "2026-07-05T22:00:00Z: -1: energy is whole"),
        (lambda: replace(day(), quality="e" * 95 + "x"), "quality 'x'"),
        (lambda: replace(day(), quality="-" * 96), "missing has no number"),
        (lambda: replace(day(), wh=(None,) * 96), "missing has no number"),
        (lambda: day(source=Source.MANUAL), "needs a reason"),
        (lambda: day("Huis 01"), "connection 'Huis 01'"),
    ],
)
def test_a_day_that_cannot_be_is_refused(wrong: object, says: str) -> None:
    assert callable(wrong)
    with pytest.raises(ContractError, match=says):
        wrong()


@pytest.mark.parametrize(
    ("on", "quarters"), [(date(2026, 3, 29), 92), (MONDAY, 96), (date(2026, 10, 25), 100)]
)
def test_a_day_has_as_many_columns_as_quarters(
    books: Books, treasurer: Officer, on: date, quarters: int
) -> None:
    with books.desk(treasurer) as desk:
        store_day(desk, day(on=on, quarters=quarters))
        store_day(desk, day(direction=Direction.EXPORT, on=on, quarters=quarters, wh=7))
        readings, _ = matrix(desk, ["huis-01"], *local_day(on))
    assert readings.quarters == quarters
    assert int(readings.taken.energy_wh.sum()) == 100 * quarters
    assert int(readings.given.energy_wh.sum()) == 7 * quarters
    assert not readings.taken.missing.any()


def test_what_was_not_recorded_is_missing_and_what_there_is_not_counted_nothing(
    books: Books, treasurer: Officer
) -> None:
    with books.desk(treasurer) as desk:
        store_days(desk, [day("a"), day("b"), day("b", Direction.EXPORT, on=date(2026, 7, 5))])
        readings, _ = matrix(desk, ["c", "b", "a"], START_S, END_S)
    assert readings.connections == ("a", "b", "c")
    assert not readings.given.missing[0].any(), "a home without an export register exported 0"
    assert readings.given.missing[1].all(), "a register that was read before is missing"
    assert readings.taken.missing[2].all()
    assert readings.given.missing[2].all()
    assert readings.listed.all()
    assert not readings.charge.missing.any(), "without a battery nothing is missing of it"


def test_two_batteries_are_one_row_and_missing_in_one_is_missing(
    books: Books, treasurer: Officer
) -> None:
    gap = replace(
        day("accu-2", Direction.CHARGE, wh=5), wh=(None,) + (5,) * 95, quality="-" + "e" * 95
    )
    with books.desk(treasurer) as desk:
        store_days(
            desk,
            [
                day("accu-1", Direction.CHARGE, wh=10),
                day("accu-1", Direction.DISCHARGE, wh=1),
                gap,
                day("accu-2", Direction.DISCHARGE, wh=2),
            ],
        )
        readings, _ = matrix(desk, [], START_S, END_S)
    assert readings.charge.energy_wh[0, :2].tolist() == [0, 15]
    assert readings.charge.missing[0, :2].tolist() == [True, False]
    assert readings.charge.estimated[0, :2].tolist() == [False, True]
    assert readings.discharge.energy_wh[0].tolist() == [3] * 96


def test_a_run_is_read_again_from_what_it_used(books: Books, treasurer: Officer) -> None:
    with books.desk(treasurer) as desk:
        store_days(desk, [day("a"), day("b")])
        noted = latest_reading(desk)
        used, fingerprint = matrix(desk, ["a", "b"], START_S, END_S)
    with books.desk(treasurer) as desk:
        store_day(desk, day("a", wh=999, source=Source.P4))
        now, changed = matrix(desk, ["a", "b"], START_S, END_S)
        again, same = matrix(desk, ["a", "b"], START_S, END_S, noted)
    assert same == fingerprint
    assert changed != fingerprint
    assert np.array_equal(again.taken.energy_wh, used.taken.energy_wh)
    assert now.taken.energy_wh[0, 0] == 999


def test_a_period_begins_and_ends_at_a_local_midnight(books: Books, treasurer: Officer) -> None:
    with books.reading(treasurer) as desk, pytest.raises(ContractError, match="local days"):
        matrix(desk, ["a"], START_S + 900, END_S)


known_quarters = st.lists(
    st.tuples(st.integers(0, 4000), st.sampled_from("me-")), min_size=12, max_size=12
).map(lambda hours: hours * 8)


@given(rows=st.lists(known_quarters, min_size=1, max_size=4))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_recorded_is_read_back(
    books: Books, treasurer: Officer, rows: list[list[tuple[int, str]]]
) -> None:
    versions = [
        DayValues(
            "huis-01",
            Direction.IMPORT,
            MONDAY,
            tuple(None if letter == "-" else wh for wh, letter in row),
            "".join(letter for _, letter in row),
            Source.P1,
        )
        for row in rows
    ]
    with books.desk(treasurer) as desk:
        for values in versions:
            store_day(desk, values)
        read = day_values(desk, "huis-01", MONDAY)[Direction.IMPORT].values
        readings, _ = matrix(desk, ["huis-01"], START_S, END_S)
        desk.session.rollback()
    assert read == versions[-1]
    assert readings.taken.energy_wh[0].tolist() == [wh or 0 for wh in versions[-1].wh]
    assert (
        "".join(
            "-" if missing else "e" if estimated else "m"
            for missing, estimated in zip(
                readings.taken.missing[0], readings.taken.estimated[0], strict=True
            )
        )
        == versions[-1].quality
    )
