"""A closed month may leave the records two years later; one that is being corrected stays."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from api.cooperative.database import Books
from api.cooperative.runs import close, correct, withdraw
from api.finality import Telling, telling
from api.office import Office
from collectors.finality import Finality, note_path, read_finality
from collectors.retention import QUARTERS_AFTER_S, Keep
from collectors.sqlite_store import SqliteStore
from collectors.upkeep import Upkeep
from kwartier.clock import VirtualClock
from tests.api.cooperative.stages import (
    BOARD,
    REASON,
    RUN,
    SECOND,
    TREASURER,
    Stage,
    Stages,
)
from tests.api.cooperative.street import NOVEMBER_S, OCTOBER, PERIOD, SETTINGS
from tests.collectors.blocks import block, take_in

DAY_S = 86_400
IN_OCTOBER = [OCTOBER.start_s, OCTOBER.end_s - 900]
"""Quarters at both ends of the local month; the first lies in September of UTC [s]."""
IN_NOVEMBER = [OCTOBER.end_s, OCTOBER.end_s + 900]
EVER = (0, NOVEMBER_S + 10 * QUARTERS_AFTER_S)


class Place:
    """Two records of a neighbourhood, its books, and a clock that a test turns."""

    def __init__(self, folder: Path, books: Books, before: tuple[int, ...] = ()) -> None:
        self.clock = VirtualClock(NOVEMBER_S)
        self.records = [folder / "record.db", folder / "record-1.db"]
        for record in self.records:
            with SqliteStore(record) as store:
                at_s = sorted({one + late for one in (*before, *IN_OCTOBER, *IN_NOVEMBER)
                               for late in (0, 600)})  # fmt: skip
                take_in(store, block(1, at_s, {"import_wh": [10 * n for n in range(len(at_s))]}))
        self.telling = Telling(Office(books, SETTINGS, self.clock), self.records, self.clock)

    def told(self) -> list[Finality]:
        """Return what stands beside both records, once they are told."""
        self.telling.turn()
        first, second = map(read_finality, self.records)
        assert first == second
        return first

    def kept_from_s(self, at_s: int) -> int:
        """Return the start of the oldest quarter that upkeep leaves in the second record then."""
        with SqliteStore(self.records[1]) as store:
            Upkeep(store, VirtualClock(at_s), Keep(months=0)).turn(threading.Event())
            rows = store.quarters({"import_wh"}, *EVER)
        return min(row.start_s for row in rows)


def test_quarters_of_a_closed_month_go_two_years_later_and_no_others(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.INVOICED, tmp_path)
    place = Place(tmp_path, books)

    assert place.told() == []
    with books.desk(TREASURER) as desk:
        close(desk, RUN)
    told = place.told()

    assert told == [Finality(OCTOBER.end_s, NOVEMBER_S)] == place.told()
    assert place.kept_from_s(NOVEMBER_S + QUARTERS_AFTER_S - 1) == OCTOBER.start_s
    assert place.kept_from_s(NOVEMBER_S + QUARTERS_AFTER_S) == OCTOBER.end_s
    assert place.told() == told  # November is open: nothing more, and nothing is taken back


def test_a_month_that_is_corrected_stays_until_that_run_is_closed_and_two_years_passed(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.READ_AGAIN, tmp_path)
    place = Place(tmp_path, books)
    assert place.told() == [Finality(OCTOBER.end_s, NOVEMBER_S)]

    with books.desk(TREASURER) as desk:
        correct(desk, SETTINGS, PERIOD, REASON)
    place.told()
    assert place.kept_from_s(NOVEMBER_S + 2 * QUARTERS_AFTER_S) == OCTOBER.start_s

    place.clock.advance(10 * DAY_S)
    with books.desk(BOARD) as desk:
        withdraw(desk, SECOND, "the display was read by the wrong hand")
    again_s = NOVEMBER_S + 10 * DAY_S
    assert place.told()[-1] == Finality(OCTOBER.end_s, again_s)
    assert place.kept_from_s(again_s + QUARTERS_AFTER_S - 1) == OCTOBER.start_s
    assert place.kept_from_s(again_s + QUARTERS_AFTER_S) == OCTOBER.end_s


def test_a_correction_with_papers_is_not_final_before_it_is_closed(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.CORRECTED, tmp_path)
    place = Place(tmp_path, books)

    assert place.told() == []
    with books.desk(TREASURER) as desk:
        close(desk, SECOND)
    assert place.told() == [Finality(OCTOBER.end_s, NOVEMBER_S)]


def test_a_month_that_was_never_settled_holds_the_later_ones_back(
    stages: Stages, tmp_path: Path
) -> None:
    september = OCTOBER.before().start_s + 12 * 3600
    books = stages.books(Stage.CLOSED, tmp_path)
    place = Place(tmp_path, books, before=(september,))

    assert place.told() == []
    assert place.kept_from_s(NOVEMBER_S + 2 * QUARTERS_AFTER_S) == september


def test_a_record_that_cannot_be_told_is_named_once_and_the_others_are_told(
    stages: Stages, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = Place(tmp_path, stages.books(Stage.CLOSED, tmp_path))
    note_path(place.records[0]).write_text("[[1")

    for _ in range(3):
        place.telling.turn()

    assert read_finality(place.records[1]) == [Finality(OCTOBER.end_s, NOVEMBER_S)]
    assert len([one for one in caplog.records if "cannot be told" in one.getMessage()]) == 1


def test_the_server_tells_beside_its_other_work_as_soon_as_it_starts(
    stages: Stages, tmp_path: Path
) -> None:
    books = stages.books(Stage.CLOSED, tmp_path)
    place = Place(tmp_path, books)

    with telling(Office(books, SETTINGS, place.clock), place.records, place.clock):
        end_s = time.monotonic() + 60
        while not all(note_path(record).exists() for record in place.records):
            assert time.monotonic() < end_s
            time.sleep(0.01)

    assert [thread.name for thread in threading.enumerate() if thread.name == "finality"] == []
    assert read_finality(place.records[1]) == [Finality(OCTOBER.end_s, NOVEMBER_S)]
