"""A process that is killed in the middle of a run's step leaves all of the step or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from api.cooperative.books import entries
from api.cooperative.database import Books
from api.cooperative.documents import documents
from api.cooperative.runs import runs, verify_runs
from api.cooperative.verify import verify
from tests.api.cooperative.conftest import FreshBooks
from tests.api.cooperative.killing import address, killed
from tests.api.cooperative.stages import ACTS, BOARD, SMALL, TREASURER, Stage, Stages
from tests.api.cooperative.street import NOVEMBER_S, set_up

POINTS = 8
"""At how many statements each step is killed; with seven steps more than fifty in all."""
STEPS = [stage for stage in ACTS if stage is not Stage.READ_AGAIN]


@pytest.mark.parametrize("stage", STEPS, ids=[stage.name.lower() for stage in STEPS])
def test_wherever_a_step_is_killed_it_was_done_once_in_the_end(
    stage: Stage, stages: Stages, tmp_path: Path
) -> None:
    right = stages.books(stage, tmp_path)
    expected = _what_there_is(right)
    statements = _statements(ACTS[stage], stages.books(Stage(stage - 1), tmp_path))
    assert statements >= POINTS, statements

    for point in range(POINTS):
        at = 1 + point * (statements - 1) // (POINTS - 1)
        books = stages.books(Stage(stage - 1), tmp_path)
        assert killed(ACTS[stage], address(books), stages.keys, at, NOVEMBER_S)
        ACTS[stage](books)
        assert _what_there_is(books) == expected, f"killed at statement {at} of {statements}"
    ACTS[stage](books)
    assert _what_there_is(books) == expected, "done twice"
    with books.reading(TREASURER) as desk:
        assert verify(desk, [verify_runs]) == []


def test_on_each_database_a_month_that_dies_at_every_step_is_right_in_the_end(
    fresh_books: FreshBooks, stages: Stages, tmp_path: Path
) -> None:
    right = _what_there_is(stages.books(Stage.CORRECTED, tmp_path))
    books = fresh_books()
    books.clock = stages.books(Stage.READY, tmp_path).clock
    set_up(books, TREASURER, BOARD, homes=SMALL)

    for act in ACTS.values():
        killed(act, address(books), books.keys, 9, NOVEMBER_S)
        act(books)

    assert _what_there_is(books) == right
    with books.reading(TREASURER) as desk:
        assert verify(desk, [verify_runs]) == []


def _statements(act: Callable[[Books], None], books: Books) -> int:
    """Return how many beginnings, statements and commits an act takes."""
    count = 0

    def add(*_: object) -> None:
        nonlocal count
        count += 1

    event.listen(books.engine, "before_cursor_execute", add)
    event.listen(books.engine, "commit", add)
    act(books)
    books.close()
    return count


def _what_there_is(books: Books) -> object:
    """Return runs with their hashes, entries and papers, without what is drawn by lot."""
    with books.reading(TREASURER) as desk:
        found = (
            [(run.id, run.state, [step.body_hash for step in run.steps]) for run in runs(desk)],
            [
                (booked.number, booked.journal.source, booked.journal.key, booked.journal.entry)
                for booked in entries(desk)
            ],
            [
                (paper.number, paper.party, paper.amount_cents, paper.entry, paper.replaces)
                for paper in documents(desk)
            ],
        )
    books.engine.dispose()
    return found
