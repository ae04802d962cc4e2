"""The checks on recorded households: nothing is found that cannot be explained, faults are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from api.cooperative.checks import (
    CheckCase,
    Code,
    Finding,
    MeterCase,
    RegisterPoint,
    check_all,
)
from kwartier.interval import QUARTER_S, Quarter
from optimizer.settling.matrix import ReadingMatrix
from optimizer.settling.period import Ownership
from tests.api.cooperative.check_cases import settled, with_export, with_gap, with_import
from tests.api.cooperative.real_households import metered_homes, neighbourhood, profiles

JULY = date(2016, 7, 1), date(2016, 8, 1)
AUTUMN = date(2018, 10, 30), date(2018, 12, 15)
WEEK = 7 * 96


def july(shared_data: Path) -> ReadingMatrix:
    return neighbourhood(shared_data, *JULY)


def found_in(readings: ReadingMatrix) -> list[Finding]:
    """Return what is found in a month that was shared and has no history."""
    return check_all(replace(settled(readings), meters=(), history={}, limits_w={}))


def new_in(readings: ReadingMatrix, untouched: ReadingMatrix) -> list[Finding]:
    """Return what is found in readings and was not found before they were touched."""
    before = {(each.code, each.kind, each.connection) for each in found_in(untouched)}
    return [
        each for each in found_in(readings) if (each.code, each.kind, each.connection) not in before
    ]


def test_nothing_is_found_among_324_real_meters(shared_data: Path) -> None:
    readings = metered_homes(shared_data, *AUTUMN)
    owners = tuple(Ownership(name, f"lid-{name}", 0) for name in readings.connections)
    assert len(readings.connections) == 324
    assert check_all(CheckCase(readings, owners)) == []


def test_what_is_found_in_the_made_neighbourhood_is_there(shared_data: Path) -> None:
    made_of = profiles(shared_data)
    for finding in found_in(july(shared_data)):
        if finding.code is Code.HISTORY:  # the 129 kW roof is paid out more than 500 euros
            assert finding.member == "lid-sb36"
        else:  # connections made of one profile really are one series
            assert (finding.code, finding.kind) == (Code.LIKENESS, "twice")
            assert made_of[finding.connection] & made_of[str(finding.facts["other"])]


def test_a_gap_in_july_is_found(shared_data: Path) -> None:
    readings = july(shared_data)
    row = readings.connections.index("sb17")
    (found,) = new_in(with_gap(readings, row, 1000, 412), readings)
    assert (found.code, found.connection, found.facts["missing"]) == (Code.MISSING, "sb17", 412)


def test_a_meter_swapped_without_its_closing_is_found(shared_data: Path) -> None:
    readings = july(shared_data)
    swapped_s = readings.first.start_s + 1500 * QUARTER_S + 420
    end_s = readings.first.start_s + readings.quarters * QUARTER_S
    taken = readings.taken.energy_wh[readings.connections.index("sb17")]
    old = MeterCase(
        "sb17",
        "…0017",
        0,
        swapped_s,
        None,
        (RegisterPoint("import", readings.first.start_s, 81_000_000),),
    )
    opening = RegisterPoint("import", swapped_s, 0)
    closing = RegisterPoint("import", end_s, int(taken[1500:].sum()) - 10)
    new = MeterCase("sb17", "…0018", swapped_s, None, None, (opening, closing))
    case = replace(settled(readings), meters=(old, new), history={})
    found = [each for each in check_all(case) if each.code is Code.REGISTER]
    assert [each.kind for each in found] == ["no_closing"]


def test_a_roof_that_lost_an_hour_for_two_weeks_is_found_in_those_weeks(shared_data: Path) -> None:
    readings = july(shared_data)
    row = readings.connections.index("sb04")
    weeks = slice(WEEK, 3 * WEEK)
    taken = readings.taken.energy_wh[row].copy()
    given = readings.given.energy_wh[row].copy()
    taken[weeks], given[weeks] = np.roll(taken[weeks], 4), np.roll(given[weeks], 4)
    touched = with_export(with_import(readings, row, taken), row, given)
    (found,) = new_in(touched, readings)
    assert (found.code, found.kind, found.connection) == (Code.LIKENESS, "shifted", "sb04")
    assert found.facts["minutes"] == 60
    assert found.first == Quarter(readings.first.start_s + WEEK * QUARTER_S)
    assert found.last == Quarter(readings.first.start_s + (3 * WEEK - 1) * QUARTER_S)


def test_a_roof_with_swapped_registers_is_found(shared_data: Path) -> None:
    readings = july(shared_data)
    row = readings.connections.index("sb04")
    touched = with_export(
        with_import(readings, row, readings.given.energy_wh[row]),
        row,
        readings.taken.energy_wh[row],
    )
    assert (Code.SIGN, "turned", "sb04") in {
        (each.code, each.kind, each.connection) for each in new_in(touched, readings)
    }


def test_a_meter_copied_over_another_for_a_day_is_found(shared_data: Path) -> None:
    readings = metered_homes(shared_data, *AUTUMN)
    energy_wh = readings.taken.energy_wh[17].copy()
    energy_wh[10 * 96 : 11 * 96] = readings.taken.energy_wh[200][10 * 96 : 11 * 96]
    owners = tuple(Ownership(name, f"lid-{name}", 0) for name in readings.connections)
    (found,) = check_all(CheckCase(with_import(readings, 17, energy_wh), owners))
    assert (found.kind, found.facts["days"]) == ("twice", 1)
    assert {found.connection, found.facts["other"]} == {
        readings.connections[17],
        readings.connections[200],
    }
