"""A battery rests before it turns, and longer each time it keeps turning."""

from __future__ import annotations

from itertools import pairwise

from gateway.steer.turning import Turning


def test_a_battery_rests_ten_seconds_before_it_turns() -> None:
    turning = Turning()

    done = [turning.held(-500 if at_s < 5 else 800, float(at_s)) for at_s in range(20)]

    assert done == [-500] * 5 + [0] * 9 + [800] * 6


def test_who_keeps_turning_rests_longer_each_time() -> None:
    turning = Turning()
    way, turns = 500, []
    for at_s in range(400):
        if turning.held(way, float(at_s)):
            turns.append(at_s)
            way = -way

    rests = [later - now for now, later in pairwise(turns)]
    assert rests[:5] == [10, 10, 20, 40, 80]
    assert set(rests[5:]) <= {80}
