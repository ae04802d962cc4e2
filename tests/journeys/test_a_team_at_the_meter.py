"""From the plan to the meter with two batteries at one gateway: they make up for it together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from collectors.prices.file import FilePrices
from gateway.agent import Agent, Manner
from gateway.keep.outbox import Outbox
from gateway.modbus.link import LinkSettings, ModbusLink
from gateway.steer.battery import SteeredBattery
from gateway.steer.limits import Limits
from gateway.steer.team import Team
from gateway.steer.wish import FULL_POWER_S
from hardware.twins.battery import BatteryTwin
from hardware.twins.cell import CellLimits
from hardware.twins.modbus_server import ModbusServer
from kwartier.bus import InProcessBus
from kwartier.reading import Reading
from kwartier.schedule import Outcome, Response
from tests.api.planning import HOMES, Scene, charge_of, scene, use_in
from tests.api.street import feed
from tests.journeys.test_a_followed_meter import (
    BAND_W,
    DAY_S,
    LIMIT_W,
    START_S,
    TELEGRAM_S,
    cheap_now,
)

FULL_W = {"battery": 30_000, "second": 10_000}


class Street:
    """A neighbourhood with two batteries at one gateway, which reads its meter."""

    def __init__(self, folder: Path, planned: Scene, parts: ExitStack) -> None:
        (battery,) = planned.community.batteries.values()
        gateway = battery.gateway
        self.scene = planned
        self.bus = InProcessBus()
        planned.community = replace(
            planned.community,
            batteries={
                name: replace(
                    battery,
                    id=name,
                    device=name,
                    capacity_wh=3 * full_w,
                    charge_max_w=full_w,
                    discharge_max_w=full_w,
                    follows_meter=True,
                )
                for name, full_w in FULL_W.items()
            },
            import_limit_w=LIMIT_W,
        )
        self.twins = [
            BatteryTwin(
                planned.clock, CellLimits(3 * full_w, full_w, full_w), soc_permille=500, unit=unit
            )
            for unit, full_w in enumerate(FULL_W.values(), 1)
        ]
        server = parts.enter_context(ModbusServer(self.twins))
        link = ModbusLink(LinkSettings("127.0.0.1", server.port, timeout_s=60.0))
        parts.callback(link.close)
        outbox = Outbox(folder / "outbox.db", gateway, planned.clock)
        parts.callback(outbox.close)
        agent = Agent(
            planned.community.coop,
            gateway,
            outbox,
            self.bus,
            planned.clock,
            Manner(live_every_s=0.0),
        )
        team = Team(FULL_POWER_S)
        self.told: list[Response] = []
        self.gateways = [
            SteeredBattery(
                link.unit(unit),
                name,
                Limits(full_w, full_w, metered=True, full_power_s=FULL_POWER_S, sharing=2),
                planned.clock,
                folder / f"{name}.json",
                take=lambda _: None,
                tell=self.told.append,
                team=team,
            )
            for unit, (name, full_w) in enumerate(FULL_W.items(), 1)
        ]
        for name, one in zip(FULL_W, self.gateways, strict=True):
            agent.steer(name, one)
        self.random = Random(3)  # noqa: S311 - flutter, not a secret

    def live(self, seconds: int, homes_w: int) -> list[int]:
        """Return the exchange at each telegram while the homes use about so much [W]."""
        exchange: list[int] = []
        for _ in range(seconds // TELEGRAM_S):
            flutter_w = self.random.randrange(-400, 401)
            grid_w = homes_w + flutter_w + sum(twin.power_w for twin in self.twins)
            exchange.append(grid_w)
            values = {"import_w": max(0, grid_w), "export_w": max(0, -grid_w)}
            reading = Reading("p1", "E1", int(self.scene.clock.now_s()), values)
            for one in self.gateways:
                one.see_grid(reading)
                one.turn()
            self.scene.clock.advance(TELEGRAM_S)
        return exchange


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with scene(tmp_path, START_S) as planned, ExitStack() as parts:
        for home in range(HOMES):
            use_in(planned, home, START_S - 3 * DAY_S, START_S, 1)
        charge_of(planned, START_S - 5, 500)
        values = {"soc_permille": 500, "battery_w": 0}
        feed(planned.store, "gw-accu", 2, [Reading("second", "b2", START_S - 5, values)])
        yield Street(tmp_path, planned, parts)


def test_two_batteries_bring_about_what_was_planned_though_the_homes_use_more(
    street: Street, tmp_path: Path
) -> None:
    plan = street.scene.planner(street.bus, FilePrices(cheap_now(tmp_path))).plan_now()
    assert plan is not None
    planned_w = 4_000 + sum(FULL_W.values())

    street.live(420, homes_w=11_000)
    there = street.live(120, homes_w=11_000)
    after = street.live(120, homes_w=7_000)

    assert {one.outcome for one in street.told} == {Outcome.APPLIED}
    assert all(abs(watt - planned_w) <= BAND_W for watt in there)
    assert all(abs(watt - planned_w) <= BAND_W for watt in after[6:])
    # Both give way by the power that each has: three parts and one.
    large_w, small_w = (twin.power_w for twin in street.twins)
    assert large_w + small_w == pytest.approx(planned_w - 7_000, abs=BAND_W)
    assert large_w == pytest.approx(3 * small_w, abs=10)
