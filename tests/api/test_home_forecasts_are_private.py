"""What a home is expected to use is its residents': theirs to take along, and gone with them."""

from __future__ import annotations

import csv
import io
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest

from api.forecasts.home_book import HomeBook, HomeSaid, HomeSubject
from api.forecasts.homes import HomeForecasts
from api.forecasts.states import Span
from api.people.accounts import SYSTEM, add_account
from api.people.book import PeopleBook
from api.people.opening import open_people
from api.people.privacy import erase_account
from api.people.visitor import Stay
from kwartier.errors import StoreBusyError
from kwartier.interval import Quarter, local_day
from kwartier.units import EpochS
from optimizer.forecasting.choose import Why
from optimizer.forecasting.score import Tally
from optimizer.forecasting.soon import AS_WIDE
from tests.api.conftest import log_in
from tests.api.planning import Scene, scene, use_in
from tests.api.street import DAY, Street

DAY_S = 86_400
MIDNIGHT_S = int(datetime(2026, 7, 7, 22, tzinfo=UTC).timestamp())
"""8 July 2026, 00:00 in the Netherlands."""
LEFT, STAYED = "huis-02", "huis-03"
"""The first home has a roof."""
OWN_MIDNIGHT_S = local_day(DAY)[0]
HELD = Tally(off=2.0, lean=-1.0, came=40.0, quarters=96, inside=80, ranged=96)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Three homes that used 100, 200 and 300 Wh a quarter for twelve days."""
    with scene(tmp_path_factory.mktemp("street"), MIDNIGHT_S + DAY_S, homes=3) as made:
        for home in range(3):
            use_in(made, home, MIDNIGHT_S - 11 * DAY_S, MIDNIGHT_S + DAY_S, 1, wh=100 * (home + 1))
        yield made


@pytest.fixture
def people(street: Scene, tmp_path: Path) -> Iterator[PeopleBook]:
    """A book of people at the street's time: an hour after midnight."""
    street.clock.advance(max(0.0, MIDNIGHT_S + 3_600 - street.clock.now_s()))
    made = open_people(tmp_path / "state", street.clock)
    yield made
    made.close()


def of(street: Scene, book: HomeBook, people: PeopleBook | None = None) -> HomeForecasts:
    return HomeForecasts(street.records, street.community, book, people=people)


def work(homes: HomeForecasts, now_s: EpochS) -> None:
    assert not homes.work(now_s, lambda: True, lambda: 0.5)


def said(since_s: EpochS, start_s: EpochS = MIDNIGHT_S) -> HomeSaid:
    kw = np.full((3, 384), 0.25, dtype=np.float32)
    return HomeSaid(start_s, since_s, "blend", Why.BEST, since_s, 0.0, AS_WIDE, kw)


def copy(noon: Street, client: httpx.Client, home: str) -> dict[str, str]:
    with httpx.Client(base_url=client.base_url, timeout=30) as reader:
        log_in(noon, reader, home)
        origin = {"Origin": noon.house.public_url}
        answer = reader.post("/hulp/privacy/kopie", headers=origin)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_who_is_forgotten_takes_along_what_rests_on_their_days(
    street: Scene, people: PeopleBook, tmp_path: Path
) -> None:
    book = HomeBook(tmp_path / "homes.db")
    homes = of(street, book, people)
    work(homes, MIDNIGHT_S)
    work(homes, MIDNIGHT_S + DAY_S)
    before = homes.tomorrow(LEFT, MIDNIGHT_S + DAY_S)
    with people.writing() as desk:
        leaving = add_account(desk, SYSTEM, name="Fatma")
        erase_account(desk, leaving, [Stay(LEFT, MIDNIGHT_S - 30 * DAY_S)])

    work(homes, MIDNIGHT_S + DAY_S + 3_600)
    again = of(street, book, people)
    work(again, MIDNIGHT_S + DAY_S + 3_600)

    assert before is not None
    for one in (homes, again):
        assert one.tomorrow(LEFT, MIDNIGHT_S + DAY_S) is None
        assert one.tomorrow(STAYED, MIDNIGHT_S + DAY_S) is not None
        found = one.per_home([LEFT, STAYED], Quarter(MIDNIGHT_S + DAY_S + 3_600), 4)
        assert found[LEFT].use.days.tolist() == [0.0] * 4  # the profile of any home
        assert found[STAYED].use.likely == pytest.approx(np.full(4, 1.2), abs=0.01)
    assert book.held_of(LEFT) == []
    assert book.held_of(STAYED) != []
    # Until it was said anew from nothing there was no row of that home at all.
    kept = [each for each in book.all_said().items() if each[0].home == LEFT]
    assert all(each.since_s == each.start_s for _, each in kept)
    book.close()


