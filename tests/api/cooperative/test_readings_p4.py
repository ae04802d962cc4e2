"""The grid operator's readings make a provisional month final, and a closed one corrected."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from api.cooperative.database import Desk
from api.cooperative.errors import StateError
from api.cooperative.readings import Direction, Source, day_values, store_day
from api.cooperative.readings.validated import import_quarters
from api.cooperative.runs import (
    compute,
    correct,
    findings,
    propose,
    run_diff,
    run_of,
)
from api.cooperative.runs.storing import computation_of, hashes_of
from kwartier.interval import local_day
from tests.api.cooperative.stages import RUN, TREASURER, Stage, Stages
from tests.api.cooperative.street import PERIOD, SETTINGS, ean_of, one_day
from tests.collectors.validated.p4_answer import answer, point, readings, register, rejected

DAY = date(2026, 10, 25)
"""A day of 100 quarters."""
EAN = {"home-3": ean_of(2), "home-4": ean_of(3)}


def true_wh(home: str) -> tuple[int, ...]:
    return tuple(wh for wh in one_day(home, DAY, 0).wh if wh is not None)


def p4_file(folder: Path, home: str, energies_wh: tuple[int, ...], *others: str) -> Path:
    file = folder / "p4.xml"
    told = register("1.8.0", readings(local_day(DAY)[0], energies_wh))
    file.write_bytes(answer(point(EAN[home], told), *others))
    return file


def result_hash(desk: Desk) -> str:
    return hashes_of(desk, run_of(desk, RUN).computation).result_hash


def status(desk: Desk) -> str:
    return computation_of(desk, run_of(desk, RUN)).status


def test_an_estimated_month_is_final_to_the_wh_once_the_grid_operator_told_it(
    stages: Stages, tmp_path: Path
) -> None:
    with stages.books(Stage.COMPUTED, tmp_path).reading(TREASURER) as desk:
        measured = result_hash(desk)
    books = stages.books(Stage.READY, tmp_path)
    with books.desk(TREASURER) as desk:
        known = replace(one_day("home-3", DAY, 0), source=Source.P1, reason="")
        guess = (*(wh + 10 for wh in true_wh("home-3")[:4]), *known.wh[4:])
        store_day(desk, replace(known, wh=guess, quality="e" * 4 + "m" * 96))
        compute(desk, SETTINGS, PERIOD)
        provisional, guessed = status(desk), result_hash(desk)
        with pytest.raises(StateError, match="findings stop it"):
            propose(desk, RUN)

        told = import_quarters(desk, p4_file(tmp_path, "home-3", true_wh("home-3")), apply=True)
        compute(desk, SETTINGS, PERIOD)

        assert (told.rows, told.refused, told.applied) == (100, 0, True)
        assert (provisional, status(desk)) == ("provisional", "final")
        assert guessed != measured
        assert result_hash(desk) == measured
        assert not [each for each in findings(desk, RUN) if each.stops]
        propose(desk, RUN)


def test_a_closed_month_is_corrected_and_the_differences_are_listed(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.CLOSED, tmp_path)
    energies = list(true_wh("home-4"))
    energies[50] += 2_000
    with books.desk(TREASURER) as desk:
        before = day_values(desk, "home-4", DAY)[Direction.IMPORT].values.wh
        import_quarters(desk, p4_file(tmp_path, "home-4", tuple(energies)), apply=True)
        after = day_values(desk, "home-4", DAY)[Direction.IMPORT].values
        second = correct(desk, SETTINGS, PERIOD, "the grid operator's validated readings")
        diff = run_diff(desk, second)

    assert sum(wh or 0 for wh in after.wh) - sum(wh or 0 for wh in before) == 2_000
    assert set(after.origins) == {"4"}
    changed = {change.member: change for change in diff.changes if change.delta_cents}
    assert "lid-4" in changed
    assert changed["lid-4"].after_bought_wh > changed["lid-4"].before_bought_wh
    assert diff.other == RUN


def test_a_connection_that_was_rejected_is_told_of_and_the_rest_may_be_kept(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.READY, tmp_path)
    refused = rejected(EAN["home-4"], "25", "no consent")
    file = p4_file(tmp_path, "home-3", true_wh("home-3"), refused)
    with books.desk(TREASURER) as desk:
        nothing = import_quarters(desk, file, apply=True)
        some = import_quarters(desk, file, apply=True, leave_out=True)

    assert (nothing.applied, some.applied, some.refused) == (False, True, 1)
    assert some.messages == [
        f"line 2: EAN …{EAN['home-4'][-4:]}: the grid operator gives nothing: 25 no consent"
    ]
