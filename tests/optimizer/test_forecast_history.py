"""A history lies on the wall clock: days of 92, 96 and 100 quarters, weekdays, days before."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from kwartier.errors import InputError
from optimizer.forecasting.history import History, days_before, local_quarters


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_a_winter_night_begins_an_hour_before_utc_does() -> None:
    quarters = local_quarters(at("2026-01-04T23:00"), 96)

    assert quarters.slot.tolist() == list(range(96))
    assert set(quarters.weekday.tolist()) == {0}  # 5 January 2026 is a Monday


def test_the_day_of_the_skipped_hour_has_92_quarters_and_no_slots_of_it() -> None:
    # 29 March 2026: local midnight is 23:00 UTC the day before, the next one 22:00 UTC.
    quarters = local_quarters(at("2026-03-28T23:00"), 93)

    assert quarters.slot[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15]
    assert quarters.slot[91] == 95
    assert quarters.slot[92] == 0


def test_the_day_of_the_repeated_hour_has_100_quarters_and_its_slots_twice() -> None:
    # 25 October 2026: from 22:00 UTC to 23:00 UTC.
    quarters = local_quarters(at("2026-10-24T22:00"), 100)

    assert len(set(quarters.day.tolist())) == 1
    assert quarters.slot[8:16].tolist() == [8, 9, 10, 11, 8, 9, 10, 11]


def test_the_days_before_keep_the_time_on_the_clock_when_it_changes() -> None:
    # From 28 March 00:00 local: each quarter is worth its slot, for a day; then the day of change.
    start_s = at("2026-03-27T23:00")
    known = local_quarters(start_s, 96 + 92).slot.astype(np.float64)
    history = History(start_s, known)

    before = days_before(history, 96, window=3)

    assert before[0, :8].tolist() == list(range(8))
    assert np.isnan(before[0, 8:12]).all()  # the hour that was skipped yesterday
    assert before[0, 12:].tolist() == list(range(12, 96))
    assert before[1].tolist() == list(range(96))
    assert np.isnan(before[2]).all()


def test_what_is_not_past_yet_is_not_known() -> None:
    history = History(at("2026-01-04T23:00"), np.arange(96, dtype=np.float64))

    before = days_before(history, 120, window=2)

    assert before[0, :96].tolist() == list(range(96))
    assert np.isnan(before[0, 96:]).all()
    assert before[1, 96:].tolist() == list(range(24))


def test_nonsense_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="quarter-hour"):
        History(17, np.zeros(4))
    with pytest.raises(InputError, match="infinite"):
        History(0, np.array([np.inf]))
    with pytest.raises(InputError, match="0 steps"):
        days_before(History(0, np.zeros(4)), 0)
