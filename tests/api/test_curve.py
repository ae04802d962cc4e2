"""The geometry of the day's curve: what is known is drawn, what is not is a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from api.day import Day, DayQuarter, Gain, Kind
from api.pages.curve import Band, Curve, curve_of
from api.pages.language import language
from api.plans import PlanBlock
from kwartier.interval import quarters_of_day
from optimizer.moment import Moment, MomentReason, Signal
from optimizer.settlement import Status


def day_of(on: date, known: range, now_place: int) -> Day:
    """Return a day of 1,000 Wh sun and 500 Wh use in the known quarters."""
    quarters = tuple(
        DayQuarter(quarter.start_s, Kind.MEASURED, 40, 1_000, 500)
        if place in known
        else DayQuarter(quarter.start_s, Kind.MISSING if place < now_place else Kind.UNKNOWN)
        for place, quarter in enumerate(quarters_of_day(on))
    )
    now_s = quarters[now_place].start_s
    gain = Gain(0, Decimal(0))
    return Day(on, now_s, quarters, (), gain, None, Status.PROVISIONAL)


def curve(day: Day) -> Curve:
    """Return its drawing under a signal that says nothing."""
    silent = Signal(
        Moment.UNKNOWN, int(day.now_s), None, None, None, 0.0, MomentReason.DATA_MISSING
    )
    return curve_of(day, silent)


def test_a_run_is_drawn_from_edge_to_edge() -> None:
    drawn = curve(day_of(date(2026, 7, 1), range(2), 2))

    # The top is 1.12 x 1,000 Wh, so 1,000 Wh lies at 1,000 x (1 - 1 / 1.12) = 107.1 from above.
    assert drawn.solar_line == "M0 107L0.5 107 1.5 107 2 107"
    assert drawn.solar == "M0 1000L0 107L0.5 107 1.5 107 2 107V1000Z"
    assert drawn.use_line == "M0 554L0.5 554 1.5 554 2 554"


def test_a_gap_breaks_the_line_and_is_a_band() -> None:
    day = day_of(date(2026, 7, 1), range(48), 60)
    broken = day.quarters[:12] + tuple(
        DayQuarter(quarter.start_s, Kind.MISSING) for quarter in day.quarters[12:24]
    )
    drawn = curve(Day(day.date, day.now_s, broken + day.quarters[24:], (), None, None, day.status))

    assert drawn.solar_line.count("M") == 2
    assert drawn.gaps[0] == Band(12.5, 12.5)


@pytest.mark.parametrize(
    ("on", "columns", "noon"),
    [
        (date(2026, 3, 29), 92, 47.83),  # 12 o'clock is quarter 44 of 92
        (date(2026, 7, 1), 96, 50.0),
        (date(2026, 10, 25), 100, 52.0),  # quarter 52 of 100
    ],
)
def test_the_hours_stand_where_they_are_on_days_of_any_length(
    on: date, columns: int, noon: float
) -> None:
    drawn = curve(day_of(on, range(40), 40))

    assert drawn.columns == columns
    assert [tick.value for tick in drawn.hours] == [0, 6, 12, 18, 24]
    assert drawn.hours[2].at == noon


def test_now_divides_what_was_from_what_comes() -> None:
    drawn = curve(day_of(date(2026, 7, 1), range(48), 48))

    assert drawn.now == 50.0
    assert drawn.forecast == Band(50.0, 50.0)


def test_powers_at_the_side_are_round() -> None:
    drawn = curve(day_of(date(2026, 7, 1), range(48), 48))

    # 1,120 Wh in a quarter-hour is 4,480 W: marks at 2 and 4 kW.
    assert [tick.value for tick in drawn.powers] == [2_000, 4_000]


def test_the_same_thing_done_for_two_reasons_is_one_band() -> None:
    day = day_of(date(2026, 7, 1), range(48), 48)
    blocks = tuple(
        PlanBlock(day.start_s + first * 3600, day.start_s + last * 3600, "b", action, why, "", "")
        for first, last, action, why in (
            (0, 6, "discharge", "own_use"),
            (6, 12, "discharge", "price_high"),
            (12, 18, "charge", "solar_surplus"),
        )
    )

    drawn = curve(replace(day, blocks=blocks))

    assert drawn.blocks == (
        Band(0.0, 50.0, "discharge", labelled=True),
        Band(50.0, 25.0, "charge", labelled=True),
    )


def test_small_powers_are_told_in_watts() -> None:
    dutch = language("nl")

    assert [dutch.axis_power(value, 100) for value in (50, 100)] == ["50 W", "100 W"]
    assert [dutch.axis_power(value, 1_500) for value in (500, 1_000)] == ["0,5 kW", "1 kW"]
