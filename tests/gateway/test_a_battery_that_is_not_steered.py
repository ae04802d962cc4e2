"""A battery that is left alone for a while, or for good, keeps no other from following the meter.

What it would have been told is no move that the meter may not show yet: the others would wait for
that, and leave uncovered what lacks meanwhile.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.steer.track import DEAD_BAND_W
from tests.gateway.test_a_day_of_bands import Flat
from tests.gateway.tracked_street import Weather, quiet

MORNING = 6.0
"""An hour at which batteries cover what lacks."""


def covering(folder: Path) -> Flat:
    """Return a street of two batteries that has lacked 6 kW for two minutes."""
    street = Flat(folder, quiet(Weather(lag_s=2)), full_power_s=0, hour=MORNING)
    street.others_w = 6_000
    return street


@pytest.mark.parametrize("more_w", [3_000, -3_000])
def test_while_one_is_left_alone_after_a_failure_the_other_follows_the_meter(
    tmp_path: Path, more_w: int
) -> None:
    street = covering(tmp_path)
    street.run(120)
    street.batteries[1].deaf = True
    while not (failed := [one for one in street.told if one.outcome == "failed"]):
        assert street.second < 300
        street.run(1)
    street.run(15)

    street.others_w += more_w
    street.run(20)

    assert [one.device for one in failed] == ["b1"]
    assert street.powers_w[1][-1] == 0
    assert abs(street.meter_w[-1]) <= DEAD_BAND_W


def test_beside_one_that_can_never_be_steered_the_other_follows_the_meter(tmp_path: Path) -> None:
    street = covering(tmp_path)
    street.batteries[1].has_timer = False
    street.run(120)

    street.others_w = 9_000
    street.run(20)

    assert street.powers_w[1][-1] == 0
    assert abs(street.meter_w[-1]) <= DEAD_BAND_W
