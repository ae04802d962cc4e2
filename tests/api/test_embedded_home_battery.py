"""A virtual home's meter counts the home with its own battery, to the watt-second."""

from __future__ import annotations

from pathlib import Path

from api.embedded.gateways import StreetGateways
from api.embedded.past import live_through
from api.embedded.prices import MadeUpPrices
from api.embedded.street import VirtualStreet
from gateway.agent import Manner
from kwartier.bus import InProcessBus
from kwartier.clock import VirtualClock
from kwartier.interval import QUARTER_S

START_S = 1_783_375_200  # 2026-07-06T22:00:00Z, midnight on the wall
END_S = START_S + 64 * QUARTER_S
"""Four in the afternoon."""


def test_before_anybody_plans_a_battery_keeps_its_homes_own_sun(tmp_path: Path) -> None:
    clock = VirtualClock(START_S)
    street = VirtualStreet(7, START_S, clock, sun_of_day=169, with_battery=(2,))
    try:
        manner = Manner(live_every_s=0.0)
        gateways = StreetGateways(street, tmp_path, InProcessBus(), clock, manner)
        live_through(street, gateways, MadeUpPrices(), END_S)
        home = street.homes[1]
        gateways.stop()
    finally:
        street.close()

    assert [one.home for one in street.community.home_batteries.values()] == ["huis-02"]
    assert home.battery is not None
    cell, alone = home.battery.twin.cell, home.household
    kept_wh = cell.charged_wh - cell.discharged_wh
    net_wh = home.meter.import_wh - 2_000_000 - home.meter.export_wh
    assert cell.charged_wh > 2_000
    assert abs(net_wh - (alone.import_ws - alone.export_ws) / 3600 - kept_wh) <= 2
    assert home.meter.export_wh < alone.export_wh
    assert home.battery.has_own_rule is False


def test_every_battery_of_a_long_street_has_a_name_of_its_own() -> None:
    street = VirtualStreet(101, START_S, VirtualClock(START_S), with_battery=(1, 101))
    street.close()

    homes = {name: one.home for name, one in street.community.home_batteries.items()}
    assert homes == {"thuisbatterij-01": "huis-01", "thuisbatterij-101": "huis-101"}
