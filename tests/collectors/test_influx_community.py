"""What Grafana may read: only sums that were told, whole, and a day late where they show use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from collectors.disclosure import DELAY_S, Disclosure, Reader
from collectors.influx_community import (
    CommunitySender,
    PlannedPoint,
    as_told,
    plan_lines,
    stored_permille,
    sum_lines,
)
from collectors.months.parquet import MonthDamagedError
from collectors.queries import GRACE_S, Records, SumQuarter
from collectors.store import DeviceKey, Quality, QuarterEnergy
from collectors.told import ToldInMemory
from kwartier.charts import PLAN_FIELDS, SUM_FIELDS
from kwartier.clock import VirtualClock
from kwartier.interval import QUARTER_S
from kwartier.model import Battery, Community, Connection
from kwartier.units import EpochS, Wh
from tests.collectors.influx_far_side import InfluxFarSide, influx, refusal
from tests.memory_store import MemoryStore

NOON_S = 1_782_900_000  # 2026-07-01T10:00:00Z
OVER_S = NOON_S + QUARTER_S + GRACE_S
NAMES = tuple(f"h{place}" for place in range(6))
INSIDE = Reader(inside=True)


class Street(MemoryStore):
    """Homes whose registers of noon's quarter are set, and a battery that tells its charge."""

    def __init__(self) -> None:
        super().__init__()
        self.energy_wh: dict[tuple[str, str], Wh] = {}
        self.stored: dict[str, list[tuple[EpochS, int]]] = {}

    def quarters(
        self,
        names: Collection[str],
        start_s: EpochS,
        end_s: EpochS,
        keys: Collection[DeviceKey] | None = None,
    ) -> list[QuarterEnergy]:
        return [
            QuarterEnergy(DeviceKey(gateway, device), name, NOON_S, wh, Quality.MEASURED)
            for (gateway, name), wh in self.energy_wh.items()
            for device in ["battery" if gateway.startswith("b") else "p1"]
            if start_s <= NOON_S < end_s and name in names
            if keys is None or DeviceKey(gateway, device) in keys
        ]

    def points(
        self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
    ) -> list[tuple[EpochS, int]]:
        assert name == "soc_permille"
        return [one for one in self.stored.get(key.gateway, []) if start_s <= one[0] < end_s]


class NoPlan:
    """A plan book with what it was given."""

    def __init__(self, *points: PlannedPoint) -> None:
        self.points = points

    def between(self, start_s: EpochS, end_s: EpochS) -> Sequence[PlannedPoint]:
        return [one for one in self.points if start_s <= one.start_s < end_s]


def battery(name: str, capacity_wh: int) -> Battery:
    return Battery(name, name, "battery", capacity_wh, 5000, 5000)


def community(homes: int = len(NAMES)) -> Community:
    connections = {name: Connection(name, f"m-{name}", f"g-{name}") for name in NAMES[:homes]}
    return Community("wijk", "De Wijk", connections, {"b1": battery("b1", 10_000)})


def street(homes: int = len(NAMES)) -> Street:
    store = Street()
    for place, name in enumerate(NAMES[:homes]):
        store.energy_wh[f"g-{name}", "import_wh"] = 100 + place
        store.energy_wh[f"g-{name}", "export_wh"] = 10
    store.energy_wh |= {("b1", "charged_wh"): 50, ("b1", "discharged_wh"): 20}
    store.stored["b1"] = [(NOON_S + 60, 400), (NOON_S + 840, 430)]
    return store


def sent(
    store: Street,
    whole: Community,
    clock: VirtualClock,
    reader: Reader | None = None,
    told: ToldInMemory | None = None,
) -> list[str]:
    """Return the lines that arrive at a far side."""
    records = Records(store, whole, clock, Disclosure(told))
    with influx() as (server, door):
        parts = (records, NoPlan(), store, whole, door, clock)
        sender = CommunitySender(*parts) if reader is None else CommunitySender(*parts, reader)
        sender.send()
        return sorted(server.stored)


def test_what_shows_use_is_absent_for_a_day_and_then_added() -> None:
    store, whole, told = street(), community(), ToldInMemory()

    fresh = sent(store, whole, VirtualClock(OVER_S), told=told)
    later = sent(store, whole, VirtualClock(OVER_S + DELAY_S), told=told)

    assert fresh == [
        f"community,site=wijk homes=6i,solar_w=240i,battery_w=120i,soc_permille=430i {NOON_S}"
    ]
    # 6 homes: import 100..105 = 615 Wh, export 60 Wh; use is import plus solar less export.
    sums = "homes=6i,solar_w=240i,load_w=2460i,import_w=2460i,export_w=240i"
    assert later == [f"community,site=wijk {sums},battery_w=120i,soc_permille=430i {NOON_S}"]


def test_residents_among_themselves_see_use_at_once() -> None:
    (line,) = sent(street(), community(), VirtualClock(OVER_S), INSIDE)

    assert "load_w=2460i" in line


@pytest.mark.parametrize("homes", [0, 1, 4])
def test_of_fewer_than_five_homes_there_is_no_line(homes: int) -> None:
    assert sent(street(homes), community(homes), VirtualClock(OVER_S), INSIDE) == []
    assert sent(street(homes), community(), VirtualClock(OVER_S), INSIDE) == []


