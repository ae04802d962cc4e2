"""How long it takes to write and read a month of days."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from api.cooperative.checks import CheckCase, check_all
from api.cooperative.database import Books
from api.cooperative.keys import Keys
from api.cooperative.officers import Officer, Role
from api.cooperative.readings import DayValues, Direction, Source, matrix, store_days
from api.cooperative.schema import bring_up_to_date
from kwartier.clock import VirtualClock
from kwartier.interval import local_day
from optimizer.settling.period import Ownership

pytestmark = pytest.mark.speed
TREASURER = Officer("treasurer", "anna", frozenset({Role.TREASURER}))
FIRST, AFTER = date(2026, 7, 1), date(2026, 8, 1)
MOST_SECONDS = {100: 1.0, 1000: 10.0}


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    url = f"sqlite:///{tmp_path / 'books.db'}"
    bring_up_to_date(url)
    with closing(Books(url, Keys((Fernet.generate_key(),), b"chain"), VirtualClock(0))) as opened:
        yield opened


@pytest.mark.parametrize("homes", [100, 1000])
def test_a_month_is_read_into_a_matrix(books: Books, homes: int) -> None:
    names = [f"huis-{number:04d}" for number in range(homes)]
    days = [FIRST + timedelta(days=place) for place in range((AFTER - FIRST).days)]

    began = time.perf_counter()
    with books.desk(TREASURER) as desk:
        for day in days:
            store_days(desk, list(_told(names, day)))
    wrote = time.perf_counter() - began

    began = time.perf_counter()
    with books.reading(TREASURER) as desk:
        readings, _ = matrix(desk, names, local_day(FIRST)[0], local_day(AFTER)[0])
    read = time.perf_counter() - began

    began = time.perf_counter()
    texts = [json.dumps([place % 1000 for place in range(96)])] * (2 * homes * len(days))
    rows = [json.loads(text) for text in texts]
    parsed = time.perf_counter() - began

    began = time.perf_counter()
    check_all(CheckCase(readings, tuple(Ownership(name, name, 0) for name in names)))
    checked = time.perf_counter() - began

    print(
        f"\n{homes:5} homes: write {wrote:6.2f} s, read {read:6.2f} s "
        f"(parsing {len(rows)} lists alone {parsed:5.2f} s), checks {checked:6.2f} s"
    )
    assert int(readings.taken.energy_wh.sum()) > 0
    assert read < MOST_SECONDS[homes]


def _told(names: list[str], day: date) -> Iterator[DayValues]:
    for number, name in enumerate(names):
        for direction in (Direction.IMPORT, Direction.EXPORT):
            seed = number * 37 + day.day * 11
            wh = tuple((seed + place * place) % 1000 for place in range(96))
            yield DayValues(name, direction, day, wh, "m" * 96, Source.P1)
