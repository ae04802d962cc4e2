"""The street's battery moves at the pace of a real one; a day at full speed does not wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.embedded.gateways import StreetGateways
from api.embedded.street import BATTERY, VirtualStreet
from gateway.agent import Manner
from kwartier.bus import InProcessBus
from kwartier.clock import VirtualClock
from kwartier.reading import Schedule, Step

NOON_S = 1_782_900_000


@pytest.mark.parametrize(
    ("pace", "after_a_minute_w", "after_five_w"),
    [({}, 8_000, 40_000), ({"full_power_s": 0}, 40_000, 40_000)],  # 20 % of 40 kW a minute
)
def test_a_plan_moves_the_battery_by_a_fifth_of_its_power_a_minute_unless_told_at_once(
    tmp_path: Path, pace: dict[str, int], after_a_minute_w: int, after_five_w: int
) -> None:
    clock = VirtualClock(NOON_S)
    street = VirtualStreet(1, NOON_S, clock)
    gateways = StreetGateways(street, tmp_path, InProcessBus(), clock, Manner(), **pace)
    battery = gateways.battery
    battery.accept(Schedule(BATTERY.device, 1, "plan-1", (Step(NOON_S, 40_000, 3_600),)))
    battery.turn()  # from here it moves
    powers_w = []

    for _ in range(300):
        clock.advance(1)
        battery.turn()
        powers_w.append(street.battery.power_w)
    gateways.stop()
    street.close()

    assert powers_w[59] == pytest.approx(after_a_minute_w, abs=200)
    assert powers_w[299] == pytest.approx(after_five_w, abs=200)
