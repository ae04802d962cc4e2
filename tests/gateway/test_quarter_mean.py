"""What passed too much in a quarter is made up in its rest; what did not come in time is not."""

from __future__ import annotations

import pytest

from gateway.steer.quarter_mean import QuarterMean

FULL_W = 20_000
END_S = 900.0


def heard(grid_w: int, *, wanted_w: int, until_s: int, every_s: int = 10) -> QuarterMean:
    mean = QuarterMean()
    mean.begin(0.0)
    for at_s in range(0, until_s + 1, every_s):
        mean.hear(float(at_s), grid_w, None, wanted_w)
    return mean


def test_what_passed_too_much_is_shared_out_over_the_rest() -> None:
    mean = heard(13_000, wanted_w=10_000, until_s=300)

    # 3 kW for 300 s, over 600 s.
    assert mean.extra_w(10_000, END_S, 300.0, FULL_W) == -1_500


def test_the_last_seconds_are_not_chased() -> None:
    mean = heard(10_600, wanted_w=10_000, until_s=890)

    # 600 W for 890 s, over 120 s and not over ten.
    assert mean.extra_w(10_000, END_S, 890.0, FULL_W) == -4_450


def test_it_is_bounded_by_a_part_of_the_power() -> None:
    mean = heard(30_000, wanted_w=10_000, until_s=890)

    assert mean.extra_w(10_000, END_S, 890.0, FULL_W) == -5_000


@pytest.mark.parametrize(("grid_w", "extra_w"), [(10_000, -2_500), (1_000, -1_000), (0, 0)])
def test_what_was_taken_is_not_paid_back_by_giving(grid_w: int, extra_w: int) -> None:
    mean = heard(grid_w + 5_000, wanted_w=grid_w, until_s=300)

    assert mean.extra_w(grid_w, END_S, 300.0, FULL_W) == extra_w


def test_registers_bridge_what_no_telegram_told() -> None:
    mean = QuarterMean()
    mean.begin(0.0)
    mean.hear(0.0, 10_000, 5_000_000, 10_000)

    # 1,000 Wh in 300 s are 12 kW on average, whatever the meter shows at both ends.
    mean.hear(300.0, 10_000, 5_001_000, 10_000)

    assert mean.extra_w(10_000, END_S, 300.0, FULL_W) == -1_000


def test_another_meter_s_registers_are_not_counted() -> None:
    mean = QuarterMean()
    mean.begin(0.0)
    mean.hear(0.0, 10_000, 5_000_000, 10_000)

    mean.hear(10.0, 10_000, 17_000, 10_000)

    assert mean.extra_w(10_000, END_S, 300.0, FULL_W) == 0


def test_another_plan_for_the_same_quarter_forgets_nothing() -> None:
    mean = heard(13_000, wanted_w=10_000, until_s=300)

    mean.begin(0.002)

    assert mean.extra_w(10_000, END_S, 300.0, FULL_W) == -1_500


def test_a_meter_that_was_away_owes_nothing_where_it_has_no_registers() -> None:
    mean = QuarterMean()
    mean.begin(0.0)
    mean.hear(0.0, 20_000, None, 10_000)
    mean.hear(300.0, 20_000, None, 10_000)

    assert mean.extra_w(10_000, END_S, 300.0, FULL_W) == 0


def test_another_quarter_owes_nothing_of_the_one_before() -> None:
    mean = heard(13_000, wanted_w=10_000, until_s=890)

    mean.begin(900.0)
    mean.hear(910.0, 13_000, None, 10_000)

    # Ten seconds of the twenty since the last word are of this quarter: 30 kWs, 34 W of its rest.
    assert mean.extra_w(10_000, 1_800.0, 910.0, FULL_W) == 0
