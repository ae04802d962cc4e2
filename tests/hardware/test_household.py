"""A virtual home: energy is conserved, registers only rise, every run is the same."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.twins.household import Habits, Household, street_of, sun_w, use_w
from kwartier.interval import local_day

START_S = local_day(date(2026, 6, 18))[0]
homes = st.sampled_from(street_of(12))


@given(home=homes, minutes=st.integers(1, 3000))
def test_what_is_used_is_what_was_taken_and_made_and_not_given(home: Habits, minutes: int) -> None:
    lived = Household(home, START_S)
    end_s = START_S + 60 * minutes

    lived.advance(end_s, 60)

    times = range(START_S, end_s, 60)
    used_ws = sum(use_w(home, at_s) for at_s in times) * 60
    assert lived.import_ws + lived.produced_ws - lived.export_ws == used_ws
    assert lived.produced_ws == sum(sun_w(home, at_s) for at_s in times) * 60
    assert lived.at_s == end_s


@given(home=homes, steps=st.lists(st.integers(0, 40), min_size=1, max_size=20))
def test_registers_only_rise_however_time_is_cut(home: Habits, steps: list[int]) -> None:
    cut, whole = Household(home, START_S), Household(home, START_S)
    before = (0, 0, 0)

    for step in steps:
        cut.advance(cut.at_s + 60 * step, 60)
        now = (cut.import_wh, cut.export_wh, cut.produced_wh)
        assert all(later >= earlier for earlier, later in zip(before, now, strict=True))
        before = now
    whole.advance(cut.at_s, 60)

    assert cut == whole


def test_a_street_is_a_mix_and_the_same_every_time() -> None:
    street = street_of(24)

    assert street == street_of(24)
    assert len({home.seed for home in street}) == 24
    assert 0 < sum(home.solar_peak_w > 0 for home in street) < 24
    assert any(home.car for home in street)
    assert any(home.heat_pump for home in street)


def test_a_roof_makes_nothing_at_night_and_most_near_noon() -> None:
    south = Habits(seed=1, solar_peak_w=5_000)

    def at(hour: int) -> int:
        return sun_w(south, int(datetime(2026, 6, 18, hour, tzinfo=UTC).timestamp()))

    assert at(0) == at(23) == 0
    assert 0 < at(5) < at(8)
    # The sun stands highest at 11.40 UTC at 5.2 degrees east.
    assert max(range(24), key=at) in {10, 11, 12, 13}
    assert all(at(hour) <= 5_000 for hour in range(24))


@pytest.mark.parametrize("azimuth_deg", [90, 270])
def test_a_roof_to_the_east_makes_more_in_the_morning(azimuth_deg: int) -> None:
    roof = Habits(seed=1, solar_peak_w=5_000, azimuth_deg=azimuth_deg)
    noon_s = int(datetime(2026, 6, 18, 11, 40, tzinfo=UTC).timestamp())

    morning = sum(sun_w(roof, noon_s - 60 * minute) for minute in range(1, 420))
    afternoon = sum(sun_w(roof, noon_s + 60 * minute) for minute in range(1, 420))

    assert (morning > afternoon) is (azimuth_deg == 90)


def test_a_home_without_panels_makes_nothing() -> None:
    assert sun_w(Habits(seed=1), START_S + 43_200) == 0
