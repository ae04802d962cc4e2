"""Gaps estimated, on figures worked out by hand in the comments."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kwartier.errors import ContractError
from kwartier.interval import QUARTER_S, Quarter, local_day
from optimizer.settling.estimation import Estimate, Method, NothingKnownError, estimate_gap

WEDNESDAY = date(2026, 7, 22)
NOON = Quarter(local_day(WEDNESDAY)[0] + 12 * 3600)
WEEK_S = 7 * 24 * 3600
GAP = [NOON, NOON.next(), NOON.next(2)]


def history(*weeks: tuple[int, ...]) -> dict[int, int]:
    """Return what was measured at the times of the gap, one week before, two weeks before, ..."""
    return {
        quarter.start_s - (before + 1) * WEEK_S: energy_wh
        for before, energies_wh in enumerate(weeks)
        for quarter, energy_wh in zip(GAP, energies_wh, strict=True)
    }


def test_a_difference_is_spread_by_the_same_weekdays() -> None:
    # The means are 100, 200 and 100: of 10 Wh 2.5, 5 and 2.5, and the earlier half goes up.
    told = estimate_gap(GAP, history((80, 200, 100), (120, 200, 100)), 10)

    assert told == Estimate((3, 5, 2), Method.PROFILE)


def test_a_quarter_without_history_counts_as_the_mean_of_the_others() -> None:
    measured = history((100, 200, 300))
    del measured[GAP[2].start_s - WEEK_S]

    # 100 and 200 make 150 of the third: 450, of which 90 Wh are 20, 40 and 30.
    assert estimate_gap(GAP, measured, 90) == Estimate((20, 40, 30), Method.PROFILE)


@pytest.mark.parametrize("measured", [{}, history((0, 0, 0))])
def test_a_difference_without_a_profile_is_spread_evenly(measured: dict[int, int]) -> None:
    assert estimate_gap(GAP, measured, 10) == Estimate((4, 3, 3), Method.EVEN)


def test_a_register_that_stood_still_counted_nothing() -> None:
    assert estimate_gap(GAP, history((100, 200, 300)), 0).energy_wh == (0, 0, 0)


def test_without_a_difference_the_last_three_weeks_are_averaged() -> None:
    # Means of 100, 101 and 103 is 101.333...; of 0, 0, 1 a third; of 5, 5, 5 five. Together
    # 106.666..., so 107: floors 101, 0 and 5 leave one, and equal thirds give it to the first.
    # A fourth week is not asked.
    measured = history((100, 0, 5), (101, 0, 5), (103, 1, 5), (9999, 9999, 9999))

    assert estimate_gap(GAP, measured, None) == Estimate((102, 0, 5), Method.RECENT)


def test_one_of_the_three_weeks_is_enough() -> None:
    measured = {quarter.start_s - 3 * WEEK_S: 7 for quarter in GAP}

    assert estimate_gap(GAP, measured, None) == Estimate((7, 7, 7), Method.RECENT)


def test_a_gap_about_which_nothing_is_known_is_refused() -> None:
    measured = {GAP[0].start_s - WEEK_S: 7, GAP[1].start_s - 4 * WEEK_S: 7}

    with pytest.raises(NothingKnownError, match=r"^gap at 2026-07-22T10:15:00Z: no register"):
        estimate_gap(GAP, measured, None)


def test_the_same_time_of_the_week_is_told_by_the_clock_on_the_wall() -> None:
    # 12:00 on Wednesday 2026-04-01 is 10:00Z; a week before, in winter time, 12:00 is 11:00Z.
    noon = Quarter(local_day(date(2026, 4, 1))[0] + 12 * 3600)
    measured = {noon.start_s - WEEK_S + 3600: 42}

    assert estimate_gap([noon], measured, None).energy_wh == (42,)


@pytest.mark.parametrize(
    ("gap", "difference_wh", "message"),
    [
        ([], 5, "holds no quarter"),
        ([NOON, NOON], 5, "does not come after"),
        ([NOON.next(), NOON], 5, "does not come after"),
        ([NOON], -1, "it only counts up"),
    ],
)
def test_a_gap_that_cannot_be_is_refused(
    gap: list[Quarter], difference_wh: int, message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        estimate_gap(gap, {}, difference_wh)


@settings(max_examples=200)
@given(
    day=st.sampled_from([date(2026, 3, 29), date(2026, 10, 25), WEDNESDAY]),
    first=st.integers(0, 80),
    count=st.integers(1, 12),
    difference_wh=st.integers(0, 10**7),
    measured=st.dictionaries(st.integers(0, 8 * 7 * 96), st.integers(0, 4000), max_size=60),
)
def test_an_estimate_adds_up_to_the_difference(
    day: date, first: int, count: int, difference_wh: int, measured: dict[int, int]
) -> None:
    start_s = local_day(day)[0] + first * QUARTER_S
    gap = [Quarter(start_s + place * QUARTER_S) for place in range(count)]
    origin_s = local_day(day - timedelta(weeks=8))[0]
    measured_wh = {origin_s + place * QUARTER_S: wh for place, wh in measured.items()}

    told = estimate_gap(gap, measured_wh, difference_wh)

    assert len(told.energy_wh) == count
    assert sum(told.energy_wh) == difference_wh
    assert min(told.energy_wh) >= 0
    assert told.method in {Method.PROFILE, Method.EVEN}
