"""Readings of counters become quarters, to the Wh; what cannot be is named, and never an EAN."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.answers import AnswerError
from collectors.validated.p4 import MeteringPoint, ValidatedQuarter, read_p4
from kwartier.errors import KwartierError
from kwartier.interval import QUARTER_S, Quarter
from tests.collectors.validated.p4_answer import answer, point, readings, register, rejected

EAN = "871685900000000011"
NOON_S = Quarter.parse("2026-07-01T10:00:00Z").start_s


def read(body: bytes) -> list[MeteringPoint]:
    return list(read_p4(BytesIO(body)))


def quarters(*registers: str) -> list[tuple[int | None, int | None]]:
    (told,) = read(answer(point(EAN, *registers)))
    assert not told.refused
    assert [each.start_s for each in told.quarters] == sorted(
        each.start_s for each in told.quarters
    )
    return [(each.import_wh, each.export_wh) for each in told.quarters]


def test_a_quarter_is_the_difference_of_two_readings() -> None:
    (told,) = read(answer(point(EAN, register("1.8.0", readings(NOON_S, [123, 0])))))

    assert told.quarters == [
        ValidatedQuarter(EAN, NOON_S, 123, None),
        ValidatedQuarter(EAN, NOON_S + QUARTER_S, 0, None),
    ]


def test_both_tariffs_are_added_up_and_both_directions_kept_apart() -> None:
    told = quarters(
        register("1-0:1.8.1", readings(NOON_S, [100, 0])),
        register("1-0:1.8.2", readings(NOON_S, [0, 50], 7)),
        register("1-0:2.8.1", readings(NOON_S, [3, 4], 0)),
        register("1-0:2.8.2", readings(NOON_S, [0, 0], 0)),
        register("7-0:3.0.0", readings(NOON_S, [9, 9]), "MTQ"),
    )

    assert told == [(100, 3), (50, 4)]


def two_meters(old: list[int], new: list[int], changed_s: int) -> str:
    """One connection whose meter was changed; the new one stands first."""
    after, before = (
        register("1.8.0", readings(start_s, counted))
        for start_s, counted in ((changed_s, new), (NOON_S, old))
    )
    meter = "</P4EnergyMeter><P4EnergyMeter><ID>E0002</ID>"
    return point(EAN, after + meter + before)


def test_a_meter_that_was_changed_leaves_the_quarters_of_both_in_order() -> None:
    (told,) = read(answer(two_meters([10, 20], [5], NOON_S + 3 * QUARTER_S)))

    assert told.quarters == [
        ValidatedQuarter(EAN, NOON_S, 10, None),
        ValidatedQuarter(EAN, NOON_S + QUARTER_S, 20, None),
        ValidatedQuarter(EAN, NOON_S + 3 * QUARTER_S, 5, None),
    ]


def test_where_there_is_a_total_the_tariffs_are_not_added_to_it() -> None:
    counted = readings(NOON_S, [70])

    assert quarters(register("1.8.0", counted), register("1.8.1", counted)) == [(70, None)]


def test_a_reading_that_is_away_makes_two_quarters_missing() -> None:
    counted = readings(NOON_S, [10, 20, 30, 40])
    del counted[NOON_S + 2 * QUARTER_S]

    assert quarters(register("1.8.0", counted)) == [(10, None), (40, None)]


def test_a_quarter_of_which_one_tariff_is_away_is_missing() -> None:
    day, night = readings(NOON_S, [10, 20]), readings(NOON_S, [1, 2])
    del night[NOON_S + 2 * QUARTER_S]

    assert quarters(register("1.8.1", day), register("1.8.2", night)) == [(11, None)]


def test_a_namespace_of_another_version_changes_nothing() -> None:
    body = answer(point(EAN, register("1.8.0", readings(NOON_S, [5]))), namespace="urn:next:3")

    assert [each.import_wh for each in read(body)[0].quarters] == [5]


@pytest.mark.parametrize(
    ("told", "named"),
    [
        (rejected(EAN, "25", "No consent"), "gives nothing: 25 No consent"),
        (rejected(EAN, "25", "No\nconsent\x9b31m"), "gives nothing: 25 No consent 31m"),
        (point(EAN, register("1.8.1", readings(NOON_S, [5]))), "tariff 1 stands there without"),
        (
            point(EAN, register("1.8.0", readings(NOON_S, [5])), register("2.8.2", {})),
            "tariff 2 stands there without",
        ),
        (two_meters([5], [6], NOON_S), "two of its meters tell of the same quarter"),
        (point("123", register("1.8.0", readings(NOON_S, [5]))), "no EAN of 18 digits"),
        (point(EAN, register("1.8.0", {NOON_S: 1, NOON_S + 86_400: 2})), "interval readings"),
        (point(EAN, register("1.8.0", {NOON_S: 9, NOON_S + 900: 2})), "counts backwards"),
        (point(EAN, register("1.8.0", readings(NOON_S, [5]), "MTQ")), "not in KWH"),
        (point(EAN, *[register("1.8.0", readings(NOON_S, [5]))] * 2), "stands there twice"),
        (
            point(EAN, register("1.8.0", readings(NOON_S, [5])).replace("5000.000", "5000.0001")),
            "at most three decimals",
        ),
        (
            point(EAN, register("1.8.0", readings(NOON_S, [5])).replace("00Z", "00")),
            "has no offset",
        ),
    ],
)
def test_a_connection_that_cannot_be_read_leaves_the_others_alone(told: str, named: str) -> None:
    sound = point(EAN, register("1.8.0", readings(NOON_S, [5])))

    first, second = read(answer(told, sound))

    assert named in first.refused
    assert EAN not in first.refused
    assert (second.refused, len(second.quarters)) == ("", 1)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"<Invoice/>", "is a 'Invoice'"),
        (answer()[:-9], "no whole XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        (b"", "no whole XML"),
    ],
)
def test_what_is_no_such_message_is_refused(body: bytes, named: str) -> None:
    with pytest.raises(AnswerError, match=named):
        read(body)


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=30), st.integers(0, 10**9))
def test_quarters_add_up_to_what_the_counter_rose(energies: list[int], begins: int) -> None:
    (told,) = read(answer(point(EAN, register("2.8.0", readings(NOON_S, energies, begins)))))

    assert [each.export_wh for each in told.quarters] == energies


@given(st.binary(max_size=120))
def test_no_file_whatever_does_more_than_be_refused(body: bytes) -> None:
    with pytest.raises(KwartierError):
        read(body)
