"""A small street's month at every stage on SQLite, made once and copied for each test.

Every act is a function of its own that begins where the books are, so that it can be done in
another process, killed, and done again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

import pytest

from api.cooperative.database import Books
from api.cooperative.keys import Keys, make_keys
from api.cooperative.officers import Officer, Role
from api.cooperative.readings import store_day
from api.cooperative.runs import (
    State,
    approve,
    close,
    compute,
    correct,
    invoice,
    post,
    propose,
    run_of,
    runs,
)
from api.cooperative.runs.states import BOOKED
from kwartier.clock import VirtualClock
from tests.api.cooperative.street import MOVE, NOVEMBER_S, PERIOD, SETTINGS, one_day, set_up

TREASURER = Officer("treasurer", "anna", frozenset({Role.TREASURER}))
BOARD = Officer("board", "bram", frozenset({Role.BOARD}))
RUN = f"{PERIOD}/1"
SECOND = f"{PERIOD}/2"
SMALL = ("home-1", "home-3", "home-4")
"""A home with panels, one whose resident moves, and one more."""
REASON = "the meter's display was read by hand"


class Stage(IntEnum):
    """How far the month is."""

    READY = 0
    COMPUTED = 1
    PROPOSED = 2
    APPROVED = 3
    POSTED = 4
    INVOICED = 5
    CLOSED = 6
    READ_AGAIN = 7
    CORRECTED = 8


def computed(books: Books) -> None:
    """Compute the month."""
    with books.desk(TREASURER) as desk:
        compute(desk, SETTINGS, PERIOD)


def proposed(books: Books) -> None:
    """Propose the run, if that is still to be done."""
    with books.desk(TREASURER) as desk:
        if run_of(desk, RUN).state is State.COMPUTED:
            propose(desk, RUN)


def approved(books: Books) -> None:
    """Approve the run as the second person."""
    with books.desk(BOARD) as desk:
        approve(desk, RUN, _body_hash(books))


def posted(books: Books) -> None:
    """Post the run."""
    with books.desk(TREASURER) as desk:
        post(desk, RUN)


def invoiced(books: Books) -> None:
    """Number the run's papers."""
    with books.desk(TREASURER) as desk:
        invoice(desk, SETTINGS, RUN)


def closed(books: Books) -> None:
    """Close the run."""
    with books.desk(TREASURER) as desk:
        close(desk, RUN)


def read_again(books: Books) -> None:
    """Record what somebody read on a meter after the month was closed."""
    with books.desk(TREASURER) as desk:
        store_day(desk, one_day("home-4", MOVE, 40_000))


def corrected(books: Books) -> None:
    """Correct the month, from the new version to its papers; what is done already stays."""
    with books.desk(TREASURER) as desk:
        if len(runs(desk, PERIOD)) == 1:
            correct(desk, SETTINGS, PERIOD, REASON)
        if run_of(desk, SECOND).state is State.COMPUTED:
            propose(desk, SECOND)
    with books.desk(BOARD) as desk:
        if run_of(desk, SECOND).state is State.PROPOSED:
            approve(desk, SECOND, run_of(desk, SECOND).last.body_hash)
    with books.desk(TREASURER) as desk:
        if run_of(desk, SECOND).state not in BOOKED:
            post(desk, SECOND)
        invoice(desk, SETTINGS, SECOND)


ACTS: dict[Stage, Callable[[Books], None]] = {
    Stage.COMPUTED: computed,
    Stage.PROPOSED: proposed,
    Stage.APPROVED: approved,
    Stage.POSTED: posted,
    Stage.INVOICED: invoiced,
    Stage.CLOSED: closed,
    Stage.READ_AGAIN: read_again,
    Stage.CORRECTED: corrected,
}
"""What leads to each stage from the one before."""


class Stages:
    """The month at every stage, as files that are copied."""

    def __init__(self, folder: Path, template: Path) -> None:
        """Begin with empty tables; nothing is done yet."""
        self.keys: Keys = make_keys(folder / "keys")
        self._folder = folder
        self._template = template

    def empty(self, folder: Path) -> Books:
        """Return books in which nobody wrote."""
        file = folder / "empty.db"
        shutil.copy(self._template, file)
        return Books(f"sqlite:///{file}", self.keys, VirtualClock(NOVEMBER_S))

    def books(self, stage: Stage, folder: Path) -> Books:
        """Return books of their own at a stage."""
        file = folder / f"{stage.name.lower()}.db"
        for left in (file, *(file.with_name(f"{file.name}-{end}") for end in ("wal", "shm"))):
            left.unlink(missing_ok=True)
        shutil.copy(self._master(stage), file)
        return Books(f"sqlite:///{file}", self.keys, VirtualClock(NOVEMBER_S))

    def _master(self, stage: Stage) -> Path:
        file = self._folder / f"{stage.name.lower()}.db"
        if not file.exists():
            before = self._template if stage is Stage.READY else self._master(Stage(stage - 1))
            made = file.with_suffix(".new")
            shutil.copy(before, made)
            books = Books(f"sqlite:///{made}", self.keys, VirtualClock(NOVEMBER_S))
            if stage is Stage.READY:
                set_up(books, TREASURER, BOARD, homes=SMALL)
            else:
                ACTS[stage](books)
            books.close()
            made.rename(file)
        return file


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Stages:
    """A small street's month at every stage."""
    return Stages(tmp_path_factory.mktemp("stages"), sqlite_template)


def _body_hash(books: Books) -> str:
    with books.reading(BOARD) as desk:
        return run_of(desk, RUN).last.body_hash
