"""What a forecast looks back on: the same time on the clock, all homes, late readings too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from api.history import DAYS_BACK, History
from kwartier.interval import QUARTER_S, Quarter, same_time_before
from kwartier.units import EpochS
from tests.api.planning import HOMES, Scene, scene, use_in

DAY_S = 86_400


def instant(text: str) -> EpochS:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


NOW_S = instant("2026-07-08T10:00")


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, NOW_S) as made:
        yield made


def use_back(history: History, now_s: EpochS, back: int, count: int = 1) -> list[float | None]:
    """Return the use of a day back at the times of a horizon [kW]; None where not known."""
    use, _ = history.before(Quarter(now_s), count)
    return [None if np.isnan(kw) else round(float(kw), 9) for kw in use[back - 1]]


@pytest.mark.parametrize(
    ("at", "days", "before"),
    [
        # Clocks went forward at 01.00 UTC on 29 March 2026: noon came an hour earlier in UTC.
        ("2026-03-29T10:00", 1, "2026-03-28T11:00"),
        ("2026-03-30T10:00", 1, "2026-03-29T10:00"),
        # 02.30 on the clock did not exist that night; with the offset before it is 03.30.
        ("2026-03-30T00:30", 1, "2026-03-29T01:30"),
        # Clocks went back at 01.00 UTC on 25 October 2026; 02.30 came twice.
        ("2026-10-25T00:30", 1, "2026-10-24T00:30"),
        ("2026-10-25T01:30", 1, "2026-10-24T00:30"),
        ("2026-10-26T01:30", 1, "2026-10-25T00:30"),
        ("2026-10-26T11:00", 2, "2026-10-24T10:00"),
        ("2026-07-08T10:00", 28, "2026-06-10T10:00"),
    ],
)
def test_the_same_time_before_is_that_on_the_clock(at: str, days: int, before: str) -> None:
    assert same_time_before(instant(at), days) == instant(before)


def test_use_is_told_by_the_clock_across_a_clock_change(tmp_path: Path) -> None:
    # Of the day before, noon on the clock is the only quarter that is known.
    now_s, noon_s = instant("2026-03-29T10:00"), instant("2026-03-28T11:00")
    with scene(tmp_path, now_s) as street:
        for home in range(HOMES):
            use_in(street, home, noon_s, noon_s + QUARTER_S, 1)
        history = History(street.records)

        before = use_back(history, now_s - QUARTER_S, 1, count=3)

    assert before == [None, 4.0, None]


def test_sums_are_in_kw_over_all_homes_and_what_is_not_past_is_unknown(street: Scene) -> None:
    for home in range(HOMES):
        use_in(street, home, NOW_S - DAY_S, NOW_S, 1)
    history = History(street.records)

    yesterday = use_back(history, NOW_S, 1, count=144)
    earlier = use_back(history, NOW_S, 2)
    use, made = history.before(Quarter(NOW_S), 144)

    # Ten homes of 100 Wh a quarter are 4 kW.
    assert yesterday == [4.0] * 96 + [None] * 48
    assert earlier == [None]
    assert use.shape == made.shape == (DAYS_BACK, 144)


def test_readings_that_come_hours_late_are_seen_at_the_next_look(street: Scene) -> None:
    for home in range(HOMES):
        use_in(street, home, NOW_S - DAY_S, NOW_S - 4 * 3600, 1)
    history = History(street.records)
    at_s = NOW_S + DAY_S - 3600
    assert use_back(history, NOW_S, 1, count=96)[-8:] == [None] * 8

    for home in range(HOMES):
        use_in(street, home, NOW_S - 4 * 3600, NOW_S, 2)
    street.clock.advance(QUARTER_S)
    history.before(Quarter(NOW_S + QUARTER_S), 1)

    assert use_back(history, at_s, 1) == [4.0]


def test_days_that_a_gateway_brings_at_once_are_seen_within_a_day(street: Scene) -> None:
    history = History(street.records)
    assert use_back(history, NOW_S, 3) == [None]
    for home in range(HOMES):
        use_in(street, home, NOW_S - 4 * DAY_S, NOW_S, 1)
    street.clock.advance(DAY_S)

    assert use_back(history, NOW_S + DAY_S, 3) == [4.0]


def test_a_few_silent_homes_are_scaled_for(street: Scene) -> None:
    for home in range(HOMES):
        silent = home < 2
        use_in(street, home, NOW_S - 3 * DAY_S, NOW_S - (DAY_S if silent else 0), 1)
    history = History(street.records)

    # Eight of ten tell 3.2 kW between them; the two that fell silent count for a while.
    assert use_back(history, NOW_S + DAY_S - 7200, 1) == [4.0]


def test_a_quarter_of_which_too_few_homes_are_known_is_not_told(street: Scene) -> None:
    for home in range(HOMES):
        silent = home < 3
        use_in(street, home, NOW_S - 3 * DAY_S, NOW_S - (DAY_S if silent else 0), 1)
    history = History(street.records)

    assert use_back(history, NOW_S + DAY_S - 7200, 1) == [None]


def test_a_home_that_left_is_scaled_for_no_longer(street: Scene) -> None:
    for home in range(HOMES):
        left = home < 3
        use_in(street, home, NOW_S - 6 * DAY_S, NOW_S - (4 * DAY_S if left else 0), 1)
    history = History(street.records)

    # Seven homes of 100 Wh a quarter.
    assert use_back(history, NOW_S, 1) == [2.8]


def test_a_home_that_joins_does_not_hide_the_days_before_it(street: Scene) -> None:
    for home in range(HOMES):
        new = home < 5
        use_in(street, home, NOW_S - (DAY_S if new else 3 * DAY_S), NOW_S, 1)
    history = History(street.records)

    assert use_back(history, NOW_S, 2) == [2.0]
    assert use_back(history, NOW_S, 1) == [4.0]