def test_a_late_home_does_not_change_what_was_told() -> None:
    """The difference of two sums would be that home."""
    told = ToldInMemory()
    before = sent(street(5), community(), VirtualClock(OVER_S), INSIDE, told)

    after = sent(street(6), community(), VirtualClock(OVER_S + 3600), INSIDE, told)

    assert before == after
    assert "homes=5i" in before[0]


def test_a_sum_that_somehow_covers_few_homes_makes_no_line() -> None:
    few = SumQuarter(NOON_S, 4, 1, 1, 1, 1, 1, None, None, 0)

    assert sum_lines([few], {}, "wijk") == []


def test_a_plan_adds_up_in_every_quarter() -> None:
    point = PlannedPoint(NOON_S, 1000, 750, 500, 610, -1234)

    powers = "solar_w=4000i,load_w=3000i,battery_w=500i,grid_w=-500i"
    assert plan_lines([point], "wijk") == [
        f"plan,site=wijk {powers},soc_permille=610i,price_ct_per_mwh=-1234i {NOON_S}"
    ]


def test_a_plan_tells_use_in_steps_and_strangers_a_day_late() -> None:
    point = PlannedPoint(NOON_S, 1000, 800, 500, 610, 1)
    unknown = replace(point, use_wh=None)
    end_s = NOON_S + QUARTER_S

    assert as_told(point, INSIDE, NOON_S) == replace(point, use_wh=750)
    assert as_told(point, Reader(), end_s + DELAY_S - 1) == unknown
    assert as_told(point, Reader(), end_s + DELAY_S) == replace(point, use_wh=750)
    (line,) = plan_lines([unknown], "wijk")
    powers = "solar_w=4000i,battery_w=500i"
    assert line == f"plan,site=wijk {powers},soc_permille=610i,price_ct_per_mwh=1i {NOON_S}"


@pytest.mark.parametrize(("homes", "lines"), [(4, 0), (5, 1)])
def test_the_plan_of_few_homes_is_not_told(homes: int, lines: int) -> None:
    clock, whole, store = VirtualClock(OVER_S), community(homes), Street()
    planned = NoPlan(PlannedPoint(NOON_S + QUARTER_S, 1000, 750, 500, 610, 1))
    with influx() as (server, door):
        records = Records(store, whole, clock, Disclosure())
        CommunitySender(records, planned, store, whole, door, clock).send()

    assert len(server.stored) == lines


def test_the_fields_are_those_that_boards_are_told_of() -> None:
    full = SumQuarter(NOON_S, 5, 1, 1, 1, 1, 1, 1, 1, 0)
    (sums,) = sum_lines([full], {NOON_S: 1}, "wijk")
    (plan,) = plan_lines([PlannedPoint(NOON_S, 1, 1, 1, 1, 1)], "wijk")

    for line, known in ((sums, SUM_FIELDS), (plan, PLAN_FIELDS)):
        fields = line.split(" ")[1].split(",")
        assert {field.partition("=")[0] for field in fields} == set(known)


def test_what_is_stored_is_known_only_when_every_battery_says_so() -> None:
    store, one = street(), battery("b1", 10_000)
    both = Community("wijk", "De Wijk", {}, {"b1": one, "b2": battery("b2", 30_000)})
    window = (NOON_S, NOON_S + 3600)

    assert stored_permille(store, both, *window) == {}
    store.stored["b2"] = [(NOON_S + 1, 100), (NOON_S + 901, 200)]
    # (430 of 10 kWh and 100 of 30 kWh) of 40 kWh
    assert stored_permille(store, both, *window) == {NOON_S: 182}
    assert stored_permille(store, Community("wijk", "", {}, {}), *window) == {}


def test_a_far_side_that_is_away_is_waited_out_and_nothing_is_missing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, whole, clock = street(), community(), VirtualClock(OVER_S)
    records = Records(store, whole, clock, Disclosure())
    with influx(refusal(503, "busy"), refusal(401, "unauthorized access")) as (server, door):
        sender = CommunitySender(records, NoPlan(), store, whole, door, clock)
        for _ in range(3):
            sender.turn()
        assert isinstance(server, InfluxFarSide)

    assert sender.trouble is None
    assert len(server.stored) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2


def test_a_damaged_month_with_batteries_charge_in_it_is_waited_out() -> None:
    class Damaged(Street):
        """A record of which a month file is damaged."""

        def points(
            self, key: DeviceKey, name: str, start_s: EpochS, end_s: EpochS
        ) -> list[tuple[EpochS, int]]:
            raise MonthDamagedError("2026-05.readings.1.parquet", f"{key} {name} {start_s} {end_s}")

    whole, clock = community(), VirtualClock(OVER_S)
    records = Records(street(), whole, clock, Disclosure())
    with influx() as (_, door):
        sender = CommunitySender(records, NoPlan(), Damaged(), whole, door, clock)
        sender.turn()

    assert sender.trouble is not None
    assert "2026-05.readings.1.parquet" in sender.trouble
