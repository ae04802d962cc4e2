"""How fast a resident's statement opens, down to the quarter, in a month of sixty homes."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from api.cooperative.database import Books
from api.cooperative.keys import make_keys
from api.cooperative.runs import approve, close, compute, invoice, post, propose, run_of
from api.cooperative.schema import bring_up_to_date
from api.house import House
from api.office import Office
from api.pages.language import language
from api.pages.statement.front import statement_values
from api.pages.statement.line import day_values, find_day, find_line, line_values
from kwartier.clock import VirtualClock
from tests.api.cooperative.stages import BOARD, RUN, TREASURER, Stage
from tests.api.cooperative.street import CHANGE, NOVEMBER_S, PERIOD, SETTINGS, set_up
from tests.api.town import Towns

pytestmark = [pytest.mark.speed, pytest.mark.timeout(600)]
HOMES = tuple(f"home-{number}" for number in range(1, 61))
MEDIAN_S = 0.1
"""A page's values take at most so long of a processor at the median, kept or not [s]."""


def test_a_statement_of_sixty_homes_opens_at_once(towns: Towns, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'sixty.db'}"
    bring_up_to_date(url)
    books = Books(url, make_keys(tmp_path / "sixty-keys"), VirtualClock(NOVEMBER_S))
    set_up(books, TREASURER, BOARD, homes=HOMES)
    settle(books)
    office = Office(books, SETTINGS, VirtualClock(NOVEMBER_S))
    with towns.at(Stage.READY, tmp_path) as town:
        house = replace(town.house, office=office)
        first, again = walks(house), walks(house)
    office.close()

    print(f"\nstatement, line, day of 20 members [ms]: first {first}, again {again}")
    assert max(first) < 1000 * MEDIAN_S
    assert max(again) < 1000 * MEDIAN_S


def settle(books: Books) -> None:
    """Take October to a closed run."""
    with books.desk(TREASURER) as desk:
        compute(desk, SETTINGS, PERIOD)
        propose(desk, RUN)
    with books.desk(BOARD) as desk:
        approve(desk, RUN, run_of(desk, RUN).last.body_hash)
    with books.desk(TREASURER) as desk:
        post(desk, RUN)
        invoice(desk, SETTINGS, RUN)
        close(desk, RUN)


def walks(house: House) -> list[float]:
    """Return the medians of a statement, a line and a day, over twenty members [ms]."""
    took: list[list[float]] = [[], [], []]
    lang = language("nl")
    assert house.office is not None
    for number in range(10, 30):
        party = f"lid-{number}"
        began = time.process_time()
        statement_values(house, party, PERIOD, 1, lang)
        took[0].append(time.process_time() - began)
        with house.office.reading() as desk:
            run = run_of(desk, RUN)
            said = house.shelf.statement(desk, SETTINGS, run, party)
            began = time.process_time()
            found = find_line(house, desk, run, said, 2)
            line_values(house, desk, found, lang)
            took[1].append(time.process_time() - began)
            began = time.process_time()
            day_values(house, desk, find_day(house, desk, found, CHANGE), "", lang)
            took[2].append(time.process_time() - began)
    return [round(1000 * median(each), 1) for each in took]
