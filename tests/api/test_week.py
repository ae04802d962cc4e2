"""The week to come: good around noon where there was sun to spare, unknown without a past."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.week import moments_of_week
from optimizer.moment import Moment
from tests.api.street import street


def test_the_hours_of_yesterday_are_expected_again(tmp_path: Path) -> None:
    # Half past eleven in the evening: nearly the whole day is known.
    night_s = int(datetime(2026, 7, 1, 21, 30, tzinfo=UTC).timestamp())
    with street(tmp_path, now_s=night_s) as made:
        week = moments_of_week(made.house)

    assert [day.date for day in week] == [date(2026, 7, place) for place in range(2, 9)]
    hours = [hour.state for hour in week[0].hours]
    assert hours[12] is Moment.GOOD
    assert hours[7] is Moment.LATER
    assert hours[22] is not Moment.GOOD
    assert all(day.has_good for day in week)


def test_without_a_past_nothing_is_known(tmp_path: Path) -> None:
    before_s = int(datetime(2026, 6, 30, 22, 5, tzinfo=UTC).timestamp())
    with street(tmp_path, now_s=before_s, planned=False) as made:
        week = moments_of_week(made.house)

    assert {hour.state for day in week for hour in day.hours} == {Moment.UNKNOWN}


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 10, 24), 25), (date(2027, 3, 27), 23), (date(2026, 7, 1), 24)]
)
def test_a_day_has_as_many_hours_as_it_has(tmp_path: Path, day: date, hours: int) -> None:
    noon_s = int(datetime(day.year, day.month, day.day, 12, 5, tzinfo=UTC).timestamp())
    with street(tmp_path, homes=6, day=day, now_s=noon_s) as made:
        week = moments_of_week(made.house)

    assert len(week[0].hours) == hours
    assert [len(one.hours) for one in week[1:]] == [24] * 6