def test_my_copy_holds_what_is_expected_of_my_home_and_how_it_held(
    noon: Street, client: httpx.Client
) -> None:
    book = HomeBook()
    # The account of a home without books lives there since 1970; before that is somebody else's.
    mine, others = OWN_MIDNIGHT_S - 30 * DAY_S, -900
    for home, since_s in ((STAYED, mine), ("huis-04", others)):
        told = {Span.DAY: HELD, Span.SOON: HELD}
        book.keep(HomeSubject(home, "use"), said(since_s, OWN_MIDNIGHT_S), told, since_s)
    HomeForecasts(noon.house.records, noon.house.community, book, noon.house.forecasts)

    own, other = copy(noon, client, STAYED), copy(noon, client, "huis-04")
    noon.house.forecasts.ahead = None

    rows = list(csv.DictReader(io.StringIO(own["expected/huis-03.csv"])))
    assert len(rows) == 384
    assert rows[0] == {
        "start": "2026-06-30T22:00:00Z",
        "of": "use",
        "likely_w": "250",
        "low_w": "250",
        "high_w": "250",
        "method": "blend",
        "rests_on_since": "2026-05-31T22:00:00Z",
    }
    held = list(csv.DictReader(io.StringIO(own["held/huis-03.csv"])))
    assert [row["said"] for row in held] == ["when the day began", "in the hour before"]
    # 2 kW over a quarter-hour are 500 Wh.
    assert (held[0]["day"], held[0]["off_wh"], held[0]["in_range"]) == ("2026-06-30", "500", "80")
    assert not [name for name in own if "huis-04" in name]
    # What rests on somebody else's days is not told, nor how far it was off on one's own.
    assert not [name for name in other if name.startswith(("expected/", "held/"))]


def test_the_book_is_for_its_own_account_only(tmp_path: Path) -> None:
    book = HomeBook(tmp_path / "homes.db")
    book.keep(HomeSubject(LEFT, "use"), said(MIDNIGHT_S - DAY_S), {}, 0)

    rights = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    book.close()

    assert rights["homes.db"] == 0o600
    assert set(rights.values()) == {0o600}


def test_a_damaged_book_is_begun_anew_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    (tmp_path / "homes.db").write_bytes(b"no database, and long enough to be read as one" * 40)

    book = HomeBook(tmp_path / "homes.db")
    book.keep(HomeSubject(LEFT, "use"), said(MIDNIGHT_S - DAY_S), {}, 0)

    assert len(book.all_said()) == 1
    book.close()
    assert [each.name for each in tmp_path.iterdir()] == ["homes.db"]


def test_how_it_held_goes_with_the_days_it_rested_on(tmp_path: Path) -> None:
    book = HomeBook(tmp_path / "homes.db")
    forgotten_s = MIDNIGHT_S - 7 * DAY_S
    for home, since_s in ((LEFT, forgotten_s - DAY_S), (STAYED, forgotten_s)):
        told = said(MIDNIGHT_S - DAY_S)
        book.keep(HomeSubject(home, "use"), told, {Span.DAY: HELD}, since_s)

    for home in (LEFT, STAYED):
        book.forget(home, forgotten_s)

    assert book.held_of(LEFT) == []
    assert [one.since_s for one in book.held_of(STAYED)] == [forgotten_s]
    book.close()


def test_a_book_of_another_version_is_begun_anew(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "homes.db")) as older:
        older.execute("create table held (home text not null, day_s integer not null)")

    book = HomeBook(tmp_path / "homes.db")
    book.keep(HomeSubject(LEFT, "use"), said(MIDNIGHT_S - DAY_S), {Span.DAY: HELD}, MIDNIGHT_S)

    assert len(book.held_of(LEFT)) == 1
    book.close()


def test_homes_are_forecast_while_their_book_cannot_be_written(
    street: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    book = HomeBook(tmp_path / "homes.db")
    homes = of(street, book)
    book.close()  # as on a disk that is full: everything it is asked fails

    work(homes, MIDNIGHT_S)

    found = homes.per_home([STAYED], Quarter(MIDNIGHT_S), 4)
    assert found[STAYED].use.likely == pytest.approx(np.full(4, 1.2), abs=0.01)
    told = [line for line in caplog.messages if "not written down" in line]
    assert len(told) == 1
    with pytest.raises(StoreBusyError):
        homes.kept_of(STAYED)
