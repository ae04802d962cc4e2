"""The forecast is what was usual at the same time of day, and says where it knows nothing."""

from __future__ import annotations

import numpy as np
import pytest

from kwartier.errors import InputError
from optimizer.forecast import check_steps, expected, forecast_of
from optimizer.problem import FloatArray

NOTHING = float("nan")


def days(*rows: list[float]) -> FloatArray:
    return np.array(rows, dtype=np.float64)


def test_a_day_that_repeats_is_forecast_exactly() -> None:
    day = np.arange(96, dtype=np.float64)

    forecast = forecast_of(np.tile(day, (28, 1)))

    assert forecast.likely.tolist() == day.tolist()
    assert forecast.low.tolist() == forecast.high.tolist() == day.tolist()
    assert set(forecast.days.tolist()) == {28.0}


def test_one_odd_day_does_not_move_the_median() -> None:
    history = np.concatenate([np.ones((6, 96)), np.full((1, 96), 50.0)])

    assert set(forecast_of(history).likely.tolist()) == {1.0}


def test_the_range_leaves_out_one_day_in_ten_on_either_side() -> None:
    # Eleven days with values 0 to 10: the quantiles at 10, 50 and 90 % are 1, 5 and 9.
    forecast = forecast_of(days(*([float(value)] for value in range(11))))

    assert forecast.low.tolist() == pytest.approx([1.0])
    assert forecast.likely.tolist() == [5.0]
    assert forecast.high.tolist() == pytest.approx([9.0])


def test_what_is_missing_is_left_out_and_never_zero() -> None:
    forecast = forecast_of(days([NOTHING], [4.0], [6.0]))

    assert forecast.likely.tolist() == [5.0]
    assert forecast.days.tolist() == [2.0]


def test_an_empty_time_of_day_borrows_from_the_hour_around_it() -> None:
    assert expected(days([2.0, NOTHING, 4.0])).tolist() == [2.0, 3.0, 4.0]


def test_full_and_empty_times_of_day_stand_side_by_side() -> None:
    full = [[float(value), NOTHING, 2.0] for value in range(1, 9)]

    forecast = forecast_of(days(*full))

    # The empty one takes 1 to 8 and eight times 2 from beside it: the middle of sixteen is 2.
    assert forecast.likely.tolist() == [4.5, 2.0, 2.0]
    assert forecast.days.tolist() == [8.0, 0.0, 8.0]


def test_with_few_days_the_range_comes_from_the_hour_around() -> None:
    forecast = forecast_of(days([1.0, 2.0, 3.0, 4.0, 5.0]))

    assert forecast.likely.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    # Five values 1 to 5 in reach of the middle one: quantiles at 1.4 and 4.6.
    assert forecast.low[2] == pytest.approx(1.4)
    assert forecast.high[2] == pytest.approx(4.6)


def test_without_any_history_nothing_is_known() -> None:
    forecast = forecast_of(np.empty((0, 8)))

    assert np.isnan(forecast.likely).all()
    assert forecast.days.tolist() == [0.0] * 8


@pytest.mark.parametrize("steps", [0, -1, 2689])
def test_a_forecast_has_a_length(steps: int) -> None:
    with pytest.raises(InputError, match="ask for 1 to 2688"):
        check_steps(steps)


def test_infinity_is_refused() -> None:
    with pytest.raises(InputError, match="infinite"):
        forecast_of(days([1.0, float("inf")]))
