"""The day on which money moves: the papers' due day, and a day on which banks work."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cooperative.database import Books
from api.cooperative.officers import Officer
from api.cooperative.payments import draft
from api.cooperative.payments.paying_day import paying_day, target_day
from kwartier.interval import day_of
from tests.api.cooperative.paying import OWES, RUN, Company, settings

days = st.dates(date(2026, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("day", "opened"),
    [
        ("2026-11-20", "2026-11-20"),
        ("2026-11-21", "2026-11-23"),
        # Easter is 5 April 2026, 28 March 2027 and 25 April 2038.
        ("2026-04-03", "2026-04-07"),
        ("2027-03-26", "2027-03-30"),
        ("2038-04-23", "2038-04-27"),
        ("2026-05-01", "2026-05-04"),
        # Ascension Day and King's Day are no closing days of TARGET.
        ("2026-05-14", "2026-05-14"),
        ("2026-04-27", "2026-04-27"),
        ("2026-12-25", "2026-12-28"),
        ("2027-01-01", "2027-01-04"),
    ],
)
def test_banks_move_money_on_target_days(day: str, opened: str) -> None:
    assert target_day(date.fromisoformat(day)) == date.fromisoformat(opened)


@pytest.mark.parametrize(
    ("due", "today", "moved"),
    [
        ("2026-11-20", "2026-11-06", "2026-11-20"),
        ("2026-11-21", "2026-11-07", "2026-11-23"),
        # Past, today or tomorrow: a bank that has the file on a TARGET day moves on the next.
        ("2026-11-02", "2026-11-18", "2026-11-19"),
        ("2026-11-18", "2026-11-18", "2026-11-19"),
        ("2026-11-20", "2026-11-20", "2026-11-23"),
        ("2026-11-23", "2026-11-22", "2026-11-24"),
        (None, "2026-12-24", "2026-12-28"),
    ],
)
def test_money_moves_when_it_is_due_or_as_soon_as_a_bank_can(
    due: str | None, today: str, moved: str
) -> None:
    falls = None if due is None else date.fromisoformat(due)

    assert paying_day(falls, date.fromisoformat(today)) == date.fromisoformat(moved)


@given(due=days, today=days)
def test_a_bank_always_has_a_target_day_before_money_moves(due: date, today: date) -> None:
    moved = paying_day(due, today)

    assert moved == target_day(moved)
    assert moved >= due
    assert target_day(today) < moved
    # TARGET is closed for four days at the most, from Good Friday to Easter Monday.
    assert moved - max(due, today) <= timedelta(days=5)


def test_a_file_without_a_day_moves_money_on_the_latest_due_day(
    books: Books, treasurer: Officer, board: Officer, tmp_path: Path
) -> None:
    company = Company(books, settings(tmp_path), treasurer, board)
    company.members(1, 2, 3)
    with books.reading(treasurer) as desk:
        today = day_of(desk.at_s)
    first, corrected = (target_day(today + timedelta(days=days)) for days in (10, 24))
    company.papers((OWES, 1, 2412), due=first)
    company.papers((OWES, 2, 999), run="2026-07/2", due=corrected)
    company.papers((OWES, 3, 100), run="2026-08/1")

    with books.desk(treasurer) as desk:
        (latest,) = draft(desk, company.settings, RUN).files
        (undated,) = draft(desk, company.settings, "2026-08/1").files

    assert (latest.day, latest.count) == (corrected, 2)
    assert undated.day == paying_day(None, today)
