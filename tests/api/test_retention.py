"""What has reached its end goes, by one table; what is erased is in no file any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from api.enrolment.jobs import ask_job, judge_job
from api.overview.day_file import DayFile
from api.overview.day_sums import AreaDay, HomeDay, HomeQuarters, Origin
from api.overview.keeper import DAYS_KEPT
from api.people.accounts import SYSTEM, account_of, add_account, add_stay, end_account
from api.people.acts import first_broken
from api.people.book import PeopleBook
from api.people.companions import invite
from api.people.forgetting import FORGOTTEN_DAYS, Forgotten, forgotten
from api.people.guards import HANDOVER_DAYS
from api.people.looks import looks_by, note_look
from api.people.opening import open_people
from api.people.privacy import erase_account
from api.people.questions import ask
from api.people.retention import KEPT, let_go
from api.people.sessions import open_session
from api.people.tables import (
    ActRow,
    JobRow,
    MessageRow,
    PeopleBase,
    QuestionRow,
    SessionRow,
    ToldHomesRow,
)
from api.people.told import ToldBook
from api.people.visitor import Role, Stay, Visitor
from collectors.told import Telling, ToldSum
from kwartier.clock import VirtualClock
from kwartier.interval import day_of

LONG_AGO_S = 1_600_000_000
"""13 September 2020: longer ago than anything is kept, but for stays."""
DAY_S = 86_400
BOARD = Visitor("a-board", frozenset({Role.BOARD}), frozenset({Role.BOARD}))


@pytest.fixture
def clock() -> VirtualClock:
    """Long ago."""
    return VirtualClock(LONG_AGO_S)


@pytest.fixture
def book(tmp_path: Path, clock: VirtualClock) -> Iterator[PeopleBook]:
    """An empty book of people."""
    made = open_people(tmp_path, clock)
    yield made
    made.close()


def count(book: PeopleBook, table: type[PeopleBase]) -> int:
    """Return how many rows a table has."""
    with book.reading() as desk:
        return desk.session.scalar(select(func.count()).select_from(table)) or 0


def test_every_table_has_its_end_written_down_once() -> None:
    tables = [keep.table.__tablename__ for keep in KEPT]

    assert sorted(tables) == sorted(PeopleBase.metadata.tables)
    assert all(keep.why for keep in KEPT)
    assert all((keep.days is None) == (keep.old is None) for keep in KEPT)
    assert FORGOTTEN_DAYS > DAYS_KEPT


def test_what_has_reached_its_end_goes_and_the_rest_stays(
    book: PeopleBook, clock: VirtualClock
) -> None:
    _live_a_little(book)
    clock.advance(89 * DAY_S)
    early = let_go(book)

    clock.advance(730 * DAY_S)
    _live_a_little(book)
    gone = let_go(book)

    assert early == {}
    assert gone == {"session": 1, "companion": 1, "look": 1, "told": 1, "told_homes": 1}
    for table in (SessionRow, ToldHomesRow):
        assert count(book, table) == 1
    with book.reading() as desk:
        assert len(looks_by(desk, "a-board", 10)) == 1
        assert first_broken(desk) is None
        last = desk.session.scalars(select(ActRow).order_by(ActRow.id.desc()).limit(1)).one()
        assert (last.account, last.act) == ("system", "retention")
        assert last.facts == '{"companion":1,"look":1}'
    assert let_go(book) == {}


def test_an_ended_account_keeps_its_name_for_a_year_and_an_open_question_stays(
    book: PeopleBook, clock: VirtualClock
) -> None:
    with book.writing() as desk:
        account = add_account(desk, SYSTEM, name="Fatma")
        ask(desk, account, "", "2026-07/1/1", "Klopt dit?")
        end_account(desk, SYSTEM, account)
    clock.advance(399 * DAY_S)
    early = let_go(book)
    with book.reading() as desk:
        name = account_of(desk, account).name

    clock.advance(2 * DAY_S)
    gone = let_go(book)

    assert (early, name) == ({}, "Fatma")
    assert gone == {"account": 1}
    with book.reading() as desk:
        assert account_of(desk, account).name == ""
    assert count(book, QuestionRow) == 1
    assert let_go(book) == {}


def test_a_refused_job_goes_with_its_meter_and_one_that_waits_stays(
    book: PeopleBook, clock: VirtualClock
) -> None:
    with book.writing() as desk:
        refused = ask_job(desk, "a-board", "gw-01", "home-1", meter="E0031", address="Dorp 1")
        judge_job(desk, "a-board", refused, approved=False)
        ask_job(desk, "a-board", "gw-02", "home-2")
    clock.advance((HANDOVER_DAYS - 1) * DAY_S)
    early = let_go(book)
    clock.advance(2 * DAY_S)

    assert (early, let_go(book)) == ({}, {"gateway_job": 1})
    assert count(book, JobRow) == 1


def test_of_very_many_rows_some_go_at_once(book: PeopleBook, clock: VirtualClock) -> None:
    with book.writing() as desk:
        desk.session.add_all(_message(number) for number in range(2_500))
    clock.advance(401 * DAY_S)

    rounds = [let_go(book), let_go(book), let_go(book)]

    assert rounds == [{"message": 2_000}, {"message": 500}, {}]


def test_what_is_erased_is_found_in_no_file(book: PeopleBook, tmp_path: Path) -> None:
    with book.writing() as desk:
        people = [add_account(desk, SYSTEM, name=f"bewoner {each}") for each in range(60)]
        for each in people:
            ask(desk, each, "", "2026-07/1/1", "waarom? " * 20)
            invite(desk, each, each, "home-1", "Fatma", 7)
    sealed = _sealed_texts(book)
    with book.writing() as desk:
        for each in people[::2]:
            erase_account(desk, each)
    left = _sealed_texts(book)

    before = _bytes(tmp_path)
    assert book.clear_log()
    after = _bytes(tmp_path)

    erased = sealed - left
    assert len(erased) == 30 * 4  # name, mail, question, helper
    assert all(each in before for each in erased)
    assert [each for each in erased if each in after] == []
    assert all(each in after for each in left)


def test_days_go_with_who_lived_there_unless_others_lived_there_too(
    book: PeopleBook, clock: VirtualClock
) -> None:
    now_s = clock.now_s()
    today = day_of(now_s)
    with book.writing() as desk:
        leaving = add_account(desk, SYSTEM, name="Fatma")
        other = add_account(desk, SYSTEM, name="Bram")
        add_stay(desk, SYSTEM, leaving, "home-1", int(now_s) - 10 * DAY_S, None)
        add_stay(desk, SYSTEM, other, "home-1", int(now_s) - 30 * DAY_S, int(now_s) - 4 * DAY_S)
        erase_account(desk, leaving, [Stay("home-2", int(now_s) - DAY_S)])

    with book.reading() as desk:
        known = forgotten(desk)
    days = [today - timedelta(days=back) for back in range(40)]
    assert [day for day in days if _gone(known, "home-1", day)] == days[:4]
    assert [day for day in days if _gone(known, "home-2", day)] == days[:2]


def test_the_overview_lets_go_of_a_home_and_keeps_the_neighbourhoods_sums(tmp_path: Path) -> None:
    file, monday = DayFile(tmp_path / "overview.db"), date(2026, 10, 5)
    days = [monday + timedelta(days=ahead) for ahead in range(3)]
    for day in days:
        homes = [_home_day(home, day) for home in ("home-1", "home-2")]
        file.keep_day(AreaDay(day, 0, 96, homes=2, use_wh=4_321), homes)
    file.keep_bands(monday, 0, {"home-1": "more", "home-2": "less"})

    went = file.forget_home("home-1", days[1], days[2])
    again = file.forget_home("home-1", days[1], days[2])

    end = days[2] + timedelta(days=1)
    assert (went, again) == (True, False)
    assert [each.day for each in file.home_days("home-1", monday, end)] == days[:1]
    assert file.quarters("home-1", days[2]) == {}
    assert len(file.home_days("home-2", monday, end)) == 3
    assert [each.use_wh for each in file.area_days(monday, end)] == [4_321] * 3
    assert (file.band("home-1", monday), file.band("home-2", monday)) == (None, "less")
    file.close()


def _live_a_little(book: PeopleBook) -> None:
    """Have one of most things happen now."""
    at_s = int(book.clock.now_s())
    with book.writing() as desk:
        account = add_account(desk, SYSTEM, name="Fatma")
        open_session(desk, account, "card")
        invite(desk, account, account, "home-1", "Ali", 7)
    note_look(book, BOARD, "home-1", "quarters", day_of(at_s), day_of(at_s), "a question")
    homes = frozenset({f"home-{at_s}", "home-2"})
    told = ToldSum(at_s - at_s % 900, homes, 1, 2, 3, 4, 0, None)
    ToldBook(book).keep([Telling(told, None)], 0.0)


def _message(number: int) -> MessageRow:
    return MessageRow(
        key=f"record:{number}",
        kind="record",
        channel="mail",
        account="a",
        party="",
        subject="x",
        facts="{}",
        mail_id=str(number),
        state="sent",
        tries=1,
        due_at_s=LONG_AGO_S,
        made_at_s=LONG_AGO_S,
        tried_at_s=LONG_AGO_S,
        done_at_s=LONG_AGO_S,
        remark="",
    )


def _sealed_texts(book: PeopleBook) -> set[bytes]:
    """Return everything sealed in accounts, questions and helpers."""
    with book.writing() as desk:
        found = desk.session.connection().exec_driver_sql(
            "select name from account union select email from account"
            " union select text from question union select name from companion"
        )
        return {str(text).encode() for (text,) in found}


def _bytes(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in sorted(folder.glob("people.db*")))


def _gone(known: list[Forgotten], home: str, day: date) -> bool:
    return any(each.covers(home, day) for each in known)


def _home_day(home: str, day: date) -> tuple[HomeDay, HomeQuarters]:
    each = np.zeros(96, np.int64)
    return HomeDay(home, day, Origin.RECORD, *([0] * 14)), HomeQuarters(*([each] * 8))
