"""From the plan to the meter: what should pass there does, though the homes use something else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from api.planner import Planner
from collectors.prices.file import FilePrices
from gateway.agent import Agent, Manner
from gateway.keep.outbox import Outbox
from gateway.modbus.link import LinkSettings, ModbusLink
from gateway.steer.battery import SteeredBattery
from gateway.steer.limits import Limits
from gateway.steer.wish import FULL_POWER_S
from hardware.twins.battery import BatteryTwin
from hardware.twins.cell import CellLimits
from hardware.twins.modbus_server import ModbusServer
from kwartier.interval import QUARTER_S, instant_text
from kwartier.reading import MeterBand, Reading
from kwartier.schedule import Outcome, Response, decode_response
from kwartier.wire import Address, Lane
from tests.api.planning import HOMES, Scene, charge_of, scene, use_in

START_S = int(datetime(2026, 7, 8, 10, 0, tzinfo=UTC).timestamp())
DAY_S = 86_400
FORECAST_W = 4_000
"""Ten homes that used 100 Wh in each quarter."""
LIMIT_W = 44_000
"""What the street may take: a plan that comes so near to it is followed at the meter."""
TELEGRAM_S = 5
BAND_W = 1_000
"""The homes' flutter of 400 W, up and down, and the meter's dead band."""


class Street:
    """A neighbourhood whose battery hangs at its meter, and a planner that expects wrong things."""

    def __init__(self, folder: Path, planned: Scene, parts: ExitStack) -> None:
        (battery,) = planned.community.batteries.values()
        self.scene = planned
        following = replace(battery, follows_meter=True)
        planned.community = replace(
            planned.community, batteries={battery.id: following}, import_limit_w=LIMIT_W
        )
        self.twin = BatteryTwin(
            planned.clock, CellLimits(120_000, 40_000, 40_000), soc_permille=500
        )
        server = parts.enter_context(ModbusServer([self.twin]))
        link = ModbusLink(LinkSettings("127.0.0.1", server.port, timeout_s=60.0))
        parts.callback(link.close)
        outbox = Outbox(folder / "outbox.db", battery.gateway, planned.clock)
        parts.callback(outbox.close)
        agent = Agent(
            planned.community.coop,
            battery.gateway,
            outbox,
            planned.bus,
            planned.clock,
            Manner(live_every_s=0.0),
        )
        self.gateway = SteeredBattery(
            link.unit(1),
            battery.device,
            Limits(40_000, 40_000, metered=True, full_power_s=FULL_POWER_S),
            planned.clock,
            folder / "battery.json",
            take=lambda _: None,
            tell=agent.tell,
        )
        agent.steer(battery.device, self.gateway)
        self.told: list[Response] = []
        topic = Address(planned.community.coop, battery.gateway, Lane.RESPONSE, battery.device)
        planned.bus.subscribe(
            topic.topic, lambda message: self.told.append(decode_response(message.payload))
        )
        self.random = Random(3)  # noqa: S311 - flutter, not a secret

    def planner(self, prices: Path) -> Planner:
        return self.scene.planner(prices=FilePrices(prices))

    def live(self, seconds: int, homes_w: int) -> list[int]:
        """Return the exchange at each telegram while the homes use about so much [W]."""
        exchange: list[int] = []
        for _ in range(seconds // TELEGRAM_S):
            grid_w = homes_w + self.random.randrange(-400, 401) + self.twin.power_w
            exchange.append(grid_w)
            values = {"import_w": max(0, grid_w), "export_w": max(0, -grid_w)}
            at_s = int(self.scene.clock.now_s())
            self.gateway.see_grid(Reading("p1", "E1", at_s, values))
            self.gateway.turn()
            self.scene.clock.advance(TELEGRAM_S)
        return exchange


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with scene(tmp_path, START_S) as planned, ExitStack() as parts:
        for home in range(HOMES):
            use_in(planned, home, START_S - 3 * DAY_S, START_S, 1)
        charge_of(planned, START_S - 5, 500)
        yield Street(tmp_path, planned, parts)


def cheap_now(folder: Path) -> Path:
    """Write prices below nothing for two hours, so that a plan takes what it may."""
    rows = [
        f"{instant_text(START_S + place * QUARTER_S)},{-200 + 10 * place if place < 8 else 150}"
        for place in range(144)
    ]
    (folder / "prices.csv").write_text("\n".join(["utc,eur_per_mwh", *rows]))
    return folder / "prices.csv"


def dear_now(folder: Path) -> Path:
    """Write prices that are high for four hours, but not so high that it pays to sell."""
    rows = [
        f"{instant_text(START_S + place * QUARTER_S)},{120 if place < 16 else 60}"
        for place in range(144)
    ]
    (folder / "prices.csv").write_text("\n".join(["utc,eur_per_mwh", *rows]))
    return folder / "prices.csv"


def test_own_use_is_covered_and_stored_though_the_plan_expected_another(
    street: Street, tmp_path: Path
) -> None:
    street.planner(dear_now(tmp_path)).plan_now()
    (sent,) = street.scene.sent

    street.live(420, homes_w=11_000)
    covered = street.live(120, homes_w=11_000)
    street.live(60, homes_w=-6_000)
    stored = street.live(120, homes_w=-6_000)

    # A kWh from the grid costs more than one from store, and one to the grid earns less.
    assert sent.steps[0].band == MeterBand(0, 0)
    assert sent.steps[0].power_w == -FORECAST_W
    assert all(abs(watt) <= BAND_W for watt in [*covered, *stored])
    assert street.twin.power_w == pytest.approx(6_000, abs=BAND_W)


def test_the_meter_shows_what_was_planned_though_the_homes_use_more(
    street: Street, tmp_path: Path
) -> None:
    plan = street.planner(cheap_now(tmp_path)).plan_now()
    assert plan is not None
    (sent,) = street.scene.sent
    first, second = sent.steps[:2]
    assert (first.power_w, first.grid_w) == (40_000, 40_000 + FORECAST_W)

    on_its_way = street.live(420, homes_w=11_000)
    there = street.live(480, homes_w=11_000)
    after = street.live(QUARTER_S, homes_w=7_000)

    assert street.told[0].outcome is Outcome.ACCEPTED
    # At most 20 % of 40 kW a minute, and the homes' own flutter.
    steepest_w = max(later - now for now, later in zip(on_its_way, on_its_way[12:], strict=False))
    assert steepest_w <= 8_000 + 4 * 400
    assert first.grid_w is not None
    assert all(abs(watt - first.grid_w) <= BAND_W for watt in there)
    assert abs(sum(there) / len(there) - first.grid_w) <= 0.02 * first.grid_w
    assert street.twin.power_w == pytest.approx(44_000 - 7_000, abs=BAND_W)
    assert second.grid_w == first.grid_w
    assert all(abs(watt - first.grid_w) <= BAND_W for watt in after[6:])


def test_the_meter_is_followed_at_the_limit_and_not_where_the_plan_buys_or_rests(
    street: Street, tmp_path: Path
) -> None:
    street.planner(cheap_now(tmp_path)).plan_now()

    (sent,) = street.scene.sent
    full = [step for step in sent.steps if step.power_w == LIMIT_W - FORECAST_W]
    other = [step for step in sent.steps if step not in full]
    assert full
    assert {step.grid_w for step in full} == {LIMIT_W}
    assert {step.power_w == 0 for step in other} == {True, False}
    assert {step.grid_w for step in other if step.power_w + FORECAST_W} == {None}


def test_a_battery_at_no_meter_is_told_powers_only(street: Street, tmp_path: Path) -> None:
    (battery,) = street.scene.community.batteries.values()
    own = replace(battery, follows_meter=False)
    street.scene.community = replace(street.scene.community, batteries={own.id: own})

    street.planner(cheap_now(tmp_path)).plan_now()

    assert {step.grid_w for step in street.scene.sent[0].steps} == {None}


def test_a_meter_that_falls_silent_lets_the_battery_go(street: Street, tmp_path: Path) -> None:
    street.planner(cheap_now(tmp_path)).plan_now()
    street.live(120, homes_w=5_000)
    moving_w = street.twin.power_w

    for _ in range(8):
        street.scene.clock.advance(TELEGRAM_S)
        street.gateway.turn()

    assert (moving_w > 5_000, street.twin.power_w) == (True, 0)
    assert street.told[-1].reason == "meter is silent"
