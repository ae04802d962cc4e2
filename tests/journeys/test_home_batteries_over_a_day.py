"""Five homes with a battery and a shared one are planned over a day, one of them at its fuse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from api.plans import NeighbourhoodPlan
from kwartier.interval import QUARTER_S
from kwartier.model import Battery, Community
from kwartier.reading import Reading
from kwartier.units import EpochS, Watt, Wh
from tests.api.planning import HOMES, Scene, scene
from tests.api.street import community_of, feed

DAY_S = 86_400
START_S = 1_783_375_200  # 2026-07-06T22:00:00Z, midnight on the wall
USE_WH = 125
"""What each home uses in a quarter: 500 W, so its fuse of 3 kW leaves 2,500 W for a battery."""
THIN, FUSE_W = "huis-01", 3_000
WITH_BATTERY = 5


def neighbourhood() -> Community:
    """Return ten homes, a shared battery, and five at homes of 10 kWh and 4 kW."""
    street = community_of(HOMES, solar_every=HOMES + 1)
    batteries = [
        Battery(
            f"thuis-{home:02}",
            f"gw-{home:02}",
            "battery",
            10_000,
            4_000,
            4_000,
            home=f"huis-{home + 1:02}",
            steered=True,
        )
        for home in range(WITH_BATTERY)
    ]
    thin = replace(street.connections[THIN], limit_w=FUSE_W)
    return replace(
        street,
        connections={**street.connections, THIN: thin},
        home_batteries={one.id: one for one in batteries},
    )


@dataclass(slots=True)
class _Lived:
    """A street that lives on quarter by quarter, doing what its gateways were sent."""

    street: Scene
    stored_wh: dict[str, float]
    registers: dict[str, dict[str, Wh]]
    seq: int = 0
    meter_w: dict[str, list[Watt]] = field(default_factory=dict)

    def live(self, from_s: EpochS, quarters: int) -> None:
        """Live some quarters and put what was counted on record."""
        told: dict[str, list[Reading]] = {}
        for at_s in range(from_s, from_s + quarters * QUARTER_S, QUARTER_S):
            moved_w = {gateway: self._battery(gateway, at_s) for gateway in self.stored_wh}
            for home in range(HOMES):
                gateway = f"gw-{home:02}"
                net_wh = USE_WH + moved_w.get(gateway, 0) // 4
                count = self.registers[gateway]
                count["import_wh"] += max(0, net_wh)
                count["export_wh"] += max(0, -net_wh)
                self.meter_w.setdefault(gateway, []).append(4 * net_wh)
            for gateway, count in self.registers.items():
                told.setdefault(gateway, []).extend(self._readings(gateway, count, at_s))
        self.seq += 1
        for gateway, readings in told.items():
            for place, device in enumerate(sorted({one.device for one in readings})):
                own = [one for one in readings if one.device == device]
                feed(self.street.store, gateway, 2 * self.seq + place, own)

    def _battery(self, gateway: str, at_s: EpochS) -> Watt:
        """Return what a battery takes in a quarter, and count it."""
        sent = self.street.sent_to.get(gateway)
        steps = sent[-1].steps if sent else ()
        power_w = next((one.power_w for one in steps if one.start_s == at_s), 0)
        power_w -= power_w % 4  # whole Wh
        self.stored_wh[gateway] += power_w / 4 * (0.96 if power_w > 0 else 1 / 0.955)
        count = self.registers[gateway]
        count["charged_wh"] += max(0, power_w // 4)
        count["discharged_wh"] += max(0, -(power_w // 4))
        return power_w

    def _readings(self, gateway: str, count: dict[str, Wh], at_s: EpochS) -> list[Reading]:
        end_s, told = at_s + QUARTER_S, []
        if "import_wh" in count:
            values = {name: count[name] for name in ("import_wh", "export_wh")}
            told.append(Reading("p1", "m", end_s, values))
        if "charged_wh" in count:
            values = {name: count[name] for name in ("charged_wh", "discharged_wh")}
            size_wh = self.street.community.every_battery[_name(gateway)].capacity_wh
            values["soc_permille"] = round(1000 * self.stored_wh[gateway] / size_wh)
            told.append(Reading("battery", "b", end_s, values))
        return told


def _name(gateway: str) -> str:
    return "wijkbatterij" if gateway == "gw-accu" else f"thuis-{gateway[-2:]}"


def lived(street: Scene) -> _Lived:
    """Return the street after two days in which every battery stood still, half full."""
    batteries = {one.gateway: one for one in street.community.every_battery.values()}
    registers: dict[str, dict[str, Wh]] = {
        f"gw-{home:02}": {"import_wh": 10_000, "export_wh": 10_000} for home in range(HOMES)
    }
    for gateway in batteries:
        registers.setdefault(gateway, {}).update({"charged_wh": 1_000, "discharged_wh": 1_000})
    made = _Lived(street, {g: one.capacity_wh / 2 for g, one in batteries.items()}, registers)
    made.live(START_S - 2 * DAY_S, 192)
    made.meter_w.clear()
    return made


def plan_and_live(folder: Path, every: int) -> tuple[_Lived, list[NeighbourhoodPlan]]:
    """Return a day in which a plan is made every so many quarters, and the plans."""
    with scene(folder, START_S + 5, community=neighbourhood()) as street:
        made, planner, plans = lived(street), street.planner(), []
        for place in range(0, 96, every):
            plan = planner.plan_now()
            assert plan is not None
            plans.append(plan)
            made.live(START_S + place * QUARTER_S, every)
            street.clock.advance(every * QUARTER_S)
        return made, plans


@pytest.mark.parametrize(
    "every", [pytest.param(24, id="each six hours"), pytest.param(1, marks=pytest.mark.nightly)]
)
def test_a_day_with_batteries_at_home_keeps_fuses_and_knows_use_from_charge(
    every: int, tmp_path: Path
) -> None:
    made, plans = plan_and_live(tmp_path, every)

    # The fuse binds: the home takes all that it lets through, and never more.
    thin_w = made.meter_w["gw-00"]
    assert FUSE_W - 8 <= max(thin_w) <= FUSE_W
    assert min(thin_w) >= -FUSE_W
    others_w = [max(made.meter_w[f"gw-{home:02}"]) for home in range(1, WITH_BATTERY)]
    assert max(others_w) > FUSE_W
    # Batteries worked all day, and what they took is expected of nobody as use.
    assert {quarter.use_wh for plan in plans for quarter in plan.quarters} == {HOMES * USE_WH}
    assert all(made.registers[gateway]["charged_wh"] > 2_000 for gateway in made.stored_wh)
    assert {plan.status for plan in plans} == {"optimal"}
    # Five homes are too few to be told apart: nobody else sees what their batteries do.
    assert {block.battery for plan in plans for block in plan.blocks} == {"wijkbatterij"}
    for gateway, stored in made.stored_wh.items():
        size_wh = made.street.community.every_battery[_name(gateway)].capacity_wh
        assert 0.05 * size_wh - 20 <= stored <= 0.95 * size_wh + 20
