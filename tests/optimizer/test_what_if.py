"""What a neighbourhood would be: the same days with another roof, tariff or battery."""

from __future__ import annotations

import numpy as np
import pytest

from kwartier.errors import InputError
from kwartier.interval import Quarter
from optimizer.backtest.course import Course
from optimizer.backtest.walk import Connection
from optimizer.forecast import DAY
from optimizer.what_if.course import Change, changed_connection, changed_course

START_S = Quarter.parse("2026-01-11T23:00:00Z").start_s


def course_of(days: int) -> Course:
    count = days * DAY
    return Course(
        START_S, np.ones(count), np.full(count, 0.5), np.full(count, 0.30), np.full(count, 0.10)
    )


def test_a_tariff_changes_what_is_paid_and_nothing_else() -> None:
    course = course_of(2)

    other = changed_course(course, Change(buy_more_eur_per_kwh=-0.05, sell_more_eur_per_kwh=0.02))

    assert other.buy_eur_per_kwh == pytest.approx([0.25] * course.quarters)
    assert other.sell_eur_per_kwh == pytest.approx([0.12] * course.quarters)
    assert np.array_equal(other.sun_kw, course.sun_kw)


def test_a_roof_more_makes_what_the_others_make() -> None:
    # Half a kW all through a year is 4,383 kWh: as much again doubles it.
    other = changed_course(course_of(365), Change(more_sun_kwh=4383.0))

    assert other.sun_kw == pytest.approx([1.0] * other.quarters)


def test_a_roof_more_needs_a_year_of_sun() -> None:
    with pytest.raises(InputError, match="give sun=FACTOR instead"):
        changed_course(course_of(30), Change(more_sun_kwh=1000.0))


def test_a_connection_keeps_what_is_not_changed() -> None:
    before = Connection(import_limit_kw=50.0, peak_price_eur_per_kw=2.0)

    other = changed_connection(before, Change(import_limit_kw=40.0))

    assert other == Connection(import_limit_kw=40.0, peak_price_eur_per_kw=2.0)
